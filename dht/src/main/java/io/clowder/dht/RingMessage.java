// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/** What members of a ring say to each other: a byte of kind, a byte of version, the fields. */
sealed interface RingMessage {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The most members that a lookup may have passed. */
  int PATH_MAX = 1_000;

  /** Are you there? */
  record Ping(long token) implements RingMessage {}

  /** Yes. */
  record Pong(long token) implements RingMessage {}

  /** Who are your predecessor and successors? */
  record AskState(long token) implements RingMessage {}

  /** These. */
  record State(long token, Member predecessor, Successors successors) implements RingMessage {}

  /**
   * I am here, and wait for an answer myself: what I have may be about to change. To a claim: I
   * must ask first.
   */
  record Pending(long token) implements RingMessage {}

  /** I may be your predecessor. */
  record Notify() implements RingMessage {}

  /** You are not my predecessor any more: look who is between us. */
  record Nudge() implements RingMessage {}

  /** This member is no more; said by its node. */
  record Gone(Member member) implements RingMessage {}

  /** That one was silent for long, or thought to be dead: it may belong next to you. */
  record Meet(Member stranger, int hops) implements RingMessage {}

  /** Bring this lookup on; to be answered by {@link Taken}. */
  record Route(long token, Query query) implements RingMessage {}

  /**
   * The key lies between me and you, so you own it, don't you? To be answered by {@link Taken} if
   * so, by {@link Denied}, or first by {@link Pending}.
   */
  record Claim(long token, Query query) implements RingMessage {}

  /** The lookup is in my hands. */
  record Taken(long token) implements RingMessage {}

  /** I do not own the key: this predecessor of mine is after it. */
  record Denied(long token, Member predecessor) implements RingMessage {}

  /**
   * The sender is whom the lookup sought.
   *
   * @param replicas those after it
   * @param path whom the lookup has passed, the sender last
   * @param claims how many of these were asked whether they own the key
   * @param timeouts how many did not answer
   */
  record Found(long ticket, Successors replicas, List<Member> path, int claims, int timeouts)
      implements RingMessage {
    public Found {
      path = List.copyOf(path);
    }
  }

  /** The lookup got stuck at the sender. */
  record Unfound(long ticket, Failure failure) implements RingMessage {}

  /** The bytes of this message. */
  default byte[] encode() {
    WireWriter out = new WireWriter(128);
    write(out);
    return out.toByteArray();
  }

  /** Writes the bytes of this message. */
  default void write(WireWriter out) {
    if (this instanceof Ping it) {
      begin(out, 1).writeVarLong(it.token);
    } else if (this instanceof Pong it) {
      begin(out, 2).writeVarLong(it.token);
    } else if (this instanceof AskState it) {
      begin(out, 3).writeVarLong(it.token);
    } else if (this instanceof State it) {
      begin(out, 4).writeVarLong(it.token);
      it.predecessor.write(out);
      it.successors.write(out);
    } else if (this instanceof Pending it) {
      begin(out, 5).writeVarLong(it.token);
    } else if (this instanceof Notify) {
      begin(out, 6);
    } else if (this instanceof Nudge) {
      begin(out, 7);
    } else if (this instanceof Gone it) {
      it.member.write(begin(out, 8));
    } else if (this instanceof Meet it) {
      it.stranger.write(begin(out, 9));
      out.writeVarLong(it.hops);
    } else if (this instanceof Route it) {
      it.query.write(begin(out, 10).writeVarLong(it.token));
    } else if (this instanceof Claim it) {
      it.query.write(begin(out, 11).writeVarLong(it.token));
    } else if (this instanceof Taken it) {
      begin(out, 12).writeVarLong(it.token);
    } else if (this instanceof Denied it) {
      it.predecessor.write(begin(out, 13).writeVarLong(it.token));
    } else if (this instanceof Found it) {
      it.replicas.write(begin(out, 14).writeVarLong(it.ticket));
      writePath(out, it.path);
      out.writeVarLong(it.claims).writeVarLong(it.timeouts);
    } else if (this instanceof Unfound it) {
      begin(out, 15).writeVarLong(it.ticket).writeByte(it.failure.code());
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  /**
   * Reads a message.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static RingMessage decode(byte[] bytes) {
    return read(new WireReader(bytes));
  }

  /** As {@link #decode}, of all that is left to read. */
  static RingMessage read(WireReader in) {
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("message of kind " + kind + " in version " + version);
    }
    RingMessage message =
        switch (kind) {
          case 1 -> new Ping(in.readVarLong());
          case 2 -> new Pong(in.readVarLong());
          case 3 -> new AskState(in.readVarLong());
          case 4 -> new State(in.readVarLong(), Member.read(in), Successors.read(in));
          case 5 -> new Pending(in.readVarLong());
          case 6 -> new Notify();
          case 7 -> new Nudge();
          case 8 -> new Gone(Member.read(in));
          case 9 -> new Meet(Member.read(in), readSmall(in));
          case 10 -> new Route(in.readVarLong(), Query.read(in));
          case 11 -> new Claim(in.readVarLong(), Query.read(in));
          case 12 -> new Taken(in.readVarLong());
          case 13 -> new Denied(in.readVarLong(), Member.read(in));
          case 14 ->
              new Found(
                  in.readVarLong(),
                  Successors.read(in),
                  readPath(in),
                  readSmall(in),
                  readSmall(in));
          case 15 -> new Unfound(in.readVarLong(), Failure.of(in.readByte()));
          default -> throw new WireFormatException("message of unknown kind " + kind);
        };
    in.expectEnd();
    return message;
  }

  /** Writes whom a lookup has passed. */
  static void writePath(WireWriter out, List<Member> path) {
    out.writeVarLong(path.size());
    path.forEach(it -> it.write(out));
  }

  /** Reads what {@link #writePath} wrote. */
  static List<Member> readPath(WireReader in) {
    int count = in.readCount();
    if (count > PATH_MAX) {
      throw new WireFormatException("a path of " + count + " members");
    }
    List<Member> path = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      path.add(Member.read(in));
    }
    return path;
  }

  /** A number of things that a lookup may have met. */
  static int readSmall(WireReader in) {
    long value = in.readVarLong();
    if (value < 0 || value > 1_000_000) {
      throw new WireFormatException("a count of " + value);
    }
    return (int) value;
  }
}
