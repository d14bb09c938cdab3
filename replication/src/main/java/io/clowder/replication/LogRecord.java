// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One place of the operation log. It says what a write did, not what was asked for, so that to
 * replay it needs no judgement and may be done twice. Two records with the same epoch and number
 * are the same record: an epoch has one primary in one life.
 *
 * @param seq its number, from 1 without gaps
 * @param effects what changes, in order; none for a conflict, and for the opening of an epoch
 */
record LogRecord(
    long epoch, long seq, RequestId request, List<Effect> effects, Answer.Written result) {
  private static final int VERSION = 1;

  /** A key gets a value, or none. */
  record Effect(String key, byte @Nullable [] value) {}

  LogRecord {
    effects = List.copyOf(effects);
  }

  /** The first record of an epoch, which shows where it begins. */
  static LogRecord opening(long epoch, long seq) {
    return new LogRecord(epoch, seq, RequestId.NONE, List.of(), new Answer.Changed(seq));
  }

  /** Bytes that it takes, more or less. */
  int size() {
    int size = 64;
    for (Effect effect : effects) {
      size += 16 + effect.key.length() + (effect.value == null ? 0 : effect.value.length);
    }
    return size;
  }

  /** Its bytes, the last four of which are a checksum of the others. */
  byte[] encode() {
    WireWriter out = new WireWriter(128);
    out.writeByte(VERSION).writeVarLong(epoch).writeVarLong(seq);
    out.writeLong(request.client()).writeVarLong(request.number());
    Answer.write(result, out);
    out.writeVarLong(effects.size());
    for (Effect effect : effects) {
      out.writeString(effect.key).writeBoolean(effect.value != null);
      if (effect.value != null) {
        out.writeBytes(effect.value);
      }
    }
    return out.writeInt(checksum(out.array(), out.size())).toByteArray();
  }

  /**
   * Reads a record.
   *
   * @throws WireFormatException if the bytes are none, over a limit, or not what was written
   */
  static LogRecord decode(byte[] bytes) {
    int length = bytes.length - 4;
    if (length < 0 || new WireReader(bytes, length, 4).readInt() != checksum(bytes, length)) {
      throw new WireFormatException("a record whose checksum is wrong");
    }
    WireReader in = new WireReader(bytes, 0, length);
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("record in version " + version);
    }
    long epoch = in.readVarLong();
    long seq = in.readVarLong();
    RequestId request = new RequestId(in.readLong(), in.readVarLong());
    Answer.Written result = Answer.read(in);
    List<Effect> effects = new ArrayList<>();
    for (int left = in.readCount(); left > 0; left--) {
      String key = in.readString(Limits.KEY_BYTES);
      effects.add(new Effect(key, in.readBoolean() ? in.readBytes(Limits.VALUE_BYTES) : null));
    }
    in.expectEnd();
    if (epoch < 1 || seq < 1) {
      throw new WireFormatException("record " + seq + " of epoch " + epoch);
    }
    return new LogRecord(epoch, seq, request, effects, result);
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
