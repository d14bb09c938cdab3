// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * What every header on disk has around it: eight bytes of magic, the format's version, a length,
 * and a CRC32C at the end. Magic and version stay where they are in every future format, so that an
 * older program can say what it sees.
 */
final class Envelope {
  private static final int FRONT = 16;
  private static final int AROUND = FRONT + 4;

  private final String magic;
  private final int version;

  /**
   * One kind of header.
   *
   * @param magic eight ASCII characters
   * @param version the format that is written, and the newest that is read; 1 or more
   */
  Envelope(String magic, int version) {
    if (magic.length() != 8 || version < 1) {
      throw new AssertionError(magic + " " + version);
    }
    this.magic = magic;
    this.version = version;
  }

  /** The header around {@code body}. */
  byte[] wrap(WireWriter body) {
    WireWriter out = new WireWriter(AROUND + body.size());
    out.writeRaw(magic.getBytes(StandardCharsets.US_ASCII), 0, 8).writeInt(version);
    out.writeInt(body.size()).writeRaw(body.array(), 0, body.size());
    return out.writeInt(checksum(out.array(), out.size())).toByteArray();
  }

  /**
   * The body of a header, which is checked first.
   *
   * @param bytes the header and what may follow it
   * @param path names the file in errors
   */
  WireReader unwrap(byte[] bytes, String path) throws IOException {
    WireReader in = new WireReader(bytes);
    if (bytes.length < AROUND
        || !new String(bytes, 0, 8, StandardCharsets.ISO_8859_1).equals(magic)) {
      throw new CorruptionException(path + " at offset 0: does not begin with " + magic);
    }
    in.readLong();
    int found = in.readInt();
    if (found > version) {
      throw new IOException(
          path
              + ": format "
              + found
              + " was written by a newer version of Clowder; this one reads up to "
              + version);
    }
    int length = in.readInt();
    if (found < 1 || length < 0 || length > bytes.length - AROUND) {
      throw new CorruptionException(path + " at offset 8: the header is damaged");
    }
    if (new WireReader(bytes, FRONT + length, 4).readInt() != checksum(bytes, FRONT + length)) {
      throw new CorruptionException(path + " at offset 0: the header's checksum is wrong");
    }
    return new WireReader(bytes, FRONT, length);
  }

  /**
   * As {@link #unwrap}, of a header that was good before: a format that is not known is damage,
   * too.
   */
  WireReader unwrapAgain(byte[] bytes, String path) throws CorruptionException {
    try {
      return unwrap(bytes, path);
    } catch (CorruptionException e) {
      throw e;
    } catch (IOException e) {
      throw new CorruptionException(path + " at offset 8: the header is damaged");
    }
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
