// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.store.RequestId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One place of the operation log. It says what a write did, not what was asked for, so that to
 * replay it needs no judgement and may be done twice. Two records with the same epoch and number
 * are the same record: an epoch has one primary in one life.
 *
 * <p>It is encoded once, by the primary: the same bytes go to every disk and over every wire.
 */
final class LogRecord {
  private static final int VERSION = 1;

  private final long epoch;
  private final long seq;
  private final RequestId request;
  private final List<Effect> effects;
  private final Answer.Written result;
  private final byte[] bytes;

  /** A key gets a value, or none. */
  record Effect(String key, byte @Nullable [] value) {}

  /**
   * A record.
   *
   * @param seq its number, from 1 without gaps
   * @param effects what changes, in order; none for a conflict, and for the opening of an epoch
   */
  LogRecord(long epoch, long seq, RequestId request, List<Effect> effects, Answer.Written result) {
    this.epoch = epoch;
    this.seq = seq;
    this.request = request;
    this.effects = List.copyOf(effects);
    this.result = result;
    this.bytes = encoded();
  }

  private LogRecord(
      long epoch,
      long seq,
      RequestId request,
      List<Effect> effects,
      Answer.Written result,
      byte[] bytes) {
    this.epoch = epoch;
    this.seq = seq;
    this.request = request;
    this.effects = effects;
    this.result = result;
    this.bytes = bytes;
  }

  /** The first record of an epoch, which shows where it begins. */
  static LogRecord opening(long epoch, long seq) {
    return new LogRecord(epoch, seq, RequestId.NONE, List.of(), new Answer.Changed(seq, false));
  }

  long epoch() {
    return epoch;
  }

  long seq() {
    return seq;
  }

  RequestId request() {
    return request;
  }

  List<Effect> effects() {
    return effects;
  }

  Answer.Written result() {
    return result;
  }

  /** Bytes that it takes. */
  int size() {
    return bytes.length;
  }

  /** Its bytes, the last four of which are a checksum of the others; not to be changed. */
  byte[] bytes() {
    return bytes;
  }

  private byte[] encoded() {
    int room = 64;
    for (Effect effect : effects) {
      room += 16 + effect.key.length() + (effect.value == null ? 0 : effect.value.length);
    }
    WireWriter out = new WireWriter(room);
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
   * Reads a record, which keeps the bytes.
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
    Answer.Written result = Answer.readWritten(in);
    int count = in.readCount();
    List<Effect> effects = new ArrayList<>(Math.min(count, 16));
    for (int left = count; left > 0; left--) {
      String key = in.readString(Contents.KEY_BYTES);
      effects.add(new Effect(key, in.readBoolean() ? in.readBytes(Limits.VALUE_BYTES) : null));
    }
    in.expectEnd();
    if (epoch < 1 || seq < 1) {
      throw new WireFormatException("record " + seq + " of epoch " + epoch);
    }
    return new LogRecord(epoch, seq, request, List.copyOf(effects), result, bytes);
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  /** What it does, for people. */
  String description() {
    if (request.equals(RequestId.NONE)) {
      return "epoch " + epoch + " begins";
    } else if (!(result instanceof Answer.Changed)) {
      return "nothing: " + result;
    }
    return effects.stream()
        .map(it -> (it.value == null ? "delete " : "put ") + it.key.replace(Contents.OWN, "own "))
        .collect(Collectors.joining(", "));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LogRecord it && Arrays.equals(bytes, it.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "record " + seq + " of epoch " + epoch + ": " + result + " for " + request;
  }
}
