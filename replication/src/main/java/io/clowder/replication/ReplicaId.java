// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A copy of a store: a node, and the incarnation of its directory. A node that lost its disk comes
 * back as another, empty replica, which must never be taken for the one that had the data.
 */
record ReplicaId(NodeId node, long incarnation) implements Comparable<ReplicaId> {
  void write(WireWriter out) {
    out.writeString(node.value()).writeLong(incarnation);
  }

  static ReplicaId read(WireReader in) {
    return new ReplicaId(in.readNode(), in.readLong());
  }

  /** Where these replicas are. */
  static SortedSet<NodeId> nodes(SortedSet<ReplicaId> replicas) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    replicas.forEach(it -> nodes.add(it.node()));
    return nodes;
  }

  @Override
  public int compareTo(ReplicaId other) {
    int byNode = node.compareTo(other.node);
    return byNode != 0 ? byNode : Long.compare(incarnation, other.incarnation);
  }

  @Override
  public String toString() {
    return node + "/" + incarnation;
  }
}
