// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Gathers records into a frame and writes it in whole blocks. The last block of a file is kept in
 * memory and written again with the next frame in it; a frame begins in a sector of its own, so the
 * sectors that held synced bytes keep them.
 */
final class FrameWriter {
  /** Bytes before the content of a record: its length and its tag. */
  static final int RECORD_HEADER = 12;

  private static final int KEPT_BYTES = 1 << 20;

  private final CRC32C crc = new CRC32C();
  private int seed;
  // The file's bytes from blockOffset on: frames that were written, then the open one.
  private byte[] buffer = new byte[2 * Blocks.BLOCK];
  private long blockOffset;
  private int frameAt;
  private int end;

  /**
   * Goes on at {@code offset}, the start of a sector, of a file.
   *
   * @param tail what is in the file from the start of that block to {@code offset}
   */
  void begin(JournalHeader header, long offset, byte[] tail) {
    if (Blocks.down(offset, Blocks.BLOCK) + tail.length != offset || offset % Blocks.SECTOR != 0) {
      throw new AssertionError("a tail of " + tail.length + " before " + offset);
    }
    seed = header.seed();
    blockOffset = offset - tail.length;
    System.arraycopy(tail, 0, buffer, 0, tail.length);
    openFrame(tail.length);
  }

  /** Adds a record to the open frame. */
  void append(long tag, byte[] bytes, int offset, int length) {
    ensure(end + RECORD_HEADER + length);
    ByteBuffer.wrap(buffer, end, RECORD_HEADER).putInt(length).putLong(tag);
    System.arraycopy(bytes, offset, buffer, end + RECORD_HEADER, length);
    end += RECORD_HEADER + length;
  }

  /** Whether the open frame has no records. */
  boolean isEmpty() {
    return end == frameAt + FrameHeader.BYTES;
  }

  /** Where the file's frames would end with {@code more} bytes in the open one. */
  long endWith(int more) {
    return Blocks.up(blockOffset + end + more, Blocks.SECTOR);
  }

  /** Where the frames that were written end. */
  long position() {
    return blockOffset + frameAt;
  }

  /** Closes the open frame, writes it durably, and opens the next. */
  void write(Disk.File file, boolean sealed, long first) throws IOException {
    int length = end - frameAt - FrameHeader.BYTES;
    crc.reset();
    crc.update(buffer, frameAt + FrameHeader.BYTES, length);
    new FrameHeader(length, sealed, first, (int) crc.getValue())
        .write(buffer, frameAt, seed, position());
    int frameEnd = (int) Blocks.up(end, Blocks.SECTOR);
    int writeEnd = (int) Blocks.up(end, Blocks.BLOCK);
    ensure(writeEnd);
    Arrays.fill(buffer, end, writeEnd, (byte) 0);
    file.writeDurably(blockOffset, ByteBuffer.wrap(buffer, 0, writeEnd));

    int nextBlock = (int) Blocks.down(frameEnd, Blocks.BLOCK);
    int kept = frameEnd - nextBlock;
    byte[] from = buffer;
    if (buffer.length > KEPT_BYTES) {
      buffer = new byte[2 * Blocks.BLOCK];
    }
    System.arraycopy(from, nextBlock, buffer, 0, kept);
    blockOffset += nextBlock;
    openFrame(kept);
  }

  private void openFrame(int at) {
    frameAt = at;
    end = at + FrameHeader.BYTES;
    ensure(end);
  }

  private void ensure(int size) {
    if (buffer.length < size) {
      long larger = Math.max(buffer.length * 2L, size);
      buffer = Arrays.copyOf(buffer, (int) Blocks.up(larger, Blocks.BLOCK));
    }
  }
}
