// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Journal;
import io.clowder.storage.MemoryDisk.PowerFailure;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The power fails before and within every operation of a life of a journal, and again while it
 * recovers. What was synced is there, and what is there follows without a gap.
 */
final class JournalCrashTest {
  private static final int SEEDS = 4;

  private long appended;
  private long synced;
  private long trimmed;

  @Test
  void survivesAPowerFailureAtEveryOperation() throws IOException {
    MemoryDisk whole = new MemoryDisk();
    live(whole);
    int operations = whole.operations();
    assertTrue(operations > 100, operations + " operations");
    for (int at = 1; at <= operations; at++) {
      for (int seed = 0; seed < SEEDS; seed++) {
        crash(at, false, seed);
        crash(at, true, seed);
      }
    }
  }

  @Test
  void whatWasShownAfterAKillSurvivesAPowerFailure() throws IOException {
    MemoryDisk whole = new MemoryDisk();
    live(whole);
    for (int at = 1; at <= whole.operations(); at++) {
      for (int seed = 0; seed < SEEDS; seed++) {
        String where = "killed at operation " + at + ", seed " + seed;
        MemoryDisk disk = new MemoryDisk();
        disk.crashAt(at, seed % 2 == 0);
        assertThrows(PowerFailure.class, () -> live(disk), where);
        Random random = new Random(seed * 1_000_003L + at);
        // The next process is interrupted too, at times.
        disk.crashAt(1 + random.nextInt(8), random.nextBoolean());
        List<Long> shown = List.of();
        try {
          shown = checkState(disk, where);
        } catch (PowerFailure expected) {
          shown = List.of();
        }
        disk.restart(random);
        List<Long> left = checkState(disk, where);
        if (!shown.isEmpty()) {
          assertEquals(shown, left, where);
        }
      }
    }
  }

  @Test
  void whatWasShownAfterAFailedSyncSurvivesAPowerFailure() throws IOException {
    int more = 0;
    for (int records = 1; records < 120; records++) {
      MemoryDisk disk = new MemoryDisk();
      RollingJournal journal = Records.open(disk);
      Records.append(journal, 1, records);
      journal.sync();
      disk.failSyncs(true);
      long first = records + 1L;
      assertThrows(
          IOException.class,
          () -> {
            Records.append(journal, first, first + 4);
            journal.sync();
          });
      disk.failSyncs(false);
      List<Long> shown = Records.read(disk);
      assertTrue(shown.size() >= records, shown.size() + " shown");
      more += shown.size() - records;
      disk.restart(new Random(records));
      assertEquals(shown, Records.read(disk));
    }
    assertTrue(more > 0, "nothing was shown that was not on the disk");
  }

  private void crash(int at, boolean within, int seed) throws IOException {
    String where = "operation " + at + (within ? " within" : "") + ", seed " + seed;
    Random random = new Random(seed * 1_000_003L + at);
    MemoryDisk disk = new MemoryDisk();
    disk.crashAt(at, within);
    try {
      live(disk);
      throw new AssertionError("no crash: " + where);
    } catch (PowerFailure expected) {
      disk.restart(random);
    }
    // Recovery is interrupted too, until it gets through.
    for (int more = 1 + random.nextInt(4); ; more += 1 + random.nextInt(4)) {
      disk.crashAt(more, random.nextBoolean());
      try {
        checkState(disk, where);
        break;
      } catch (PowerFailure expected) {
        disk.restart(random);
      }
    }
    disk.crashAt(Integer.MAX_VALUE, false);
    List<Long> tags = checkState(disk, where);
    assertEquals(tags, Records.read(disk), where);
    long next = tags.isEmpty() ? trimmed + 1 : tags.get(tags.size() - 1) + 1;
    try (Journal journal = Records.open(disk)) {
      Records.append(journal, next, next + 60);
      journal.sync();
    }
    disk.restart(random);
    List<Long> after = Records.read(disk);
    assertEquals(next + 60, after.get(after.size() - 1), where);
    assertEquals(Records.range(after.get(0), next + 60), after, where);
  }

  private List<Long> checkState(MemoryDisk disk, String where) throws IOException {
    List<Long> tags = Records.read(disk);
    long newest = tags.isEmpty() ? trimmed : tags.get(tags.size() - 1);
    long oldest = tags.isEmpty() ? newest + 1 : tags.get(0);
    assertTrue(newest >= synced, where + ": newest " + newest + " of " + synced + " synced");
    assertTrue(newest <= appended, where + ": newest " + newest + " of " + appended);
    assertTrue(oldest <= trimmed + 1, where + ": oldest " + oldest + ", trimmed " + trimmed);
    assertEquals(Records.range(oldest, newest), tags, where);
    return tags;
  }

  /** Opens, appends, syncs, rolls, trims, and opens again; the same in every run. */
  private void live(MemoryDisk disk) throws IOException {
    appended = 0;
    synced = 0;
    trimmed = 0;
    Random random = new Random(3);
    for (int opening = 0; opening < 3; opening++) {
      RollingJournal journal = Records.open(disk);
      for (int round = 0; round < 12; round++) {
        long first = appended + 1;
        appended += 1 + random.nextInt(12);
        Records.append(journal, first, appended);
        journal.sync();
        synced = appended;
        if (random.nextInt(4) == 0) {
          trimmed = Math.max(trimmed, synced - random.nextInt(40));
          journal.trim(trimmed);
        }
      }
      journal.close();
    }
  }
}
