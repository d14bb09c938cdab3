// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Storage.CorruptionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Reads the frames of one journal file and looks at what is behind them. Changes nothing. */
final class FrameReader {
  private static final int WINDOW = 256 << 10;
  private static final byte[] ZEROS = new byte[Blocks.SECTOR];

  /**
   * What is in a file.
   *
   * @param lastFrame where the last whole frame begins; {@code end} if there is none
   * @param end where the whole frames end
   * @param sealed whether the last of them says that the file ends there
   * @param first the oldest file that is needed, as the last whole frame or the header says
   * @param maxTag the largest tag, -1 without records
   * @param dirtyEnd where the zeros begin that reach to the file's end; {@code end} after a clean
   *     stop
   * @param laterFrame offset of a frame header behind {@code end}, or -1: its writing began when
   *     all before it was durable, so there is damage at {@code end} and not a torn write
   */
  record Survey(
      long lastFrame,
      long end,
      boolean sealed,
      long first,
      long maxTag,
      long dirtyEnd,
      long laterFrame) {
    /** Whether no frame is whole. */
    boolean isEmpty() {
      return end == JournalHeader.AREA;
    }

    /** Whether nothing was ever written behind the file's header. */
    boolean isBlank() {
      return isEmpty() && dirtyEnd == end;
    }
  }

  private final Disk.File file;
  private final String path;
  private final JournalHeader header;
  private final int seed;
  private byte[] window = new byte[0];
  private long windowOffset;
  private int windowLength;

  /** Reads {@code file}, whose header was read before. */
  FrameReader(Disk.File file, String path, JournalHeader header) {
    this.file = file;
    this.path = path;
    this.header = header;
    this.seed = header.seed();
  }

  /** Reads all frames, hands their records to {@code replay}, and inspects the rest of the file. */
  Survey survey(Journal.Replay replay) throws IOException {
    long at = JournalHeader.AREA;
    long lastFrame = at;
    long first = header.first();
    long maxTag = -1;
    boolean sealed = false;
    while (!sealed) {
      FrameHeader frame = headerAt(at);
      if (frame == null || !isIntact(at, frame)) {
        break;
      }
      maxTag = Math.max(maxTag, replayRecords(at, frame, replay));
      first = frame.first();
      sealed = frame.sealed();
      lastFrame = at;
      at = end(at, frame);
    }
    if (first < header.first() || first > header.number()) {
      throw new CorruptionException(path + " at offset " + at + ": names file " + first);
    }
    long dirtyEnd = at;
    long laterFrame = -1;
    for (long sector = at; !sealed && sector < header.bytes(); sector += Blocks.SECTOR) {
      int in = fetch(sector, Blocks.SECTOR);
      if (Arrays.mismatch(window, in, in + Blocks.SECTOR, ZEROS, 0, Blocks.SECTOR) >= 0) {
        dirtyEnd = sector + Blocks.SECTOR;
        if (sector > at && laterFrame < 0 && headerAt(sector) != null) {
          laterFrame = sector;
        }
      }
    }
    return new Survey(lastFrame, at, sealed, first, maxTag, dirtyEnd, laterFrame);
  }

  /**
   * Checks all frames.
   *
   * @param end where they end, as whoever wrote or read them knows
   */
  void verify(long end) throws IOException {
    long at = JournalHeader.AREA;
    while (at < end) {
      FrameHeader frame = headerAt(at);
      if (frame == null || end(at, frame) > end || !isIntact(at, frame)) {
        throw new CorruptionException(path + " at offset " + at + ": records are damaged");
      }
      at = end(at, frame);
    }
  }

  private static long end(long at, FrameHeader frame) {
    return Blocks.up(at + FrameHeader.BYTES + frame.length(), Blocks.SECTOR);
  }

  private @Nullable FrameHeader headerAt(long at) throws IOException {
    if (at + Blocks.SECTOR > header.bytes()) {
      return null;
    }
    int in = fetch(at, Blocks.SECTOR);
    FrameHeader frame = FrameHeader.read(window, in, seed, at);
    return frame == null || at + FrameHeader.BYTES + frame.length() > header.bytes() ? null : frame;
  }

  private boolean isIntact(long at, FrameHeader frame) throws IOException {
    CRC32C crc = new CRC32C();
    int payload = fetch(at + FrameHeader.BYTES, frame.length());
    crc.update(window, payload, frame.length());
    return (int) crc.getValue() == frame.payloadChecksum();
  }

  private long replayRecords(long at, FrameHeader frame, Journal.Replay replay) throws IOException {
    long maxTag = -1;
    int payload = fetch(at + FrameHeader.BYTES, frame.length());
    ByteBuffer in = ByteBuffer.wrap(window, payload, frame.length());
    while (in.hasRemaining()) {
      int length = in.remaining() < FrameWriter.RECORD_HEADER ? -1 : in.getInt();
      if (length < 0 || length > in.remaining() - Long.BYTES) {
        // The checksum was right, so this was written so.
        throw new CorruptionException(
            path + " at offset " + at + ": records do not fill the frame");
      }
      long tag = in.getLong();
      byte[] bytes = new byte[length];
      in.get(bytes);
      maxTag = Math.max(maxTag, tag);
      replay.record(tag, bytes);
    }
    return maxTag;
  }

  /** Makes sure that the window, perhaps a new one, holds these bytes; returns where in it. */
  private int fetch(long offset, int length) throws IOException {
    if (offset < windowOffset || offset + length > windowOffset + windowLength) {
      int wanted = (int) Math.min(Math.max(length, WINDOW), header.bytes() - offset);
      if (window.length < wanted) {
        window = new byte[wanted];
      }
      windowOffset = offset;
      windowLength = file.read(offset, ByteBuffer.wrap(window, 0, wanted));
      if (windowLength < length) {
        throw new CorruptionException(
            path + " at offset " + (offset + windowLength) + ": the file ends early");
      }
    }
    return (int) (offset - windowOffset);
  }
}
