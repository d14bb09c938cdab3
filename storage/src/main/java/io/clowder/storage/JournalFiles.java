// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Storage.CorruptionException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** The names in a journal's directory, and how a journal comes to be and goes as a whole. */
record JournalFiles(Disk disk, String directory) {
  private static final Pattern NAME = Pattern.compile("[0-9]{16}\\.journal");
  private static final String LIVE = "live";
  private static final String DELETED = "deleted";
  private static final String SPARE = "spare";

  /** The path of the file {@code number}. */
  String path(long number) {
    return directory + "/" + String.format(Locale.ROOT, "%016d.journal", number);
  }

  /** The path of the file that is to become the next one. */
  String spare() {
    return directory + "/" + SPARE;
  }

  /** The numbers of the files that are there, ascending. */
  List<Long> numbers() throws IOException {
    return disk.list(directory).stream()
        .filter(name -> NAME.matcher(name).matches())
        .map(name -> Long.valueOf(name.substring(0, 16)))
        .sorted()
        .toList();
  }

  /** What to throw when a file that is needed is not there. */
  CorruptionException missing(long number) {
    return new CorruptionException(path(number) + ": this file of the journal is missing");
  }

  /** Makes the names durable. */
  void sync() throws IOException {
    disk.syncDirectory(directory);
  }

  /** Whether the journal is marked as made, so that there must be files. */
  boolean isLive() throws IOException {
    return disk.list(directory).contains(LIVE);
  }

  /** Marks the journal as made, durably. */
  void makeLive() throws IOException {
    disk.open(directory + "/" + LIVE, true).close();
    sync();
  }

  /**
   * Whether the journal is there, and durably so, for what is shown once must not go with the
   * power. Whatever else a crash left is removed: the rest of a removal, or what its making had
   * allocated.
   */
  boolean settle() throws IOException {
    finishDelete();
    if (isLive() || !numbers().isEmpty()) {
      sync();
      return true;
    }
    if (disk.list(directory).contains(SPARE)) {
      disk.delete(spare());
      sync();
    }
    return false;
  }

  /** Removes the journal. A mark sees to it that a crash on the way cannot bring back a part. */
  void delete() throws IOException {
    if (!settle()) {
      return;
    }
    if (isLive()) {
      disk.rename(directory + "/" + LIVE, directory + "/" + DELETED);
    } else {
      disk.open(directory + "/" + DELETED, true).close();
    }
    finishDelete();
  }

  /** Goes on with a removal that a crash interrupted. */
  void finishDelete() throws IOException {
    if (!disk.list(directory).contains(DELETED)) {
      return;
    }
    // Before the first file goes: whoever set the mark may have been killed right after.
    sync();
    for (long number : numbers()) {
      disk.delete(path(number));
    }
    disk.delete(spare());
    sync();
    disk.delete(directory + "/" + DELETED);
    sync();
  }
}
