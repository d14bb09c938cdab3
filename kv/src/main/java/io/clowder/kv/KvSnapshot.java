// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.kv.KvMachine.Versioned;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * The map as a file: a byte of format, eight bytes of count, and for each entry in the order of the
 * keys four bytes of length and that many of key, version and value. Nothing at all stands for the
 * empty map of the beginning.
 */
final class KvSnapshot {
  private static final int FORMAT = 1;
  private static final int FLUSH_BYTES = 64 << 10;
  private static final int ENTRY_BYTES = Limits.KEY_BYTES + Limits.VALUE_BYTES + 32;

  private KvSnapshot() {}

  static void write(TreePMap<byte[], Versioned> entries, OutputStream out) throws IOException {
    WireWriter chunk = new WireWriter(FLUSH_BYTES * 2);
    WireWriter record = new WireWriter(256);
    chunk.writeByte(FORMAT).writeLong(entries.size());
    for (Map.Entry<byte[], Versioned> entry : entries.entrySet()) {
      record.reset();
      Versioned value = entry.getValue();
      record.writeBytes(entry.getKey()).writeVarLong(value.version()).writeBytes(value.value());
      chunk.writeInt(record.size()).writeRaw(record.array(), 0, record.size());
      if (chunk.size() >= FLUSH_BYTES) {
        out.write(chunk.array(), 0, chunk.size());
        chunk.reset();
      }
    }
    out.write(chunk.array(), 0, chunk.size());
  }

  /** Reads what {@link #write} wrote, and refuses anything else with an {@link IOException}. */
  static TreePMap<byte[], Versioned> read(TreePMap<byte[], Versioned> empty, InputStream stream)
      throws IOException {
    DataInputStream in = new DataInputStream(stream);
    int format = in.read();
    if (format < 0) {
      return empty;
    }
    if (format != FORMAT) {
      throw new IOException("kv snapshot of format " + format + ", which is not known here");
    }
    TreePMap<byte[], Versioned> entries = empty;
    byte @Nullable [] last = null;
    try {
      for (long left = in.readLong(); left != 0; left--) {
        WireReader record = new WireReader(readRecord(in));
        byte[] key = record.readBytes(Limits.KEY_BYTES);
        if (key.length == 0 || (last != null && Arrays.compareUnsigned(last, key) >= 0)) {
          throw new IOException("kv snapshot is corrupt: keys out of order");
        }
        long version = record.readVarLong();
        entries = entries.plus(key, new Versioned(record.readBytes(Limits.VALUE_BYTES), version));
        record.expectEnd();
        last = key;
      }
    } catch (EOFException e) {
      throw new IOException("kv snapshot is corrupt: cut short", e);
    } catch (WireFormatException e) {
      throw new IOException("kv snapshot is corrupt: " + e.getMessage(), e);
    }
    if (in.read() >= 0) {
      throw new IOException("kv snapshot is corrupt: it goes on after its last entry");
    }
    return entries;
  }

  private static byte[] readRecord(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > ENTRY_BYTES) {
      throw new IOException("kv snapshot is corrupt: an entry of " + length + " bytes");
    }
    byte[] record = in.readNBytes(length);
    if (record.length < length) {
      throw new EOFException();
    }
    return record;
  }
}
