// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.replication.OperationLog.Beginning;
import java.util.ArrayList;
import java.util.List;

/** What replicas say to each other: a byte of kind, a byte of version, the epoch, the fields. */
sealed interface ReplicaMessage {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The sender's epoch; one that is not the receiver's is of no use to it. */
  long epoch();

  /**
   * When this was sent, by the sender's clock, and the latest such stamp that it has from the
   * receiver. A lease counts from the stamp that came back: from before the other promised it.
   *
   * @param life the run of the sender's process, whose clock the stamp is of
   * @param echoLife the run of the receiver's process that the echo is of; 0 if there is none yet
   */
  record Stamps(long life, long stamp, long echoLife, long echo) {
    /** Of nobody. */
    static final Stamps NONE = new Stamps(0, 0, 0, 0);

    private void write(WireWriter out) {
      out.writeLong(life).writeLong(stamp).writeLong(echoLife).writeLong(echo);
    }

    private static Stamps read(WireReader in) {
      return new Stamps(in.readLong(), in.readLong(), in.readLong(), in.readLong());
    }
  }

  /**
   * The primary's records, maybe none, and its heartbeat.
   *
   * @param asks whether it is to be acknowledged, though it has no records
   * @param grants whether the receiver may answer reads by itself, from the echoed stamp on
   * @param prevEpoch epoch of the record before, as in Raft, section 5.3
   * @param commit all up to here is committed
   */
  record Append(
      long epoch,
      Stamps stamps,
      boolean asks,
      boolean grants,
      long prevEpoch,
      long prevSeq,
      long commit,
      List<LogRecord> records)
      implements ReplicaMessage {
    /** The most records in one message. */
    static final int RECORDS_MAX = 256;

    public Append {
      records = List.copyOf(records);
    }
  }

  /**
   * What a backup has on disk of the primary's log.
   *
   * @param grants whether the receiver may take itself for the primary, from the echoed stamp on
   * @param history of the backup's log, if that does not fit what was sent; else empty
   * @param end where that log ends
   */
  record Ack(
      long epoch,
      Stamps stamps,
      boolean grants,
      long persisted,
      boolean isMismatch,
      List<Beginning> history,
      long end)
      implements ReplicaMessage {
    public Ack {
      history = List.copyOf(history);
    }
  }

  /**
   * The primary's log begins after what the receiver has: it must fetch a snapshot.
   *
   * @param seq the record up to which the snapshot is
   * @param size of the snapshot's bytes
   * @param checksum CRC32C of them
   */
  record Offer(long epoch, Stamps stamps, long seq, long size, int checksum)
      implements ReplicaMessage {}

  /** A backup asks how far it has to be to answer a read. */
  record AskCommit(long epoch, long token) implements ReplicaMessage {}

  /** This far. */
  record TellCommit(long epoch, long token, long commit) implements ReplicaMessage {}

  /** The bytes of this message. */
  default byte[] encode() {
    WireWriter out = new WireWriter(128);
    write(out);
    return out.toByteArray();
  }

  /** Writes the bytes of this message. */
  default void write(WireWriter out) {
    if (this instanceof Append append) {
      begin(out, 1);
      append.stamps.write(out);
      out.writeBoolean(append.asks).writeBoolean(append.grants).writeVarLong(append.prevEpoch);
      out.writeVarLong(append.prevSeq).writeVarLong(append.commit);
      out.writeVarLong(append.records.size());
      append.records.forEach(it -> it.write(out.writeVarLong(it.size())));
    } else if (this instanceof Ack ack) {
      begin(out, 2);
      ack.stamps.write(out);
      out.writeBoolean(ack.grants).writeVarLong(ack.persisted).writeBoolean(ack.isMismatch);
      out.writeVarLong(ack.history.size());
      ack.history.forEach(it -> out.writeVarLong(it.epoch()).writeVarLong(it.seq()));
      out.writeVarLong(ack.end);
    } else if (this instanceof AskCommit ask) {
      begin(out, 3).writeVarLong(ask.token);
    } else if (this instanceof TellCommit tell) {
      begin(out, 4).writeVarLong(tell.token).writeVarLong(tell.commit);
    } else if (this instanceof Offer offer) {
      begin(out, 5);
      offer.stamps.write(out);
      out.writeVarLong(offer.seq).writeVarLong(offer.size).writeInt(offer.checksum);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
  }

  private WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION).writeVarLong(epoch());
  }

  /**
   * Reads a message.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static ReplicaMessage decode(byte[] bytes) {
    return read(new WireReader(bytes));
  }

  /** As {@link #decode}, of all that is left to read. */
  static ReplicaMessage read(WireReader in) {
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("message of kind " + kind + " in version " + version);
    }
    long epoch = in.readVarLong();
    ReplicaMessage message =
        switch (kind) {
          case 1 ->
              new Append(
                  epoch,
                  Stamps.read(in),
                  in.readBoolean(),
                  in.readBoolean(),
                  in.readVarLong(),
                  in.readVarLong(),
                  in.readVarLong(),
                  readRecords(in));
          case 2 ->
              new Ack(
                  epoch,
                  Stamps.read(in),
                  in.readBoolean(),
                  in.readVarLong(),
                  in.readBoolean(),
                  readHistory(in),
                  in.readVarLong());
          case 3 -> new AskCommit(epoch, in.readVarLong());
          case 4 -> new TellCommit(epoch, in.readVarLong(), in.readVarLong());
          case 5 ->
              new Offer(epoch, Stamps.read(in), in.readVarLong(), in.readVarLong(), in.readInt());
          default -> throw new WireFormatException("message of unknown kind " + kind);
        };
    in.expectEnd();
    return message;
  }

  private static List<LogRecord> readRecords(WireReader in) {
    int count = in.readCount();
    if (count > Append.RECORDS_MAX) {
      throw new WireFormatException(count + " records in one message");
    }
    List<LogRecord> records = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      records.add(LogRecord.decode(in.readBuffer(Limits.RECORD_BYTES)));
    }
    return records;
  }

  private static List<Beginning> readHistory(WireReader in) {
    List<Beginning> history = new ArrayList<>();
    for (int left = in.readCount(); left > 0; left--) {
      history.add(new Beginning(in.readVarLong(), in.readVarLong()));
    }
    return history;
  }
}
