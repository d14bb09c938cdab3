// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.Limits;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.storage.JournalRecovery.Part;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A journal in files that were filled with zeros beforehand, so that a sync is one write of a few
 * blocks and changes nothing else on the disk.
 *
 * <p>One thread at a time, as the contract says; its methods lock nevertheless, because the storage
 * closes what is open from another one.
 *
 * <p>While one file fills, the next is allocated step by step. If that fails because the disk is
 * full, work goes on until only the file's reserve is left; then {@code append} fails, with nothing
 * torn. A journal opened on a full disk may use the reserve: it is there for the few records and
 * the trim with which the owner makes room.
 */
final class RollingJournal implements Journal {
  /** Smallest size of a file. */
  static final int FILE_BYTES_MIN = 16 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(RollingJournal.class);

  // Space at a file's end that only marks of trims use, and the last sector of it only the seal.
  private static final int MARKS = 8 * Blocks.SECTOR;
  private static final int STEP = 256 << 10;
  private static final int FULL_RETRY = 16;

  private final JournalFiles files;
  private final int fileBytes;
  private final Runnable onClose;
  private final SpareFile spare;
  private final FrameWriter frames = new FrameWriter();
  private final Deque<Part> parts = new ArrayDeque<>();
  private JournalHeader header;
  private Disk.File file;
  private long first;
  private long maxTag;
  private boolean reserveReleased;
  private long allocateAgainAt;
  private boolean closed;
  private boolean inDoubt;
  private @Nullable IOException failure;

  private RollingJournal(
      JournalFiles files,
      int fileBytes,
      Runnable onClose,
      SpareFile spare,
      JournalHeader header,
      Disk.File file) {
    this.files = files;
    this.fileBytes = fileBytes;
    this.onClose = onClose;
    this.spare = spare;
    this.header = header;
    this.file = file;
  }

  /**
   * Opens or makes a journal.
   *
   * @param fileBytes size of the files, a multiple of {@link Blocks#BLOCK}
   * @param background runs what fills the next file
   * @param onClose is run when the journal has been closed
   */
  static RollingJournal open(
      JournalFiles files,
      JournalHeader.Owner owner,
      int fileBytes,
      Executor background,
      Replay replay,
      Runnable onClose)
      throws IOException {
    if (fileBytes < FILE_BYTES_MIN || fileBytes % Blocks.BLOCK != 0) {
      throw new IllegalArgumentException("journal files of " + fileBytes + " bytes");
    }
    SpareFile spare = new SpareFile(files, background);
    Disk.@Nullable File file = null;
    try {
      files.disk().makeDirectory(files.directory());
      files.finishDelete();
      JournalRecovery recovery = new JournalRecovery(files, owner);
      JournalRecovery.Last last = recovery.read(replay);
      JournalHeader header =
          last == null ? new JournalHeader(owner, 1, 1, fileBytes) : last.header();
      if (last == null) {
        spare.allocate(fileBytes);
        file = spare.install(header);
      } else {
        file = recovery.repair(last);
      }
      RollingJournal journal = new RollingJournal(files, fileBytes, onClose, spare, header, file);
      journal.begin(recovery, last);
      return journal;
    } catch (IOException | RuntimeException e) {
      Closing.after(e, spare::close);
      if (file != null) {
        Closing.after(e, file);
      }
      if (e instanceof IOException failure) {
        throw DiskFull.typed(files.directory(), failure);
      }
      throw e;
    }
  }

  private void begin(JournalRecovery recovery, JournalRecovery.@Nullable Last last)
      throws IOException {
    if (!files.isLive()) {
      files.makeLive();
    }
    parts.addAll(recovery.parts());
    first = last == null ? header.first() : last.first();
    maxTag = last == null ? -1 : last.survey().maxTag();
    long end = last == null ? JournalHeader.AREA : last.survey().end();
    byte[] tail = new byte[(int) (end - Blocks.down(end, Blocks.BLOCK))];
    if (file.read(end - tail.length, ByteBuffer.wrap(tail)) != tail.length) {
      throw new AssertionError("the last block of " + path() + " was read before");
    }
    frames.begin(header, end, tail);
    reserveReleased = !allocateSpare();
  }

  @Override
  public synchronized void append(long tag, byte[] bytes, int offset, int length)
      throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (tag < 0 || length > Limits.RECORD_BYTES) {
      throw new IllegalArgumentException("a record of " + length + " bytes with tag " + tag);
    }
    enter();
    long end = frames.endWith(FrameWriter.RECORD_HEADER + length);
    try {
      if (end > header.bytes() - MARKS) {
        roll(length);
      } else if (end > header.bytes() - MARKS - reserve() && !reserveReleased) {
        spare.allocate(fileBytes);
      }
    } catch (IOException e) {
      throw failed(e);
    }
    frames.append(tag, bytes, offset, length);
    maxTag = Math.max(maxTag, tag);
    leave();
  }

  @Override
  public synchronized void sync() throws IOException {
    enter();
    if (!frames.isEmpty()) {
      try {
        frames.write(file, false, first);
        allocateAhead();
      } catch (IOException e) {
        throw failed(e);
      }
    }
    leave();
  }

  @Override
  public synchronized void trim(long tag) throws IOException {
    enter();
    long needed = first;
    for (Iterator<Part> i = parts.iterator(); i.hasNext() && i.next().maxTag() <= tag; ) {
      needed++;
    }
    if (needed > first) {
      try {
        removeBefore(needed);
      } catch (IOException e) {
        throw failed(e);
      }
    }
    leave();
  }

  private void removeBefore(long needed) throws IOException {
    if (frames.endWith(0) > header.bytes() - Blocks.SECTOR) {
      roll(0);
    }
    // Once this is on disk, recovery does without the files, whichever of them a crash leaves.
    first = needed;
    frames.write(file, false, first);
    while (!parts.isEmpty() && parts.element().number() < first) {
      files.disk().delete(files.path(parts.remove().number()));
    }
    files.sync();
    reserveReleased = !allocateSpare();
  }

  @Override
  public synchronized long verify() throws IOException {
    enter();
    try {
      List<Long> there = files.numbers();
      long read = 0;
      for (Part part : parts) {
        read += verify(part, there);
      }
      return read + verifyNewest(there);
    } finally {
      // Whatever was found: nothing was changed.
      leave();
    }
  }

  @Override
  public synchronized long verify(long from) throws IOException {
    enter();
    try {
      List<Long> there = files.numbers();
      for (Part part : parts) {
        if (part.number() >= from) {
          verify(part, there);
          return part.number() + 1;
        }
      }
      verifyNewest(there);
      return 0;
    } finally {
      leave();
    }
  }

  private long verify(Part part, List<Long> there) throws IOException {
    if (!there.contains(part.number())) {
      throw files.missing(part.number());
    }
    try (Disk.File sealed = files.disk().open(files.path(part.number()), false)) {
      return verify(sealed, part.header(), part.end());
    }
  }

  private long verifyNewest(List<Long> there) throws IOException {
    if (!there.contains(header.number())) {
      throw files.missing(header.number());
    }
    return verify(file, header, frames.position());
  }

  private long verify(Disk.File written, JournalHeader as, long end) throws IOException {
    String path = files.path(as.number());
    as.verify(written, path);
    new FrameReader(written, path, as).verify(end);
    return end;
  }

  /** Bytes of the files that are full, and of this one what has been written. */
  @Override
  public synchronized long sizeBytes() {
    return parts.stream().mapToLong(Part::bytes).sum() + frames.position();
  }

  @Override
  public void close() throws IOException {
    if (markClosed()) {
      try {
        closeFiles();
      } finally {
        // Not in this lock: the storage has its own.
        onClose.run();
      }
    }
  }

  private synchronized boolean markClosed() {
    boolean first = !closed;
    closed = true;
    return first;
  }

  private synchronized void closeFiles() throws IOException {
    try {
      spare.close();
    } finally {
      file.close();
    }
  }

  /**
   * Seals the file and goes on in the next, which will have room for a record of {@code length}. A
   * full disk shows before anything was written.
   */
  private void roll(int length) throws IOException {
    long room = (long) JournalHeader.AREA + FrameHeader.BYTES + FrameWriter.RECORD_HEADER + MARKS;
    JournalHeader next =
        new JournalHeader(
            header.owner(),
            header.number() + 1,
            first,
            Math.max(fileBytes, Blocks.up(room + length, Blocks.BLOCK)));
    spare.allocate(next.bytes());
    Disk.File nextFile = spare.install(next);
    try {
      // The next file's first frame comes only after this: it proves that this file is whole.
      frames.write(file, true, first);
      file.close();
    } catch (IOException | RuntimeException e) {
      Closing.after(e, nextFile);
      throw e;
    }
    parts.add(new Part(header, frames.position(), maxTag));
    header = next;
    file = nextFile;
    maxTag = -1;
    frames.begin(header, JournalHeader.AREA, new byte[0]);
    allocateAgainAt = 0;
    reserveReleased = false;
  }

  /** Allocates what {@link #wanted} says; returns whether there is room for it. */
  private boolean allocateSpare() throws IOException {
    try {
      spare.allocate(wanted());
      allocateAgainAt = 0;
      return true;
    } catch (IOException e) {
      postpone(e);
      return false;
    }
  }

  /** As {@link #allocateSpare}, but no sync waits for it, nor for a full disk each time. */
  private void allocateAhead() throws IOException {
    if (spare.allocated() < wanted() && frames.position() >= allocateAgainAt) {
      try {
        spare.allocateAhead(wanted());
      } catch (IOException e) {
        postpone(e);
      }
    }
  }

  /** Keeps the spare twice as far as this file, so that it is whole long before it is needed. */
  private long wanted() {
    return Math.min(fileBytes, Blocks.up(2 * frames.position(), STEP));
  }

  private void postpone(IOException e) throws IOException {
    if (!DiskFull.causes(e)) {
      throw e;
    }
    LOG.warn("no room for the next journal file: {}", e.getMessage());
    allocateAgainAt = frames.position() + fileBytes / FULL_RETRY;
  }

  private int reserve() {
    return fileBytes / 16;
  }

  private String path() {
    return files.path(header.number());
  }

  private IOException failed(IOException e) {
    IOException typed = DiskFull.typed(path(), e);
    failure = typed;
    return typed;
  }

  /** Refuses use after a failure; until {@link #leave}, an exception of any kind is one. */
  private void enter() throws IOException {
    if (closed) {
      throw new IOException("journal " + files.directory() + " is closed");
    }
    if (inDoubt) {
      throw new IOException(
          path() + ": the journal failed before and has to be opened again", failure);
    }
    inDoubt = true;
  }

  private void leave() {
    inDoubt = false;
  }
}
