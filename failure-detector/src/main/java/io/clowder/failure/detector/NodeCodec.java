// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Nodes in the log and in snapshots: a count, then each of them in the order of their names, so
 * that equal sets are equal bytes and nothing else is accepted.
 */
final class NodeCodec {
  /** Nodes of one cluster that may be spoken of. */
  static final int NODES_MAX = 256;

  /** Incarnations are at most this. */
  static final long INCARNATION_MAX = 1L << 52;

  private NodeCodec() {}

  static void writeNode(WireWriter out, NodeId node) {
    out.writeString(node.value());
  }

  static void writeNodes(WireWriter out, SortedSet<NodeId> nodes) {
    out.writeVarLong(nodes.size());
    nodes.forEach(node -> writeNode(out, node));
  }

  static SortedSet<NodeId> readNodes(WireReader in) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    for (int left = readCount(in); left > 0; left--) {
      NodeId node = in.readNode();
      inOrder(nodes, node);
      nodes.add(node);
    }
    return nodes;
  }

  /** Nodes with an incarnation each. */
  static void writeLives(WireWriter out, SortedMap<NodeId, Long> lives) {
    out.writeVarLong(lives.size());
    lives.forEach(
        (node, incarnation) -> {
          writeNode(out, node);
          out.writeVarLong(incarnation);
        });
  }

  static SortedMap<NodeId, Long> readLives(WireReader in) {
    SortedMap<NodeId, Long> lives = new TreeMap<>();
    for (int left = readCount(in); left > 0; left--) {
      NodeId node = in.readNode();
      inOrder(lives.keySet(), node);
      lives.put(node, readIncarnation(in));
    }
    return lives;
  }

  static long readIncarnation(WireReader in) {
    long incarnation = in.readVarLong();
    if (incarnation < 0 || incarnation > INCARNATION_MAX) {
      throw new WireFormatException("incarnation " + incarnation);
    }
    return incarnation;
  }

  static int readCount(WireReader in) {
    long count = in.readVarLong();
    if (count < 0 || count > NODES_MAX) {
      throw new WireFormatException(count + " nodes where at most " + NODES_MAX + " may be");
    }
    return (int) count;
  }

  /** All so far come before the next one. */
  static void inOrder(Iterable<NodeId> sorted, NodeId next) {
    NodeId last = null;
    for (NodeId node : sorted) {
      last = node;
    }
    if (last != null && last.compareTo(next) >= 0) {
      throw new WireFormatException("node " + next + " after " + last);
    }
  }
}
