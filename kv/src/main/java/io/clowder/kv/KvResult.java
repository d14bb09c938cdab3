// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What {@link KvMachine} answers: a byte of kind, a byte of version, the fields. */
sealed interface KvResult {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The value was set; its version is now {@code version}. */
  record Changed(long version) implements KvResult {}

  /** Nothing changed: the key has version {@code found}, 0 if it is absent. */
  record Conflict(long found) implements KvResult {}

  /** The key is gone; {@code existed} says whether it was there. */
  record Removed(boolean existed) implements KvResult {}

  /** Nothing changed: the resource has seen the token {@code seen}, larger than the write's. */
  record Stale(long seen) implements KvResult {}

  /** The entries asked for, in the order of their keys. */
  record Entries(List<Row> rows) implements KvResult {}

  /** A key, its value, and the version of the change that set it. */
  record Row(byte[] key, byte[] value, long version) {
    /** Bytes that a row takes besides its key and value, at most. */
    static final int FRAME_BYTES = 20;

    /** Bytes that this row takes at most. */
    int size() {
      return key.length + value.length + FRAME_BYTES;
    }

    KvEntry toEntry() {
      return new KvEntry(new String(key, StandardCharsets.UTF_8), value, version);
    }
  }

  /** The bytes of this result. */
  default byte[] encode() {
    if (this instanceof Changed changed) {
      return begin(1, 0).writeVarLong(changed.version).toByteArray();
    } else if (this instanceof Conflict conflict) {
      return begin(2, 0).writeVarLong(conflict.found).toByteArray();
    } else if (this instanceof Removed removed) {
      return begin(3, 0).writeBoolean(removed.existed).toByteArray();
    } else if (this instanceof Entries entries) {
      int bytes = 0;
      for (Row row : entries.rows) {
        bytes += row.size();
      }
      WireWriter out = begin(4, bytes);
      out.writeVarLong(entries.rows.size());
      for (Row row : entries.rows) {
        out.writeBytes(row.key).writeBytes(row.value).writeVarLong(row.version);
      }
      return out.toByteArray();
    } else if (this instanceof Stale stale) {
      return begin(5, 0).writeVarLong(stale.seen).toByteArray();
    }
    throw new AssertionError("no bytes for " + getClass());
  }

  /**
   * Reads a result.
   *
   * @throws WireFormatException if the bytes are none
   */
  static KvResult decode(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("kv result of kind " + kind + " in version " + version);
    }
    KvResult result =
        switch (kind) {
          case 1 -> new Changed(in.readVarLong());
          case 2 -> new Conflict(in.readVarLong());
          case 3 -> new Removed(in.readBoolean());
          case 4 -> new Entries(readRows(in));
          case 5 -> new Stale(in.readVarLong());
          default -> throw new WireFormatException("kv result of unknown kind " + kind);
        };
    in.expectEnd();
    return result;
  }

  private static WireWriter begin(int kind, int bytes) {
    return new WireWriter(bytes + 16).writeByte(kind).writeByte(VERSION);
  }

  private static List<Row> readRows(WireReader in) {
    int count = in.readCount();
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] key = in.readBytes(Limits.KEY_BYTES);
      byte[] value = in.readBytes(Limits.VALUE_BYTES);
      rows.add(new Row(key, value, in.readVarLong()));
    }
    return rows;
  }
}
