// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;

/** Journals whose record with tag n has a content that follows from n. */
final class Records {
  static final int FILE_BYTES = RollingJournal.FILE_BYTES_MIN;
  static final String NAME = "main/0";
  static final String DIRECTORY = "journals/" + NAME;
  static final JournalHeader.Owner OWNER = new JournalHeader.Owner(0x1CA7, NAME);

  private Records() {}

  /** Opens the journal without looking at its records. */
  static RollingJournal open(Disk disk) throws IOException {
    return open(disk, (tag, bytes) -> {});
  }

  static RollingJournal open(Disk disk, Executor background) throws IOException {
    return RollingJournal.open(
        new JournalFiles(disk, DIRECTORY),
        OWNER,
        FILE_BYTES,
        background,
        (tag, bytes) -> {},
        () -> {});
  }

  static RollingJournal open(Disk disk, Journal.Replay replay) throws IOException {
    return RollingJournal.open(
        new JournalFiles(disk, DIRECTORY), OWNER, FILE_BYTES, Runnable::run, replay, () -> {});
  }

  /** The tags of the records in the journal, each of which has the content that it should. */
  static List<Long> read(Disk disk) throws IOException {
    List<Long> tags = new ArrayList<>();
    open(
            disk,
            (tag, bytes) -> {
              assertArrayEquals(content(tag), bytes, "record " + tag);
              tags.add(tag);
            })
        .close();
    return tags;
  }

  /** Appends the records with these tags. */
  static void append(Journal journal, long first, long last) throws IOException {
    for (long tag = first; tag <= last; tag++) {
      byte[] bytes = content(tag);
      journal.append(tag, bytes, 0, bytes.length);
    }
  }

  /** Mostly small, sometimes some sectors, once in a while nothing but zeros, or nothing. */
  static byte[] content(long tag) {
    Random random = new Random(tag);
    byte[] bytes = new byte[random.nextInt(5) == 0 ? random.nextInt(3000) : random.nextInt(200)];
    if (random.nextInt(10) > 0) {
      random.nextBytes(bytes);
    }
    return random.nextInt(10) == 0 ? Arrays.copyOf(bytes, 0) : bytes;
  }

  static List<Long> range(long first, long last) {
    List<Long> tags = new ArrayList<>();
    for (long tag = first; tag <= last; tag++) {
      tags.add(tag);
    }
    return tags;
  }

  static String path(long number) {
    return new JournalFiles(new MemoryDisk(), DIRECTORY).path(number);
  }
}
