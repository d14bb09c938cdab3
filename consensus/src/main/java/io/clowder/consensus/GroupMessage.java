// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

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
   * @param segment the segment's number: of the core's messages their own, of the driver's that of
   *     the segment that the sender's state is in; -1 if it has none
   * @param incarnation the segment's incarnation
   * @param directory the incarnation of the sender's directory: a wiped node is a new node
   */
  record Header(int segment, long incarnation, long directory) {
    private static final int VERSION = 1;

    void write(WireWriter out) {
      out.writeByte(VERSION).writeVarLong(segment + 1L).writeLong(incarnation).writeLong(directory);
    }

    static Header read(WireReader in) {
      int version = in.readByte();
      if (version != VERSION) {
        throw new WireFormatException("group message of version " + version);
      }
      return new Header((int) in.readVarLong() - 1, in.readLong(), in.readLong());
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

  /** To one who is to be a member of a next segment: could you take part? */
  record Ask(long id, String protocol, SortedMap<String, String> parameters, List<NodeId> members)
      implements GroupMessage {
    public Ask {
      parameters = Collections.unmodifiableSortedMap(new TreeMap<>(parameters));
      members = List.copyOf(members);
    }
  }

  /** What the sender lacks to take part, or empty. */
  record Answer(long id, String lack) implements GroupMessage {}

  /**
   * How far the sender is, while there is more than one segment or it has no leader. The header
   * says which segment its state is in.
   *
   * @param applied the last position applied
   * @param covered the last position that a durable snapshot covers
   * @param newest number of the newest segment that it has open, -1 if none
   * @param leads whether it leads that one, and has had something decided there
   */
  record Report(long applied, long covered, int newest, boolean leads) implements GroupMessage {}

  /** To one who is not a member any more since segment {@code number}. */
  record Removed(int number, long position) implements GroupMessage {}

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
    } else if (this instanceof Ask m) {
      out.writeByte(12).writeVarLong(m.id).writeString(m.protocol);
      out.writeVarLong(m.parameters.size());
      m.parameters.forEach((name, value) -> out.writeString(name).writeString(value));
      out.writeVarLong(m.members.size());
      m.members.forEach(member -> out.writeString(member.value()));
    } else if (this instanceof Answer m) {
      out.writeByte(13).writeVarLong(m.id).writeString(m.lack);
    } else if (this instanceof Report m) {
      out.writeByte(14).writeVarLong(m.applied).writeVarLong(m.covered);
      out.writeVarLong(m.newest + 1).writeBoolean(m.leads);
    } else if (this instanceof Removed m) {
      out.writeByte(15).writeVarLong(m.number).writeVarLong(m.position);
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
          case 12 -> readAsk(in);
          case 13 -> new Answer(in.readVarLong(), in.readString(REASON_BYTES));
          case 14 ->
              new Report(
                  in.readVarLong(), in.readVarLong(), (int) in.readVarLong() - 1, in.readBoolean());
          case 15 -> new Removed((int) in.readVarLong(), in.readVarLong());
          default -> throw new WireFormatException("group message of kind " + kind);
        };
    in.expectEnd();
    return message;
  }

  private static Ask readAsk(WireReader in) {
    try {
      return readAskFields(in);
    } catch (IllegalArgumentException e) {
      throw new WireFormatException("a question: " + e.getMessage());
    }
  }

  private static Ask readAskFields(WireReader in) {
    long id = in.readVarLong();
    String protocol = in.readString(64);
    SortedMap<String, String> parameters = new TreeMap<>();
    for (int i = in.readCount(); i > 0; i--) {
      parameters.put(in.readString(64), in.readString(256));
    }
    List<NodeId> members = new ArrayList<>();
    for (int i = in.readCount(); i > 0; i--) {
      members.add(new NodeId(in.readString(64)));
    }
    return new Ask(id, protocol, parameters, members);
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
