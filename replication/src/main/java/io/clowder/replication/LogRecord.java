// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.store.RequestId;
import io.clowder.api.wire.Utf8;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
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
  private static final int CHECKSUM_BYTES = 4;

  private final long epoch;
  private final long seq;

  /** Its bytes, in an array in which there may be other things. */
  private final byte[] array;

  private final int offset;
  private final int size;

  /** Null while nobody needs it: a log in memory is long, and all of this is in the bytes. */
  private @Nullable Body body;

  /** A key gets a value, or none. */
  record Effect(String key, byte @Nullable [] value) {}

  private record Body(RequestId request, Answer.Written result, List<Effect> effects) {}

  /**
   * A record.
   *
   * @param seq its number, from 1 without gaps
   * @param effects what changes, in order; none for a conflict, and for the opening of an epoch
   */
  LogRecord(long epoch, long seq, RequestId request, List<Effect> effects, Answer.Written result) {
    this.epoch = epoch;
    this.seq = seq;
    Body known = new Body(request, result, List.copyOf(effects));
    WireWriter out = encoded(epoch, seq, known);
    this.body = known;
    this.array = out.array();
    this.offset = 0;
    this.size = out.size();
  }

  private LogRecord(long epoch, long seq, Body body, byte[] array, int offset, int size) {
    this.epoch = epoch;
    this.seq = seq;
    this.body = body;
    this.array = array;
    this.offset = offset;
    this.size = size;
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
    return body().request;
  }

  /** Once it is applied they are read from its bytes each time: ask once. */
  List<Effect> effects() {
    return body().effects;
  }

  Answer.Written result() {
    return body().result;
  }

  /** Whoever reads it may be on any thread: a body that is read twice is the same. */
  private Body body() {
    Body known = body;
    if (known != null) {
      return known;
    }
    WireReader in = new WireReader(array, offset + 1, size - 1 - CHECKSUM_BYTES);
    in.readVarLong(); // The epoch.
    in.readVarLong(); // The number.
    return readBody(in);
  }

  /** It was applied: what is in it is read from its bytes again, should anybody ask. */
  void settle() {
    body = null;
  }

  /** Bytes that it takes. */
  int size() {
    return size;
  }

  /** Writes its bytes, the last four of which are a checksum of the others. */
  void write(WireWriter out) {
    out.writeRaw(array, offset, size);
  }

  private static WireWriter encoded(long epoch, long seq, Body body) {
    int room = 64;
    for (Effect effect : body.effects) {
      room += 16 + Utf8.length(effect.key) + (effect.value == null ? 0 : effect.value.length);
    }
    WireWriter out = new WireWriter(room);
    out.writeByte(VERSION).writeVarLong(epoch).writeVarLong(seq);
    out.writeLong(body.request.client()).writeVarLong(body.request.number());
    Answer.write(body.result, out);
    out.writeVarLong(body.effects.size());
    for (Effect effect : body.effects) {
      out.writeString(effect.key).writeBoolean(effect.value != null);
      if (effect.value != null) {
        out.writeBytes(effect.value);
      }
    }
    return out.writeInt(checksum(out.array(), 0, out.size()));
  }

  /**
   * Reads a record, which keeps the bytes.
   *
   * @param bytes all of it, in an array, which must not change any more
   * @throws WireFormatException if the bytes are none, over a limit, or not what was written
   */
  static LogRecord decode(ByteBuffer bytes) {
    byte[] array = bytes.array();
    int offset = bytes.arrayOffset() + bytes.position();
    int size = bytes.remaining();
    int length = size - CHECKSUM_BYTES;
    if (length < 0
        || new WireReader(array, offset + length, CHECKSUM_BYTES).readInt()
            != checksum(array, offset, length)) {
      throw new WireFormatException("a record whose checksum is wrong");
    }
    WireReader in = new WireReader(array, offset, length);
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("record in version " + version);
    }
    long epoch = in.readVarLong();
    long seq = in.readVarLong();
    Body body = readBody(in);
    in.expectEnd();
    if (epoch < 1 || seq < 1) {
      throw new WireFormatException("record " + seq + " of epoch " + epoch);
    }
    return new LogRecord(epoch, seq, body, array, offset, size);
  }

  private static Body readBody(WireReader in) {
    RequestId request = new RequestId(in.readLong(), in.readVarLong());
    Answer.Written result = Answer.readWritten(in);
    int count = in.readCount();
    List<Effect> effects = new ArrayList<>(Math.min(count, 16));
    for (int left = count; left > 0; left--) {
      String key = in.readString(Contents.KEY_BYTES);
      effects.add(new Effect(key, in.readBoolean() ? in.readBytes(Limits.VALUE_BYTES) : null));
    }
    return new Body(request, result, List.copyOf(effects));
  }

  private static int checksum(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }

  /** What it does, for people. */
  String description() {
    Body it = body();
    if (it.request.equals(RequestId.NONE)) {
      return "epoch " + epoch + " begins";
    } else if (!(it.result instanceof Answer.Changed)) {
      return "nothing: " + it.result;
    }
    return it.effects.stream()
        .map(
            effect ->
                (effect.value == null ? "delete " : "put ")
                    + effect.key.replace(Contents.OWN, "own "))
        .collect(Collectors.joining(", "));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LogRecord it && buffer().equals(it.buffer());
  }

  @Override
  public int hashCode() {
    return buffer().hashCode();
  }

  private ByteBuffer buffer() {
    return ByteBuffer.wrap(array, offset, size);
  }

  @Override
  public String toString() {
    return "record " + seq + " of epoch " + epoch + ": " + result() + " for " + request();
  }
}
