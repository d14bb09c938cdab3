// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What goes through the log of {@link ViewMachine}: a byte of kind, a byte of version, the fields.
 */
sealed interface ViewRequest {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The group's members from a segment of it on, one at least. */
  record Roster(int segment, SortedSet<NodeId> members) implements ViewRequest {
    /** Keeps its own copy. */
    public Roster {
      members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
    }
  }

  /**
   * All that a node thinks of others, in place of what it said before.
   *
   * @param incarnation the observer's life, 1 or more
   * @param suspects whom it suspects, and which life of each it knows; 0 for none
   */
  record Opinion(NodeId observer, long incarnation, SortedMap<NodeId, Long> suspects)
      implements ViewRequest {
    /** Keeps its own copy. */
    public Opinion {
      suspects = Collections.unmodifiableSortedMap(new TreeMap<>(suspects));
    }
  }

  /** The bytes of this request. */
  default byte[] encode() {
    WireWriter out = new WireWriter(128);
    if (this instanceof Roster it) {
      out.writeByte(1).writeByte(VERSION).writeVarLong(it.segment);
      NodeCodec.writeNodes(out, it.members);
    } else if (this instanceof Opinion it) {
      out.writeByte(2).writeByte(VERSION);
      NodeCodec.writeNode(out, it.observer);
      out.writeVarLong(it.incarnation);
      NodeCodec.writeLives(out, it.suspects);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toByteArray();
  }

  /**
   * Reads a request.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static ViewRequest decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("view request of kind " + kind + " in version " + version);
    }
    ViewRequest request =
        switch (kind) {
          case 1 -> readRoster(in);
          case 2 -> readOpinion(in);
          default -> throw new WireFormatException("view request of unknown kind " + kind);
        };
    in.expectEnd();
    return request;
  }

  private static Roster readRoster(WireReader in) {
    long segment = in.readVarLong();
    if (segment < 0 || segment > Integer.MAX_VALUE) {
      throw new WireFormatException("segment " + segment);
    }
    SortedSet<NodeId> members = NodeCodec.readNodes(in);
    if (members.isEmpty()) {
      throw new WireFormatException("a group without members");
    }
    return new Roster((int) segment, members);
  }

  private static Opinion readOpinion(WireReader in) {
    NodeId observer = in.readNode();
    long incarnation = NodeCodec.readIncarnation(in);
    if (incarnation == 0) {
      throw new WireFormatException("an opinion of no incarnation");
    }
    return new Opinion(observer, incarnation, NodeCodec.readLives(in));
  }
}
