// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;

/** What a node says to a {@link Question}. */
sealed interface Reply {
  /** To a write or a read. */
  record Answered(Answer answer) implements Reply {}

  /** To any question. */
  record Refused(Refusal reason, Outcome outcome) implements Reply {}

  /** To handing over and to retiring: it has begun. */
  record Begun() implements Reply {}

  /**
   * To describing.
   *
   * @param life the run of the replica's process
   * @param epoch of the last record
   * @param end the last record
   * @param isFetching whether a snapshot is on its way to it
   */
  record Described(
      ReplicaId replica, long life, long epoch, long end, long commit, boolean isFetching)
      implements Reply {}

  /**
   * To a digest.
   *
   * @param digest SHA-256 of its entries in hexadecimal, empty if it has not come to that write
   *     yet, or does not remember it
   * @param problem what is wrong with its disk; empty if nothing is
   */
  record Digested(String digest, String problem) implements Reply {}

  /** Writes it. */
  default void write(WireWriter out) {
    if (this instanceof Answered answered) {
      Answer.write(answered.answer, out.writeByte(1));
    } else if (this instanceof Refused refused) {
      out.writeByte(2).writeString(refused.reason.name()).writeString(refused.outcome.name());
    } else if (this instanceof Begun) {
      out.writeByte(3);
    } else if (this instanceof Described it) {
      it.replica.write(out.writeByte(4));
      out.writeLong(it.life).writeVarLong(it.epoch).writeVarLong(it.end).writeVarLong(it.commit);
      out.writeBoolean(it.isFetching);
    } else if (this instanceof Digested digested) {
      out.writeByte(5).writeString(digested.digest).writeString(digested.problem);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
  }

  /** Reads what {@link #write} wrote. */
  static Reply read(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 -> new Answered(Answer.read(in));
      case 2 -> new Refused(one(Refusal.class, in), one(Outcome.class, in));
      case 3 -> new Begun();
      case 4 ->
          new Described(
              ReplicaId.read(in),
              in.readLong(),
              in.readVarLong(),
              in.readVarLong(),
              in.readVarLong(),
              in.readBoolean());
      case 5 -> new Digested(in.readString(128), in.readString(4_096));
      default -> throw new WireFormatException("reply of unknown kind " + kind);
    };
  }

  private static <T extends Enum<T>> T one(Class<T> type, WireReader in) {
    String name = in.readString(32);
    try {
      return Enum.valueOf(type, name);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException("no " + type.getSimpleName() + " is called " + name);
    }
  }
}
