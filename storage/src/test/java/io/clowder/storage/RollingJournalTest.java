// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RollingJournalTest {
  private final MemoryDisk disk = new MemoryDisk();

  @Test
  void givesBackWhatWasSynced() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      Records.append(journal, 1, 3);
      journal.sync();
      Records.append(journal, 4, 4);
      journal.sync();
      Records.append(journal, 5, 5);
    }
    assertEquals(Records.range(1, 4), Records.read(disk));
    assertEquals(Records.range(1, 4), Records.read(disk), "opened twice");
  }

  @Test
  void goesOnWhereItStopped() throws IOException {
    for (int round = 0; round < 30; round++) {
      try (RollingJournal journal = Records.open(disk)) {
        Records.append(journal, round * 5L, round * 5L + 4);
        journal.sync();
      }
    }
    assertEquals(Records.range(0, 149), Records.read(disk));
  }

  @Test
  void rollsWithinABatch() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      Records.append(journal, 1, 300);
      journal.sync();
      assertTrue(journal.sizeBytes() > 5 * Records.FILE_BYTES, "size " + journal.sizeBytes());
    }
    assertEquals(Records.range(1, 300), Records.read(disk));
  }

  @Test
  void takesRecordsLargerThanAFile() throws IOException {
    byte[] large = new byte[Limits.RECORD_BYTES];
    new Random(1).nextBytes(large);
    try (RollingJournal journal = Records.open(disk)) {
      Records.append(journal, 1, 1);
      journal.append(2, large, 0, large.length);
      Records.append(journal, 3, 3);
      journal.sync();
      assertThrows(
          IllegalArgumentException.class,
          () -> journal.append(4, new byte[large.length + 1], 0, large.length + 1));
      assertThrows(IllegalArgumentException.class, () -> journal.append(-1, large, 0, 1));
      Records.append(journal, 5, 5);
      journal.sync();
    }
    List<byte[]> records = new ArrayList<>();
    Records.open(disk, (tag, bytes) -> records.add(bytes)).close();
    assertEquals(4, records.size());
    assertArrayEquals(large, records.get(1));
  }

  @Test
  void takesAPartOfAnArray() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      journal.append(7, new byte[] {1, 2, 3, 4}, 1, 2);
      journal.sync();
    }
    List<byte[]> records = new ArrayList<>();
    Records.open(disk, (tag, bytes) -> records.add(bytes)).close();
    assertArrayEquals(new byte[] {2, 3}, records.get(0));
  }

  @Test
  void trimsWholeFilesOnly() throws IOException {
    RollingJournal journal = Records.open(disk);
    Records.append(journal, 1, 300);
    journal.sync();
    long before = journal.sizeBytes();
    journal.trim(0);
    assertEquals(before, journal.sizeBytes());
    journal.trim(150);
    long after = journal.sizeBytes();
    assertTrue(after < before * 2 / 3, before + " -> " + after);
    journal.close();
    List<Long> tags = Records.read(disk);
    long oldest = tags.get(0);
    assertTrue(oldest > 100 && oldest <= 151, "oldest " + oldest);
    assertEquals(Records.range(oldest, 300), tags);
  }

  @Test
  void trimsAllButTheNewestFile() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      Records.append(journal, 1, 300);
      journal.trim(Long.MAX_VALUE);
      assertTrue(journal.sizeBytes() < Records.FILE_BYTES, "size " + journal.sizeBytes());
      Records.append(journal, 301, 302);
      journal.sync();
    }
    List<Long> tags = Records.read(disk);
    assertEquals(302, tags.get(tags.size() - 1));
    assertEquals(1, new JournalFiles(disk, Records.DIRECTORY).numbers().size());
  }

  @Test
  void trimsAgainAndAgainInAFullFile() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      for (int round = 0; round < 200; round++) {
        Records.append(journal, 10L * round, 10L * round + 9);
        journal.sync();
        journal.trim(10L * round - 1);
      }
    }
    List<Long> tags = Records.read(disk);
    assertTrue(tags.get(0) <= 1990, "oldest " + tags.get(0));
    assertEquals(Records.range(tags.get(0), 1999), tags);
  }

  @Test
  void isDeadAfterAFailure() throws IOException {
    for (int operation = 1; operation <= 3; operation++) {
      MemoryDisk failing = new MemoryDisk();
      RollingJournal journal = Records.open(failing);
      Records.append(journal, 1, 300);
      journal.sync();
      failing.failAt(operation);
      Records.append(journal, 301, 301);
      IOException first =
          assertThrows(
              IOException.class,
              () -> {
                for (int tag = 302; tag < 400; tag++) {
                  journal.sync();
                  Records.append(journal, tag, tag);
                }
              });
      assertEquals("Input/output error", first.getMessage());
      failing.failAt(Integer.MAX_VALUE);
      IOException again = assertThrows(IOException.class, journal::sync);
      assertTrue(again.getMessage().contains("failed before"), again.getMessage());
      assertThrows(IOException.class, () -> journal.trim(100));
      assertThrows(IOException.class, () -> Records.append(journal, 500, 500));
      journal.close();
      List<Long> tags = Records.read(failing);
      assertEquals(Records.range(1, tags.size()), tags);
      assertTrue(tags.size() >= 300, tags.size() + " records");
    }
  }

  @Test
  void isDeadAfterAFailedTrim() throws IOException {
    RollingJournal journal = Records.open(disk);
    Records.append(journal, 1, 300);
    journal.sync();
    disk.failAt(2);
    assertThrows(IOException.class, () -> journal.trim(100));
    disk.failAt(Integer.MAX_VALUE);
    assertThrows(IOException.class, journal::sync);
    journal.close();
    List<Long> tags = Records.read(disk);
    assertEquals(300, tags.get(tags.size() - 1));
  }

  @Test
  void isOfNoUseWhenClosed() throws IOException {
    RollingJournal journal = Records.open(disk);
    journal.close();
    journal.close();
    assertThrows(IOException.class, journal::sync);
  }

  @Test
  void noSyncWaitsForTheNextFile() throws IOException {
    Deque<Runnable> background = new ArrayDeque<>();
    try (RollingJournal journal = Records.open(disk, background::add)) {
      String spare = Records.DIRECTORY + "/spare";
      disk.delete(spare);
      int before = disk.operations();
      Records.append(journal, 1, 1);
      journal.sync();
      Records.append(journal, 2, 2);
      journal.sync();
      assertEquals(before + 2, disk.operations(), "one write for a sync");
      assertEquals(List.of(), List.copyOf(background), "allocated when it was opened");
    }
    long tag = 3;
    try (RollingJournal journal = Records.open(disk, background::add)) {
      for (; background.isEmpty(); tag++) {
        Records.append(journal, tag, tag);
        journal.sync();
      }
      Records.append(journal, tag, tag);
      journal.sync();
      assertEquals(1, background.size(), "asked once");
      assertFalse(disk.paths().contains(Records.DIRECTORY + "/spare"));
      background.remove().run();
      assertEquals(Records.FILE_BYTES, disk.bytes(Records.DIRECTORY + "/spare").length);
      // It is put to use, and the one after it asked for.
      for (tag++; background.isEmpty(); tag++) {
        Records.append(journal, tag, tag);
        journal.sync();
      }
    }
    List<String> paths = disk.paths();
    background.remove().run();
    assertEquals(paths, disk.paths(), "nothing is done for a closed journal");
    assertEquals(0, disk.openFiles());
    assertEquals(Records.range(1, tag - 1), Records.read(disk));
  }

  @Test
  void isDeadAfterAFailureInTheBackground() throws IOException {
    Deque<Runnable> background = new ArrayDeque<>();
    RollingJournal journal = Records.open(disk, background::add);
    Records.append(journal, 1, 300);
    journal.sync();
    disk.failAt(1);
    background.remove().run();
    disk.failAt(Integer.MAX_VALUE);
    Records.append(journal, 301, 301);
    IOException first = assertThrows(IOException.class, journal::sync);
    assertEquals("Input/output error", first.getMessage());
    IOException again = assertThrows(IOException.class, journal::sync);
    assertEquals(first, again.getCause());
    journal.close();
  }

  @Test
  void leavesNoFileOpenThatItCouldNotUse() throws IOException {
    for (int operation = 1; operation < 6; operation++) {
      MemoryDisk failing = new MemoryDisk();
      failing.failAt(operation);
      assertThrows(IOException.class, () -> Records.open(failing));
      assertEquals(0, failing.openFiles(), "operation " + operation);
    }
    Records.open(disk).close();
    disk.failAt(1);
    assertThrows(IOException.class, () -> Records.open(disk));
    assertEquals(0, disk.openFiles());
  }

  @Test
  void hasTheNextFileReadyBeforeItIsNeeded() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      int tag = 0;
      while (journal.sizeBytes() < Records.FILE_BYTES / 2) {
        Records.append(journal, tag, tag);
        journal.sync();
        tag++;
      }
      assertEquals(Records.FILE_BYTES, disk.bytes(Records.DIRECTORY + "/spare").length);
      assertFalse(disk.paths().contains(Records.path(2)));
    }
  }
}
