// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The next file of a journal: filled with zeros ahead of need, and given its header, durably,
 * before it gets a number. A crash at any point leaves a spare that can be used again.
 *
 * <p>The journal's thread asks for it; {@link #allocateAhead} does the filling elsewhere, and all
 * others wait for that.
 */
final class SpareFile {
  private final JournalFiles files;
  private final Executor background;
  private final AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
  private Disk.@Nullable File file;
  private boolean closed;
  // Read without waiting for what is under way.
  private volatile long allocated;
  private volatile boolean underWay;

  SpareFile(JournalFiles files, Executor background) {
    this.files = files;
    this.background = background;
  }

  /** Bytes that are known to be there for the next file. */
  long allocated() {
    return allocated;
  }

  /**
   * Has the background make sure of {@code bytes}, unless it is still busy with less.
   *
   * @throws IOException if it failed the last time
   */
  void allocateAhead(long bytes) throws IOException {
    IOException failed = failure.getAndSet(null);
    if (failed != null) {
      throw failed;
    }
    if (!underWay) {
      underWay = true;
      background.execute(
          () -> {
            try {
              allocate(bytes);
            } catch (IOException e) {
              failure.set(e);
            } finally {
              underWay = false;
            }
          });
    }
  }

  /**
   * Makes sure of {@code bytes}. If the disk is full, what the spare had is given back, for the
   * snapshot that makes the journal shorter needs room too.
   */
  synchronized void allocate(long bytes) throws IOException {
    if (closed || allocated >= bytes) {
      return;
    }
    try {
      open().allocate(bytes);
      allocated = bytes;
    } catch (IOException e) {
      if (DiskFull.causes(e)) {
        Closing.after(e, this::remove);
      }
      throw DiskFull.typed(files.spare(), e);
    }
  }

  /** Makes the spare the file that {@code header} says, durably, and opens it. */
  synchronized Disk.File install(JournalHeader header) throws IOException {
    if (allocated < header.bytes()) {
      throw new AssertionError(allocated + " allocated of " + header.bytes());
    }
    open().writeDurably(0, header.encode());
    closeFile();
    String path = files.path(header.number());
    files.disk().rename(files.spare(), path);
    files.sync();
    return files.disk().open(path, false);
  }

  /** Closes the file, for good; what was allocated stays. */
  synchronized void close() throws IOException {
    closed = true;
    closeFile();
  }

  private void remove() throws IOException {
    try {
      closeFile();
    } finally {
      files.disk().delete(files.spare());
    }
  }

  private void closeFile() throws IOException {
    allocated = 0;
    if (file != null) {
      Disk.File open = file;
      file = null;
      open.close();
    }
  }

  private Disk.File open() throws IOException {
    if (file == null) {
      // The name need not be durable: install() sees to that.
      boolean there = files.disk().list(files.directory()).contains("spare");
      file = files.disk().open(files.spare(), !there);
    }
    return file;
  }
}
