// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.replication.ReplicaMessage.Append;
import java.nio.ByteBuffer;

/** What nodes send each other about a store: a byte of kind, a byte of version, the fields. */
sealed interface StoreMessage {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** Where messages about a store go. */
  static String topic(String store) {
    return "store/" + store;
  }

  /**
   * One replica to another.
   *
   * @param from incarnation of the sender's replica
   * @param to incarnation of the receiver's; another one must not take it
   */
  record Between(long from, long to, ReplicaMessage message) implements StoreMessage {}

  /** A clerk to a copy; the number is the clerk's. */
  record Ask(long number, Question question) implements StoreMessage {}

  /** What the copy says to that. */
  record Told(long number, Reply reply) implements StoreMessage {}

  /** A part of the snapshot up to a record is wanted. */
  record AskPart(long seq, long offset) implements StoreMessage {}

  /** Here it is; empty if there is no such snapshot any more. */
  record TellPart(long seq, long offset, byte[] bytes) implements StoreMessage {}

  /** The bytes of this message. */
  default ByteBuffer encode() {
    WireWriter out = new WireWriter(room());
    if (this instanceof Between between) {
      begin(out, 1).writeLong(between.from).writeLong(between.to);
      between.message.write(out);
    } else if (this instanceof Ask ask) {
      begin(out, 2).writeVarLong(ask.number);
      ask.question.write(out);
    } else if (this instanceof Told told) {
      begin(out, 3).writeVarLong(told.number);
      told.reply.write(out);
    } else if (this instanceof AskPart part) {
      begin(out, 4).writeVarLong(part.seq).writeVarLong(part.offset);
    } else if (this instanceof TellPart part) {
      begin(out, 5).writeVarLong(part.seq).writeVarLong(part.offset).writeBytes(part.bytes);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
    return out.toBuffer();
  }

  /** Enough for the large ones, which are not to be copied while they are written. */
  private int room() {
    if (this instanceof Between between && between.message instanceof Append append) {
      int room = 256;
      for (LogRecord record : append.records()) {
        room += record.size() + 8;
      }
      return room;
    }
    return this instanceof TellPart part ? part.bytes.length + 64 : 256;
  }

  private static WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION);
  }

  /** What is in an array already is not copied. */
  private static WireReader reader(ByteBuffer payload) {
    if (payload.hasArray()) {
      return new WireReader(
          payload.array(), payload.arrayOffset() + payload.position(), payload.remaining());
    }
    byte[] bytes = new byte[payload.remaining()];
    payload.get(bytes);
    return new WireReader(bytes);
  }

  /**
   * Reads a message.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static StoreMessage decode(ByteBuffer payload) {
    WireReader in = reader(payload);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("message of kind " + kind + " in version " + version);
    }
    StoreMessage message =
        switch (kind) {
          case 1 -> new Between(in.readLong(), in.readLong(), ReplicaMessage.read(in));
          case 2 -> new Ask(in.readVarLong(), Question.read(in));
          case 3 -> new Told(in.readVarLong(), Reply.read(in));
          case 4 -> new AskPart(in.readVarLong(), in.readVarLong());
          case 5 ->
              new TellPart(
                  in.readVarLong(), in.readVarLong(), in.readBytes(Limits.SNAPSHOT_CHUNK_BYTES));
          default -> throw new WireFormatException("message of unknown kind " + kind);
        };
    in.expectEnd();
    return message;
  }
}
