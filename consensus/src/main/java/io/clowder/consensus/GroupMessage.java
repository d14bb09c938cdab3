// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * What the drivers of a group say to each other, besides carrying the messages of their cores. Each
 * goes under a {@link Header}.
 */
sealed interface GroupMessage {
  /** Kind of a message of the cores, whose bytes the protocol's codec reads. */
  int PROTOCOL = 1;

  /** Longest reason of a {@link Busy}, in bytes. */
  int REASON_BYTES = 512;

  /**
   * Says what the message belongs to.
   *
   * @param segment the segment's number
   * @param incarnation the segment's incarnation
   * @param directory the incarnation of the sender's directory: a wiped node is a new node
   */
  record Header(int segment, long incarnation, long directory) {
    private static final int VERSION = 1;

    void write(WireWriter out) {
      out.writeByte(VERSION).writeVarLong(segment).writeLong(incarnation).writeLong(directory);
    }

    static Header read(WireReader in) {
      int version = in.readByte();
      if (version != VERSION) {
        throw new WireFormatException("group message of version " + version);
      }
      return new Header((int) in.readVarLong(), in.readLong(), in.readLong());
    }
  }

  /** To the leader: propose these envelopes. */
  record Forward(List<byte[]> envelopes) implements GroupMessage {}

  /** From a leader that takes nothing now, and why. */
  record Busy(String reason) implements GroupMessage {}

  /** To the leader: from which position on is a read linearizable? */
  record ReadAt(long id) implements GroupMessage {}

  /** From the leader: once {@code position} is applied. */
  record ReadFrom(long id, long position) implements GroupMessage {}

  /**
   * To the leader: this session is alive; {@code id} is when that was sent, by its node's clock.
   */
  record Renew(long session, long id) implements GroupMessage {}

  /** From the leader, which still led after it got the renewal: {@code alive} or ended. */
  record Renewed(long session, long id, boolean alive) implements GroupMessage {}

  /** To a laggard: here is a snapshot. */
  record Offer(long position, long size) implements GroupMessage {}

  /** To the owner of the snapshot: go on from {@code offset}. */
  record Want(long position, long offset) implements GroupMessage {}

  /** A piece of a snapshot; the checksum is that of the whole. */
  record Chunk(long position, long offset, long size, int checksum, byte[] bytes)
      implements GroupMessage {}

  /** To a node whose directory is not the one the group knows under its name. */
  record Stranger(long expected) implements GroupMessage {}

  /** Kind and fields. */
  default void write(WireWriter out) {
    if (this instanceof Forward m) {
      out.writeByte(2).writeVarLong(m.envelopes.size());
      m.envelopes.forEach(out::writeBytes);
    } else if (this instanceof ReadAt m) {
      out.writeByte(3).writeVarLong(m.id);
    } else if (this instanceof ReadFrom m) {
      out.writeByte(4).writeVarLong(m.id).writeVarLong(m.position);
    } else if (this instanceof Renew m) {
      out.writeByte(5).writeVarLong(m.session).writeVarLong(m.id);
    } else if (this instanceof Renewed m) {
      out.writeByte(6).writeVarLong(m.session).writeVarLong(m.id).writeBoolean(m.alive);
    } else if (this instanceof Offer m) {
      out.writeByte(7).writeVarLong(m.position).writeVarLong(m.size);
    } else if (this instanceof Want m) {
      out.writeByte(8).writeVarLong(m.position).writeVarLong(m.offset);
    } else if (this instanceof Chunk m) {
      out.writeByte(9).writeVarLong(m.position).writeVarLong(m.offset).writeVarLong(m.size);
      out.writeInt(m.checksum).writeBytes(m.bytes);
    } else if (this instanceof Stranger m) {
      out.writeByte(10).writeLong(m.expected);
    } else if (this instanceof Busy m) {
      out.writeByte(11).writeString(m.reason);
    } else {
      throw new AssertionError(this);
    }
  }

  /** Reads the fields of a message of {@code kind}, which is not {@link #PROTOCOL}. */
  static GroupMessage read(int kind, WireReader in) {
    GroupMessage message =
        switch (kind) {
          case 2 -> new Forward(readEnvelopes(in));
          case 3 -> new ReadAt(in.readVarLong());
          case 4 -> new ReadFrom(in.readVarLong(), in.readVarLong());
          case 5 -> new Renew(in.readVarLong(), in.readVarLong());
          case 6 -> new Renewed(in.readVarLong(), in.readVarLong(), in.readBoolean());
          case 7 -> new Offer(in.readVarLong(), in.readVarLong());
          case 8 -> new Want(in.readVarLong(), in.readVarLong());
          case 9 ->
              new Chunk(
                  in.readVarLong(),
                  in.readVarLong(),
                  in.readVarLong(),
                  in.readInt(),
                  in.readBytes(Limits.SNAPSHOT_CHUNK_BYTES));
          case 10 -> new Stranger(in.readLong());
          case 11 -> new Busy(in.readString(REASON_BYTES));
          default -> throw new WireFormatException("group message of kind " + kind);
        };
    in.expectEnd();
    return message;
  }

  private static List<byte[]> readEnvelopes(WireReader in) {
    int count = in.readCount();
    List<byte[]> envelopes = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      envelopes.add(in.readBytes(Limits.FRAME_BYTES));
    }
    return envelopes;
  }
}
