// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.kv.KvMachine.State;
import io.clowder.kv.KvMachine.Versioned;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Map;
import org.pcollections.TreePMap;

/**
 * The map as a file: a byte of format; eight bytes of count, and for each entry in the order of the
 * keys four bytes of length and that many of key, version and value; eight bytes of the largest
 * token that was forgotten, eight bytes of count, and for each fence in the order of the resources
 * four bytes of length and that many of resource and token. Nothing at all stands for the empty map
 * of the beginning.
 */
final class KvSnapshot {
  private static final int FORMAT = 2;
  private static final int FLUSH_BYTES = 64 << 10;
  private static final int ENTRY_BYTES = Limits.KEY_BYTES + Limits.VALUE_BYTES + 32;

  private KvSnapshot() {}

  static void write(State state, OutputStream out) throws IOException {
    WireWriter chunk = new WireWriter(FLUSH_BYTES * 2);
    WireWriter record = new WireWriter(256);
    chunk.writeByte(FORMAT).writeLong(state.entries().size());
    for (Map.Entry<byte[], Versioned> entry : state.entries().entrySet()) {
      Versioned value = entry.getValue();
      record.writeBytes(entry.getKey()).writeVarLong(value.version()).writeBytes(value.value());
      append(record, chunk, out);
    }
    Fences fences = state.fences();
    chunk.writeLong(fences.forgotten()).writeLong(fences.tokens().size());
    for (Map.Entry<byte[], Long> fence : fences.tokens().entrySet()) {
      record.writeBytes(fence.getKey()).writeVarLong(fence.getValue());
      append(record, chunk, out);
    }
    out.write(chunk.array(), 0, chunk.size());
  }

  private static void append(WireWriter record, WireWriter chunk, OutputStream out)
      throws IOException {
    chunk.writeInt(record.size()).writeRaw(record.array(), 0, record.size());
    record.reset();
    if (chunk.size() >= FLUSH_BYTES) {
      out.write(chunk.array(), 0, chunk.size());
      chunk.reset();
    }
  }

  /** Reads what {@link #write} wrote, and refuses anything else with an {@link IOException}. */
  static State read(InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    int format = in.read();
    if (format < 0) {
      return State.EMPTY;
    }
    if (format != FORMAT) {
      throw new IOException("kv snapshot of format " + format + ", which is not known here");
    }
    State state;
    try {
      state = new State(readEntries(in), readFences(in));
    } catch (EOFException e) {
      throw new IOException("kv snapshot is corrupt: cut short", e);
    } catch (WireFormatException e) {
      throw new IOException("kv snapshot is corrupt: " + e.getMessage(), e);
    }
    if (in.read() >= 0) {
      throw new IOException("kv snapshot is corrupt: it goes on after its last entry");
    }
    return state;
  }

  private static TreePMap<byte[], Versioned> readEntries(DataInputStream in) throws IOException {
    TreePMap<byte[], Versioned> entries = State.EMPTY.entries();
    byte[] last = {};
    for (long left = in.readLong(); left != 0; left--) {
      WireReader record = readRecord(in);
      byte[] key = readName(record, last);
      long version = record.readVarLong();
      entries = entries.plus(key, new Versioned(record.readBytes(Limits.VALUE_BYTES), version));
      record.expectEnd();
      last = key;
    }
    return entries;
  }

  private static Fences readFences(DataInputStream in) throws IOException {
    long forgotten = in.readLong();
    long count = in.readLong();
    if (forgotten < 0 || count < 0 || count > Limits.FENCES) {
      throw new WireFormatException(
          count + " fences, and others up to " + forgotten + " forgotten");
    }
    Fences fences = Fences.none(Limits.FENCES, forgotten);
    byte[] last = {};
    for (long left = count; left != 0; left--) {
      WireReader record = readRecord(in);
      byte[] resource = readName(record, last);
      long token = record.readVarLong();
      record.expectEnd();
      if (token < 1 || token < forgotten) {
        throw new WireFormatException(
            "token " + token + " where others up to " + forgotten + " are forgotten");
      }
      fences = fences.raised(resource, token);
      last = resource;
    }
    return fences;
  }

  /** The key or resource of a record: it comes after the last one, and is not empty. */
  private static byte[] readName(WireReader record, byte[] last) {
    byte[] name = record.readBytes(Limits.KEY_BYTES);
    if (Arrays.compareUnsigned(last, name) >= 0) {
      throw new WireFormatException("names out of order");
    }
    return name;
  }

  private static WireReader readRecord(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > ENTRY_BYTES) {
      throw new WireFormatException("an entry of " + length + " bytes");
    }
    byte[] record = in.readNBytes(length);
    if (record.length < length) {
      throw new EOFException();
    }
    return new WireReader(record);
  }
}
