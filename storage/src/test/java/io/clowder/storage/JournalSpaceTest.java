// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Storage.DiskFullException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A full disk: refused with everything intact, and with room left to make room. */
final class JournalSpaceTest {
  private final MemoryDisk disk = new MemoryDisk();
  private long synced;

  @Test
  void aFullDiskIsRefusedBeforeAnythingIsTorn() throws IOException {
    fill(2);
    assertEquals(Records.range(1, synced), Records.read(disk));
  }

  @Test
  void theReserveIsEnoughToTrim() throws IOException {
    fill(3);
    try (RollingJournal journal = Records.open(disk)) {
      journal.append(synced + 1, new byte[20], 0, 20);
      journal.sync();
      journal.trim(synced / 2);
      // Now there is room again.
      for (int round = 0; round < 8; round++) {
        journal.append(synced + 2 + round, new byte[100], 0, 100);
        journal.sync();
      }
    }
    long[] newest = new long[1];
    Records.open(disk, (tag, bytes) -> newest[0] = tag).close();
    assertEquals(synced + 9, newest[0]);
  }

  @Test
  void theReserveEndsToo() throws IOException {
    fill(2);
    RollingJournal journal = Records.open(disk);
    IOException e =
        assertThrows(
            DiskFullException.class,
            () -> {
              while (true) {
                Records.append(journal, synced + 1, synced + 1);
                journal.sync();
                synced++;
              }
            });
    assertTrue(e.getMessage().startsWith("disk full: "), e.getMessage());
    journal.close();
    List<Long> before = Records.read(disk);
    assertEquals(Records.range(1, synced), before);
    try (RollingJournal trimming = Records.open(disk)) {
      trimming.trim(synced);
    }
    assertTrue(Records.read(disk).size() < before.size());
  }

  @Test
  void roomThatComesBackIsUsed() throws IOException {
    disk.capacity(Records.FILE_BYTES + 1000);
    try (RollingJournal journal = Records.open(disk)) {
      Records.append(journal, 1, 20);
      journal.sync();
      assertFalse(disk.paths().contains(Records.DIRECTORY + "/spare"), "space was given back");
      disk.capacity(Long.MAX_VALUE);
      Records.append(journal, 21, 300);
      journal.sync();
    }
    assertEquals(Records.range(1, 300), Records.read(disk));
  }

  /** File systems that copy on write, or have no room in a directory, are full at any operation. */
  @Test
  void aFullDiskIsNamedWhateverFindsIt() throws IOException {
    int found = 0;
    for (int operation = 1; operation < 40; operation++) {
      MemoryDisk full = new MemoryDisk();
      synced = 0;
      full.failAt(operation, "No space left on device");
      try {
        RollingJournal journal = Records.open(full);
        for (int round = 0; round < 12; round++) {
          Records.append(journal, synced + 1, synced + 15);
          journal.sync();
          synced += 15;
          journal.trim(synced - 60);
        }
      } catch (DiskFullException e) {
        found++;
      }
      full.failAt(Integer.MAX_VALUE);
      List<Long> left = Records.read(full);
      long newest = left.isEmpty() ? 0 : left.get(left.size() - 1);
      assertTrue(newest >= synced, newest + " of " + synced);
    }
    assertTrue(found > 20, "found " + found);
  }

  @Test
  void aJournalIsNotMadeOnAFullDisk() throws IOException {
    disk.capacity(1000);
    IOException e = assertThrows(DiskFullException.class, () -> Records.open(disk));
    assertTrue(e.getMessage().startsWith("disk full: "), e.getMessage());
    disk.capacity(Long.MAX_VALUE);
    assertEquals(List.of(), Records.read(disk));
  }

  /** Appends until the disk, which has room for so many files, is full. */
  private void fill(int files) throws IOException {
    disk.capacity((long) files * Records.FILE_BYTES + 1000);
    RollingJournal journal = Records.open(disk);
    IOException e =
        assertThrows(
            DiskFullException.class,
            () -> {
              while (true) {
                Records.append(journal, synced + 1, synced + 1);
                journal.sync();
                synced++;
              }
            });
    assertTrue(e.getMessage().startsWith("disk full: "), e.getMessage());
    IOException again = assertThrows(IOException.class, journal::sync);
    assertTrue(again.getMessage().contains("failed before"), again.getMessage());
    journal.close();
  }
}
