// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;

/**
 * What two nodes say to each other before the first message. Each begins with the magic number and
 * the version of everything that follows on the connection.
 */
sealed interface Greeting {
  /** "CLWD". */
  int MAGIC = 0x434C5744;

  /** 2: a hello says of which lane the connection is. */
  int VERSION = 2;

  /** Longest cluster name, in bytes of UTF-8. */
  int CLUSTER_BYTES_MAX = 200;

  /** Longest reason of a refusal, in bytes of UTF-8. */
  int REASON_BYTES_MAX = 512;

  /** A hello is filled up to this size, so that no answer to a stranger is larger. */
  int HELLO_BYTES = 5 + 2 + REASON_BYTES_MAX + 1;

  /**
   * Of the one who dials.
   *
   * @param incarnation of its directory
   * @param run a random number of this start of its transport
   * @param to whom it means to reach
   * @param lane which of its connections to that node this is
   */
  record Hello(String cluster, NodeId from, long incarnation, long run, NodeId to, Lane lane)
      implements Greeting {}

  /** The answer, with the same names and numbers seen from the other side. */
  record Welcome(String cluster, NodeId from, long incarnation, long run, NodeId to)
      implements Greeting {}

  /** The other answer, a sentence for people. */
  record Refused(String reason) implements Greeting {}

  /** The whole frame of this greeting. */
  default ByteBuffer toFrame() {
    WireWriter out = new WireWriter(HELLO_BYTES).writeInt(MAGIC).writeByte(VERSION);
    if (this instanceof Hello hello) {
      writeNames(out, hello.cluster(), hello.from(), hello.incarnation(), hello.run(), hello.to());
      out.writeByte(hello.lane().code());
      out.writeRaw(new byte[HELLO_BYTES], 0, HELLO_BYTES - out.size());
      return Frame.of(Frame.HELLO, out.toByteArray());
    }
    if (this instanceof Welcome it) {
      writeNames(out, it.cluster(), it.from(), it.incarnation(), it.run(), it.to());
      return Frame.of(Frame.WELCOME, out.toByteArray());
    }
    if (this instanceof Refused refused) {
      out.writeString(Problem.line(refused.reason()));
      return Frame.of(Frame.REFUSED, out.toByteArray());
    }
    throw new AssertionError("no such greeting: " + this);
  }

  /**
   * Reads the content of a frame of one of the three types.
   *
   * @throws WireFormatException if it is none, or of another version; the message repeats nothing
   *     of what was sent
   */
  static Greeting read(int type, ByteBuffer content) {
    WireReader in =
        new WireReader(
            content.array(), content.arrayOffset() + content.position(), content.remaining());
    if (in.readInt() != MAGIC) {
      throw new WireFormatException("this is not the language of these nodes");
    }
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("version " + version + " meets version " + VERSION);
    }
    if (type == Frame.HELLO) {
      // What is left is padding.
      return new Hello(
          cluster(in),
          in.readNode(),
          in.readLong(),
          in.readLong(),
          in.readNode(),
          Lane.of(in.readByte()));
    }
    Greeting answer;
    if (type == Frame.WELCOME) {
      answer = new Welcome(cluster(in), in.readNode(), in.readLong(), in.readLong(), in.readNode());
    } else if (type == Frame.REFUSED) {
      answer = new Refused(Problem.line(in.readString(REASON_BYTES_MAX)));
    } else {
      throw new WireFormatException("a frame of type " + type + " before the greeting");
    }
    in.expectEnd();
    return answer;
  }

  private static void writeNames(
      WireWriter out, String cluster, NodeId from, long incarnation, long run, NodeId to) {
    out.writeString(cluster).writeString(from.value());
    out.writeLong(incarnation).writeLong(run).writeString(to.value());
  }

  private static String cluster(WireReader in) {
    return in.readString(CLUSTER_BYTES_MAX);
  }
}
