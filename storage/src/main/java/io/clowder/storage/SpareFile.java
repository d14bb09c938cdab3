// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The next file of a journal: filled with zeros ahead of need, and given its header, durably,
 * before it gets a number. A crash at any point leaves a spare that can be used again.
 */
final class SpareFile {
  private final JournalFiles files;
  private Disk.@Nullable File file;
  private long allocated;

  SpareFile(JournalFiles files) {
    this.files = files;
  }

  /** Bytes that are known to be there for the next file. */
  long allocated() {
    return allocated;
  }

  /**
   * Makes sure of {@code bytes}. If the disk is full, what the spare had is given back, for the
   * snapshot that makes the journal shorter needs room too.
   */
  void allocate(long bytes) throws IOException {
    if (allocated >= bytes) {
      return;
    }
    try {
      open().allocate(bytes);
      allocated = bytes;
    } catch (IOException e) {
      if (!DiskFull.causes(e)) {
        throw e;
      }
      close();
      files.disk().delete(files.spare());
      throw DiskFull.at(files.spare(), e);
    }
  }

  /** Makes the spare the file that {@code header} says, durably, and opens it. */
  Disk.File install(JournalHeader header) throws IOException {
    if (allocated < header.bytes()) {
      throw new AssertionError(allocated + " allocated of " + header.bytes());
    }
    open().writeDurably(0, header.encode());
    close();
    String path = files.path(header.number());
    files.disk().rename(files.spare(), path);
    files.sync();
    return files.disk().open(path, false);
  }

  /** Closes the file; what was allocated stays. */
  void close() throws IOException {
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
