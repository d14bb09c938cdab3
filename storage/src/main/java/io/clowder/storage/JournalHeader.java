// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The first block of a journal file. It is on disk before the file gets its name.
 *
 * @param owner whose journal it is
 * @param number of the file, from 1 without gaps
 * @param first the oldest file that was needed when this one was made
 * @param bytes the file was allocated to
 */
record JournalHeader(Owner owner, long number, long first, long bytes) {
  /** Where the first frame begins: the header's block is never written again. */
  static final int AREA = Blocks.BLOCK;

  private static final Envelope ENVELOPE = new Envelope("CLWDJRNL", 1);
  private static final int NAME_BYTES = 256;

  /** A journal of one node: its random incarnation and the journal's name. */
  record Owner(long incarnation, String name) {
    @Override
    public String toString() {
      return "journal '" + name + "' of incarnation " + Long.toHexString(incarnation);
    }
  }

  /**
   * Reads and checks the header of {@code path}, the file {@code number} of the journal of {@code
   * owner}.
   */
  static JournalHeader read(Disk.File file, String path, Owner owner, long number)
      throws IOException {
    JournalHeader header = decode(ENVELOPE.unwrap(sector(file), path), path);
    if (!header.owner.equals(owner)) {
      throw new IOException(
          path + ": belongs to " + header.owner + ", not to " + owner + "; who put it here?");
    }
    if (header.number != number) {
      throw new IOException(
          path + ": is file " + header.number + " by its header; was it renamed?");
    }
    header.checkSize(file, path);
    return header;
  }

  /** Checks that this is still the header of {@code path}, where it was read or written before. */
  void verify(Disk.File file, String path) throws IOException {
    if (!equals(decode(ENVELOPE.unwrapAgain(sector(file), path), path))) {
      throw new CorruptionException(path + " at offset 0: the header is another one's");
    }
    checkSize(file, path);
  }

  private static byte[] sector(Disk.File file) throws IOException {
    byte[] bytes = new byte[Blocks.SECTOR];
    return Arrays.copyOf(bytes, file.read(0, ByteBuffer.wrap(bytes)));
  }

  private void checkSize(Disk.File file, String path) throws IOException {
    // The zeros were durable before the header was: no crash makes a file shorter.
    if (file.size() < bytes) {
      throw new CorruptionException(
          path + " at offset " + file.size() + ": the file is cut, it had " + bytes);
    }
  }

  private static JournalHeader decode(WireReader in, String path) throws CorruptionException {
    try {
      Owner owner = new Owner(in.readLong(), in.readString(NAME_BYTES));
      JournalHeader header = new JournalHeader(owner, in.readLong(), in.readLong(), in.readLong());
      in.expectEnd();
      return header;
    } catch (WireFormatException e) {
      throw new CorruptionException(path + " at offset 16: " + e.getMessage());
    }
  }

  /** The block to write. */
  ByteBuffer encode() {
    WireWriter body = new WireWriter(Blocks.SECTOR);
    body.writeLong(owner.incarnation).writeString(owner.name);
    body.writeLong(number).writeLong(first).writeLong(bytes);
    byte[] header = ENVELOPE.wrap(body);
    if (header.length > Blocks.SECTOR) {
      throw new AssertionError("a journal's name is too long: " + owner.name);
    }
    return ByteBuffer.wrap(Arrays.copyOf(header, AREA));
  }

  /**
   * What the checksums of this file's frames start from, so that a frame of another file never
   * passes: files of one journal have different numbers, hence different seeds.
   */
  int seed() {
    CRC32C crc = new CRC32C();
    crc.update(owner.name.getBytes(StandardCharsets.UTF_8));
    crc.update(ByteBuffer.allocate(16).putLong(owner.incarnation).putLong(number).flip());
    return (int) crc.getValue();
  }
}
