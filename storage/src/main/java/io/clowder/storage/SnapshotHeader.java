// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The first sector of a snapshot file, written last.
 *
 * @param incarnation of the node that the file belongs to
 * @param name of the group
 * @param position of the state
 * @param size bytes of content, which follow
 * @param checksum CRC32C of the content
 */
record SnapshotHeader(long incarnation, String name, long position, long size, int checksum) {
  /** Where the content begins. */
  static final int AREA = Blocks.SECTOR;

  private static final Envelope ENVELOPE = new Envelope("CLWDSNAP", 1);
  private static final int NAME_BYTES = 256;
  private static final int CHUNK = 256 << 10;

  /** The sector to write. */
  ByteBuffer encode() {
    WireWriter body = new WireWriter(Blocks.SECTOR);
    body.writeLong(incarnation).writeString(name);
    body.writeLong(position).writeLong(size).writeInt(checksum);
    byte[] header = ENVELOPE.wrap(body);
    if (header.length > AREA) {
      throw new AssertionError("a group's name is too long: " + name);
    }
    return ByteBuffer.wrap(Arrays.copyOf(header, AREA));
  }

  /** Reads the header of {@code path} and checks it and all of the content. */
  static SnapshotHeader verify(
      Disk.File file, String path, long incarnation, String name, long position)
      throws IOException {
    SnapshotHeader header = decode(ENVELOPE.unwrap(area(file), path), path);
    if (header.incarnation != incarnation || !header.name.equals(name)) {
      throw new IOException(
          path
              + ": is a snapshot of another node or group, '"
              + header.name
              + "'; who put it here?");
    }
    if (header.position != position) {
      throw new IOException(path + ": is of position " + header.position + " by its header");
    }
    header.checkContent(file, path);
    return header;
  }

  /**
   * Checks that this is still the header of {@code path}, where it was read or written before, and
   * all of the content.
   */
  void verify(Disk.File file, String path) throws IOException {
    if (!equals(decode(ENVELOPE.unwrapAgain(area(file), path), path))) {
      throw new CorruptionException(path + " at offset 0: the header is another one's");
    }
    checkContent(file, path);
  }

  private static byte[] area(Disk.File file) throws IOException {
    byte[] bytes = new byte[AREA];
    return Arrays.copyOf(bytes, file.read(0, ByteBuffer.wrap(bytes)));
  }

  private void checkContent(Disk.File file, String path) throws IOException {
    if (file.size() != AREA + size) {
      throw new CorruptionException(
          path + " at offset " + file.size() + ": the file should end at " + (AREA + size));
    }
    if ((int) checksum(file).getValue() != checksum) {
      throw new CorruptionException(path + " at offset " + AREA + ": the content is damaged");
    }
  }

  /** The checksum of what content there is. */
  static CRC32C checksum(Disk.File file) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.max(1, Math.min(CHUNK, file.size())));
    for (long at = AREA; file.read(at, chunk) > 0; at += chunk.limit()) {
      crc.update(chunk.flip());
      if (chunk.limit() < chunk.capacity()) {
        break;
      }
      chunk.clear();
    }
    return crc;
  }

  private static SnapshotHeader decode(WireReader in, String path) throws CorruptionException {
    try {
      long incarnation = in.readLong();
      String name = in.readString(NAME_BYTES);
      SnapshotHeader header =
          new SnapshotHeader(incarnation, name, in.readLong(), in.readLong(), in.readInt());
      in.expectEnd();
      return header;
    } catch (WireFormatException e) {
      throw new CorruptionException(path + " at offset 16: " + e.getMessage());
    }
  }
}
