// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What detectors of two nodes say to each other: a byte of version, the head, a byte of kind, the
 * fields. Each message is about its sender's present life and says what it wants of the other one,
 * so that whatever got lost is made good by the next one.
 */
record Signal(Head head, Body body) {
  /** Topic of the transport. */
  static final String TOPIC = "fd";

  /** Parts that are not well, of which others are told by name. */
  static final int UNWELL_MAX = 8;

  /** Longest name of such a part, in bytes of UTF-8. */
  static final int NAME_BYTES = 64;

  /** Longest addition of an algorithm, in bytes. */
  static final int GOSSIP_BYTES = 8 << 10;

  /** Incarnations and counts are at most this. */
  private static final long LARGEST = 1L << 52;

  /** Times in milliseconds are at most this, a year or so. */
  private static final long LONGEST_MILLIS = 1L << 35;

  private static final int VERSION = 1;
  private static final int DEGRADED = 1;
  private static final int DEAF = 2;

  /**
   * What every message says.
   *
   * @param incarnation the sender's life, 1 or more
   * @param accepts the least incarnation of the receiver that the sender takes for alive; 0 for any
   * @param wantedMillis the time between heartbeats that the sender wants of the receiver; 0: none
   * @param isDegraded whether the sender stalled lately
   * @param isDeaf whether what the receiver sends does not reach the sender, but by others
   * @param unwell parts of the sender that say they are not alive
   */
  record Head(
      long incarnation,
      long accepts,
      long wantedMillis,
      boolean isDegraded,
      boolean isDeaf,
      List<String> unwell) {
    Head {
      unwell = List.copyOf(unwell);
      for (String part : unwell) {
        if (part.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES) {
          throw new IllegalArgumentException("'" + part + "' is over " + NAME_BYTES + " bytes");
        }
      }
    }
  }

  /** What this message says besides. */
  sealed interface Body {}

  /**
   * A sign of life that was due.
   *
   * @param sequence counts those from the sender's life to the receiver, from 1
   * @param intervalMillis the time between two of them that the sender keeps to; 0 if the receiver
   *     wants none and this one is but news
   * @param stamp the sender's clock, any origin
   * @param echo the last stamp of the receiver's; 0 if there is none
   * @param heldNanos how long ago that one came in
   */
  record Heartbeat(long sequence, long intervalMillis, long stamp, long echo, long heldNanos)
      implements Body {}

  /** Asks for a {@link Pong} with the same token. */
  record Ping(long token, byte[] gossip) implements Body {
    Ping {
      checkGossip(gossip);
    }
  }

  /** The answer. */
  record Pong(long token, byte[] gossip) implements Body {
    Pong {
      checkGossip(gossip);
    }
  }

  /** Asks the receiver to ping the target. */
  record PingRequest(long token, NodeId target, long withinMillis) implements Body {}

  /** What came of it; {@code incarnation} is the target's, 0 if it did not answer in time. */
  record Relayed(long token, NodeId target, long incarnation) implements Body {}

  /** What the sender's algorithm tells the receiver's. */
  record Gossip(byte[] gossip) implements Body {
    Gossip {
      checkGossip(gossip);
    }
  }

  /** The sender's life ends. */
  record Goodbye() implements Body {}

  private static void checkGossip(byte[] gossip) {
    if (gossip.length > GOSSIP_BYTES) {
      throw new IllegalArgumentException(
          "gossip of " + gossip.length + " bytes: at most " + GOSSIP_BYTES);
    }
  }

  ByteBuffer encode() {
    WireWriter out = new WireWriter(64);
    out.writeByte(VERSION)
        .writeVarLong(head.incarnation)
        .writeVarLong(head.accepts)
        .writeVarLong(head.wantedMillis)
        .writeByte((head.isDegraded ? DEGRADED : 0) | (head.isDeaf ? DEAF : 0))
        .writeVarLong(head.unwell.size());
    head.unwell.forEach(out::writeString);
    if (body instanceof Heartbeat it) {
      out.writeByte(1)
          .writeVarLong(it.sequence)
          .writeVarLong(it.intervalMillis)
          .writeLong(it.stamp)
          .writeLong(it.echo)
          .writeVarLong(it.heldNanos);
    } else if (body instanceof Ping it) {
      out.writeByte(2).writeLong(it.token).writeBytes(it.gossip);
    } else if (body instanceof Pong it) {
      out.writeByte(3).writeLong(it.token).writeBytes(it.gossip);
    } else if (body instanceof PingRequest it) {
      out.writeByte(4)
          .writeLong(it.token)
          .writeString(it.target.value())
          .writeVarLong(it.withinMillis);
    } else if (body instanceof Relayed it) {
      out.writeByte(5)
          .writeLong(it.token)
          .writeString(it.target.value())
          .writeVarLong(it.incarnation);
    } else if (body instanceof Gossip it) {
      out.writeByte(6).writeBytes(it.gossip);
    } else if (body instanceof Goodbye) {
      out.writeByte(7);
    } else {
      throw new AssertionError("cannot encode " + body.getClass());
    }
    return out.toBuffer();
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws WireFormatException for what no detector would send
   */
  static Signal decode(ByteBuffer in) {
    byte[] bytes = new byte[in.remaining()];
    in.get(bytes);
    WireReader reader = new WireReader(bytes);
    int version = reader.readByte();
    if (version != VERSION) {
      throw new WireFormatException("signal of version " + version);
    }
    Signal signal = new Signal(readHead(reader), readBody(reader));
    reader.expectEnd();
    return signal;
  }

  private static Head readHead(WireReader in) {
    long incarnation = readNumber(in, "incarnation");
    if (incarnation == 0) {
      throw new WireFormatException("signal of no incarnation");
    }
    long accepts = readNumber(in, "accepted incarnation");
    long wanted = readMillis(in, "wanted interval");
    int flags = in.readByte();
    if (flags > (DEGRADED | DEAF)) {
      throw new WireFormatException("signal with flags " + flags);
    }
    long count = in.readVarLong();
    if (count < 0 || count > UNWELL_MAX) {
      throw new WireFormatException("signal with " + count + " unwell parts");
    }
    List<String> unwell = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      unwell.add(in.readString(NAME_BYTES));
    }
    return new Head(
        incarnation, accepts, wanted, (flags & DEGRADED) != 0, (flags & DEAF) != 0, unwell);
  }

  private static Body readBody(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 ->
          new Heartbeat(
              readNumber(in, "sequence"),
              readMillis(in, "interval"),
              in.readLong(),
              in.readLong(),
              readNumber(in, "held time"));
      case 2 -> new Ping(in.readLong(), in.readBytes(GOSSIP_BYTES));
      case 3 -> new Pong(in.readLong(), in.readBytes(GOSSIP_BYTES));
      case 4 -> new PingRequest(in.readLong(), in.readNode(), readMillis(in, "time"));
      case 5 -> new Relayed(in.readLong(), in.readNode(), readNumber(in, "incarnation"));
      case 6 -> new Gossip(in.readBytes(GOSSIP_BYTES));
      case 7 -> new Goodbye();
      default -> throw new WireFormatException("signal of unknown kind " + kind);
    };
  }

  private static long readNumber(WireReader in, String what) {
    return readNumber(in, what, LARGEST);
  }

  private static long readMillis(WireReader in, String what) {
    return readNumber(in, what, LONGEST_MILLIS);
  }

  private static long readNumber(WireReader in, String what, long most) {
    long number = in.readVarLong();
    if (number < 0 || number > most) {
      throw new WireFormatException("signal with the " + what + " " + number);
    }
    return number;
  }
}
