// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What stands before the records of one sync, at the start of a sector. Its checksum covers the
 * file's identity and the frame's offset too, and by the records' checksum also the records.
 *
 * @param length bytes of records
 * @param sealed whether this is the file's last frame; there is a next file then
 * @param first the oldest file of the journal that is still needed
 * @param payloadChecksum CRC32C of the records
 */
record FrameHeader(int length, boolean sealed, long first, int payloadChecksum) {
  /** Bytes of a header: kind, length, first, checksum of the records, checksum of the header. */
  static final int BYTES = 24;

  // Not zero, so that zeros are never taken for a frame.
  private static final int OPEN = 0x434C4602;
  private static final int SEALED = 0x434C4603;
  private static final int CHECKED = 20;

  /** The header at {@code at} of {@code bytes}, or null if there is none. */
  static @Nullable FrameHeader read(byte[] bytes, int at, int seed, long offset) {
    ByteBuffer in = ByteBuffer.wrap(bytes, at, BYTES);
    int kind = in.getInt();
    if (kind != OPEN && kind != SEALED) {
      return null;
    }
    FrameHeader header = new FrameHeader(in.getInt(), kind == SEALED, in.getLong(), in.getInt());
    boolean intact = in.getInt() == checksum(bytes, at, seed, offset);
    return intact && header.length >= 0 ? header : null;
  }

  /** Puts the header at {@code at} of {@code bytes}. */
  void write(byte[] bytes, int at, int seed, long offset) {
    ByteBuffer out = ByteBuffer.wrap(bytes, at, BYTES);
    out.putInt(sealed ? SEALED : OPEN).putInt(length).putLong(first).putInt(payloadChecksum);
    out.putInt(checksum(bytes, at, seed, offset));
  }

  private static int checksum(byte[] bytes, int at, int seed, long offset) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(12).putInt(seed).putLong(offset).flip());
    crc.update(bytes, at, CHECKED);
    return (int) crc.getValue();
  }
}
