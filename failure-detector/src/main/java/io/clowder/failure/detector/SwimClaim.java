// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/**
 * One rumour.
 *
 * @param node whom it is about
 * @param incarnation which one of it
 * @param source who says so; the node itself if it is alive
 */
record SwimClaim(Kind kind, NodeId node, SwimIncarnation incarnation, NodeId source) {
  /** What may be said about a node. */
  enum Kind {
    /** It lives. */
    ALIVE(0),
    /** A probe of it failed at the source. */
    SUSPECT(1),
    /** Its suspicion timed out at the source. */
    DEAD(2);

    private final int code;

    Kind(int code) {
      this.code = code;
    }
  }

  /** No node refutes more often than that: what says so is no message of ours. */
  private static final long REFUTATIONS_MAX = 1L << 48;

  /** The node says that it lives. */
  static SwimClaim alive(NodeId node, SwimIncarnation incarnation) {
    return new SwimClaim(Kind.ALIVE, node, incarnation, node);
  }

  /** An upper bound of what {@link #write} writes. */
  int bytesMax() {
    return 32 + node.value().length() + source.value().length();
  }

  void write(WireWriter out) {
    out.writeByte(kind.code).writeString(node.value());
    writeIncarnation(out, incarnation);
    if (kind != Kind.ALIVE) {
      out.writeString(source.value());
    }
  }

  static SwimClaim read(WireReader in) {
    int code = in.readByte();
    Kind kind =
        switch (code) {
          case 0 -> Kind.ALIVE;
          case 1 -> Kind.SUSPECT;
          case 2 -> Kind.DEAD;
          default -> throw new WireFormatException("a claim of unknown kind " + code);
        };
    NodeId node = in.readNode();
    SwimIncarnation incarnation = readIncarnation(in);
    return new SwimClaim(kind, node, incarnation, kind == Kind.ALIVE ? node : in.readNode());
  }

  static void writeIncarnation(WireWriter out, SwimIncarnation incarnation) {
    out.writeVarLong(incarnation.life()).writeVarLong(incarnation.refutations());
  }

  static SwimIncarnation readIncarnation(WireReader in) {
    long life = in.readVarLong();
    long refutations = in.readVarLong();
    if (refutations < 0 || refutations > REFUTATIONS_MAX) {
      throw new WireFormatException(refutations + " refutations");
    }
    return new SwimIncarnation(life, refutations);
  }
}
