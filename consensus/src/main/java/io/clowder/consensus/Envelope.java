// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the log of a group holds: one byte of kind, eight bytes of time that the leader fills in,
 * then the fields. An empty command is the protocol's own and stands for nothing.
 */
sealed interface Envelope {
  /** Where the leader writes the time, by {@link #stamp}. */
  int TIME_OFFSET = 1;

  /** Kinds. */
  int OPEN = 1;

  int COMMAND = 2;
  int EXPIRE = 3;
  int PREPARE = 4;
  int SEAL = 5;
  int ABANDON = 6;

  /** Longest reason of an {@link Abandon}, in bytes. */
  int REASON_BYTES = 1024;

  /** Longest name of a machine, in bytes. */
  int MACHINE_BYTES = 64;

  /**
   * A node begins a session; ends the sessions of its earlier lives.
   *
   * @param incarnation of the node's directory
   * @param nonce drawn by the node, so that it knows its session again, and asking twice opens one
   * @param ttlMillis how long the session lives without being renewed
   */
  record Open(NodeId node, long incarnation, long nonce, int ttlMillis) implements Envelope {}

  /**
   * A command for a machine.
   *
   * @param sequence of this session, from 1
   * @param acknowledged the session needs no result of a smaller sequence any more
   */
  record Command(long session, long sequence, long acknowledged, String machine, byte[] payload)
      implements Envelope {}

  /** The leader has not heard of the session for its time. */
  record Expire(long session) implements Envelope {}

  /**
   * The group is to go on in {@code next}, whose number must be the one after the last that was
   * prepared: so a copy that comes late means nothing.
   *
   * @param directories of the members: who they are besides their names
   * @param patienceMillis how long a leader waits for the stand-by before it abandons it
   */
  record Prepare(Segment next, SortedMap<NodeId, Long> directories, int patienceMillis)
      implements Envelope {}

  /** The first one in the log that fits what is prepared ends the segment, with itself. */
  record Seal(int number, long incarnation) implements Envelope {}

  /** What is prepared will not be: the stand-by was not ready in time. */
  record Abandon(int number, long incarnation, String reason) implements Envelope {}

  /** The bytes of this envelope, with no time yet. */
  default byte[] encode() {
    if (this instanceof Command command) {
      byte[] payload = command.payload;
      return new WireWriter(48 + payload.length)
          .writeByte(COMMAND)
          .writeLong(0)
          .writeLong(command.session)
          .writeVarLong(command.sequence)
          .writeVarLong(command.acknowledged)
          .writeString(command.machine)
          .writeRaw(payload, 0, payload.length)
          .toByteArray();
    }
    if (this instanceof Open open) {
      return new WireWriter(64)
          .writeByte(OPEN)
          .writeLong(0)
          .writeString(open.node.value())
          .writeLong(open.incarnation)
          .writeLong(open.nonce)
          .writeInt(open.ttlMillis)
          .toByteArray();
    }
    if (this instanceof Expire expire) {
      return new WireWriter(17)
          .writeByte(EXPIRE)
          .writeLong(0)
          .writeLong(expire.session)
          .toByteArray();
    }
    WireWriter out = new WireWriter(256);
    if (this instanceof Prepare prepare) {
      prepare.next.write(out.writeByte(PREPARE).writeLong(0));
      out.writeVarLong(prepare.directories.size());
      prepare.directories.forEach(
          (member, directory) -> out.writeString(member.value()).writeLong(directory));
      return out.writeInt(prepare.patienceMillis).toByteArray();
    }
    if (this instanceof Seal seal) {
      out.writeByte(SEAL).writeLong(0).writeVarLong(seal.number);
      return out.writeLong(seal.incarnation).toByteArray();
    }
    if (this instanceof Abandon abandon) {
      out.writeByte(ABANDON).writeLong(0).writeVarLong(abandon.number);
      return out.writeLong(abandon.incarnation).writeString(abandon.reason).toByteArray();
    }
    throw new AssertionError(this);
  }

  /** Reads an envelope and leaves out its time, which {@link #time} gives. */
  static Envelope decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    in.readLong();
    Envelope envelope =
        switch (kind) {
          case OPEN ->
              new Open(new NodeId(in.readString(64)), in.readLong(), in.readLong(), in.readInt());
          case COMMAND ->
              new Command(
                  in.readLong(),
                  in.readVarLong(),
                  in.readVarLong(),
                  in.readString(MACHINE_BYTES),
                  in.readRest());
          case EXPIRE -> new Expire(in.readLong());
          case PREPARE -> new Prepare(Segment.read(in), readDirectories(in), in.readInt());
          case SEAL -> new Seal((int) in.readVarLong(), in.readLong());
          case ABANDON ->
              new Abandon((int) in.readVarLong(), in.readLong(), in.readString(REASON_BYTES));
          default -> throw new WireFormatException("envelope of kind " + kind);
        };
    in.expectEnd();
    return envelope;
  }

  private static SortedMap<NodeId, Long> readDirectories(WireReader in) {
    SortedMap<NodeId, Long> directories = new TreeMap<>();
    for (int i = in.readCount(); i > 0; i--) {
      directories.put(new NodeId(in.readString(64)), in.readLong());
    }
    return directories;
  }

  /**
   * Whether another node may have this proposed: it opens a session, is a command, or prepares a
   * segment. What is wrong inside is found when it is applied, by every node alike.
   */
  static boolean isProposable(byte[] bytes) {
    return bytes.length > TIME_OFFSET + 8
        && bytes.length <= Limits.COMMAND_BYTES + 256
        && (bytes[0] == OPEN || bytes[0] == COMMAND || bytes[0] == PREPARE);
  }

  /** Writes the leader's time into an envelope's bytes. */
  static void stamp(byte[] bytes, long timeMillis) {
    for (int i = 0; i < 8; i++) {
      bytes[TIME_OFFSET + i] = (byte) (timeMillis >>> (56 - 8 * i));
    }
  }

  /** The leader's time in an envelope's bytes. */
  static long time(byte[] bytes) {
    return new WireReader(bytes, TIME_OFFSET, 8).readLong();
  }
}
