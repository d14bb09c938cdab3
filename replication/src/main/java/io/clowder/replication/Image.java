// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.replication.Contents.Versioned;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import org.pcollections.TreePMap;

/**
 * What the records up to one of them made: immutable, and a snapshot when it is written down.
 * Replicas that applied as many have equal bytes.
 *
 * @param seq the last record
 * @param epoch of that; 0 if there is none
 * @param clients the table of requests, encoded
 */
record Image(long seq, long epoch, TreePMap<String, Versioned> entries, byte[] clients) {
  /** Of a new store. */
  static final Image EMPTY = new Image(0, 0, TreePMap.empty(), new byte[0]);

  private static final int FORMAT = 1;
  private static final int FLUSH_BYTES = 64 << 10;
  private static final int CLIENTS_BYTES = 64 << 20;
  private static final int ENTRY_BYTES = Contents.KEY_BYTES + Limits.VALUE_BYTES + 32;

  /** Writes it; each part is preceded by four bytes of length. */
  void writeTo(OutputStream stream) throws IOException {
    WireWriter out = new WireWriter(2 * FLUSH_BYTES);
    out.writeByte(FORMAT).writeLong(seq).writeLong(epoch).writeLong(entries.size());
    for (Map.Entry<String, Versioned> entry : entries.entrySet()) {
      WireWriter row = new WireWriter(64 + entry.getValue().value().length);
      row.writeString(entry.getKey()).writeVarLong(entry.getValue().version());
      row.writeBytes(entry.getValue().value());
      out.writeInt(row.size()).writeRaw(row.array(), 0, row.size());
      if (out.size() >= FLUSH_BYTES) {
        stream.write(out.array(), 0, out.size());
        out.reset();
      }
    }
    out.writeInt(clients.length).writeRaw(clients, 0, clients.length);
    stream.write(out.array(), 0, out.size());
  }

  /**
   * Reads what {@link #writeTo} wrote.
   *
   * @throws IOException if it is something else
   */
  static Image read(InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    try {
      int format = in.readByte();
      if (format != FORMAT) {
        throw new IOException("a snapshot of a store in format " + format);
      }
      long seq = in.readLong();
      long epoch = in.readLong();
      TreePMap<String, Versioned> entries = TreePMap.empty();
      for (long left = in.readLong(); left > 0; left--) {
        WireReader row = new WireReader(part(in, ENTRY_BYTES));
        String key = row.readString(Contents.KEY_BYTES);
        long version = row.readVarLong();
        entries = entries.plus(key, new Versioned(row.readBytes(Limits.VALUE_BYTES), version));
        row.expectEnd();
      }
      return new Image(seq, epoch, entries, part(in, CLIENTS_BYTES));
    } catch (EOFException | WireFormatException e) {
      throw new IOException("the snapshot of a store is damaged: " + e, e);
    }
  }

  private static byte[] part(DataInputStream in, int most) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > most) {
      throw new IOException("the snapshot of a store has a part of " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }
}
