// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.storage.MemoryDisk.PowerFailure;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Journals of a group come and go, and the power fails before and within every operation of that,
 * and again while what is left is looked at. A journal is listed and whole, or it is gone.
 */
final class JournalDeletionTest {
  private static final int SEEDS = 4;
  private static final int GONE = -1;

  /** How many records each journal may have after a crash at this moment, or {@link #GONE}. */
  private final Map<String, Set<Integer>> allowed = new TreeMap<>();

  @Test
  void survivesAPowerFailureAtEveryOperation() throws IOException {
    int operations = operations();
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
    int operations = operations();
    for (int at = 1; at <= operations; at++) {
      for (int seed = 0; seed < SEEDS; seed++) {
        String where = "killed at operation " + at + ", seed " + seed;
        MemoryDisk disk = new MemoryDisk();
        disk.crashAt(at, seed % 2 == 0);
        assertThrows(PowerFailure.class, () -> live(disk), where);
        disk.crashAt(Integer.MAX_VALUE, false);
        List<String> listed = open(disk).journals("main");
        Random random = new Random(seed * 1_000_003L + at);
        MemoryDisk listedOnly = disk.copy();
        disk.restart(random);
        assertEquals(listed, open(disk).journals("main"), where);
        SortedMap<String, Integer> shown = show(listedOnly, where);
        assertEquals(listed, List.copyOf(shown.keySet()), where);
        listedOnly.restart(random);
        assertEquals(shown, show(listedOnly, where), where);
      }
    }
  }

  @Test
  void aRemovalThatWasInterruptedIsFinishedByLooking() throws IOException {
    for (int at = 1; ; at++) {
      MemoryDisk disk = new MemoryDisk();
      fill(open(disk), "main/0", 200);
      disk.crashAt(at, false);
      try {
        open(disk).deleteJournal("main/0");
        assertTrue(at > 5, "crashed at " + at + " operations only");
        return;
      } catch (PowerFailure expected) {
        disk.restart(new Random(at));
      }
      List<String> names = open(disk).journals("main");
      long left = disk.paths().stream().filter(it -> it.startsWith("journals/main/0")).count();
      assertEquals(names.isEmpty(), left == 0, at + ": " + disk.paths());
    }
  }

  @Test
  void whatMakingAJournalHadAllocatedIsGivenBack() throws IOException {
    for (boolean byLooking : List.of(true, false)) {
      MemoryDisk disk = new MemoryDisk();
      open(disk);
      // The spare is there, and not a file of the journal yet.
      disk.crashAt(3, false);
      assertThrows(PowerFailure.class, () -> open(disk).openJournal("main/0", (tag, b) -> {}));
      disk.crashAt(Integer.MAX_VALUE, false);
      assertTrue(disk.paths().contains("journals/main/0/spare"), disk.paths()::toString);
      if (byLooking) {
        assertEquals(List.of(), open(disk).journals("main"));
      } else {
        open(disk).deleteJournal("main/0");
      }
      disk.restart(new Random(1));
      assertEquals(List.of("identity"), disk.paths());
    }
  }

  private int operations() throws IOException {
    MemoryDisk whole = new MemoryDisk();
    live(whole);
    int operations = whole.operations();
    check(show(whole, "no crash"), "no crash");
    return operations;
  }

  private void crash(int at, boolean within, int seed) throws IOException {
    String where = "operation " + at + (within ? " within" : "") + ", seed " + seed;
    Random random = new Random(seed * 1_000_003L + at);
    MemoryDisk disk = new MemoryDisk();
    disk.crashAt(at, within);
    assertThrows(PowerFailure.class, () -> live(disk), where);
    disk.restart(random);
    // Looking is interrupted too, until it gets through.
    for (int more = 1 + random.nextInt(4); ; more += 1 + random.nextInt(4)) {
      disk.crashAt(more, random.nextBoolean());
      try {
        check(show(disk, where), where);
        break;
      } catch (PowerFailure expected) {
        disk.restart(random);
      }
    }
    disk.crashAt(Integer.MAX_VALUE, false);
    SortedMap<String, Integer> shown = show(disk, where);
    check(shown, where);
    disk.restart(random);
    assertEquals(shown, show(disk, where), where);
    // What is gone begins anew, and what is there can go.
    for (Map.Entry<String, Set<Integer>> each : allowed.entrySet()) {
      if (!shown.containsKey(each.getKey())) {
        assertEquals(0, count(open(disk), each.getKey()), where);
      }
      open(disk).deleteJournal(each.getKey());
    }
    disk.restart(random);
    assertEquals(List.of(), open(disk).journals("main"), where);
  }

  private void check(SortedMap<String, Integer> shown, String where) {
    allowed.forEach(
        (name, counts) -> {
          int count = shown.getOrDefault(name, GONE);
          assertTrue(
              counts.contains(count), where + ": " + name + " has " + count + " of " + counts);
        });
    assertTrue(allowed.keySet().containsAll(shown.keySet()), where + ": " + shown);
  }

  /** Which journals there are, and how many records each has. */
  private static SortedMap<String, Integer> show(MemoryDisk disk, String where) throws IOException {
    SortedMap<String, Integer> shown = new TreeMap<>();
    DiskStorage storage = open(disk);
    for (String name : storage.journals("main")) {
      shown.put(name, count(storage, name));
    }
    assertEquals(List.copyOf(shown.keySet()), storage.journals("main"), where);
    return shown;
  }

  private static int count(DiskStorage storage, String name) throws IOException {
    int[] count = new int[1];
    Journal.Replay replay =
        (tag, bytes) -> {
          assertEquals(++count[0], tag, name);
          assertArrayEquals(Records.content(tag), bytes, name);
        };
    storage.openJournal(name, replay).close();
    return count[0];
  }

  /** Segments follow each other, and one that is gone begins anew; the same in every run. */
  private void live(MemoryDisk disk) throws IOException {
    allowed.clear();
    DiskStorage storage = open(disk);
    fill(storage, "main/0", 60);
    fill(storage, "main/1", 120);
    delete(storage, "main/0");
    fill(storage, "main/2", 0);
    fill(storage, "main/0", 5);
    delete(storage, "main/2");
    delete(storage, "main/1");
    delete(storage, "main/0");
    fill(storage, "main/3", 40);
  }

  private void fill(DiskStorage storage, String name, int records) throws IOException {
    allowed.put(name, Set.of(GONE, 0));
    try (Journal journal = storage.openJournal(name, (tag, bytes) -> {})) {
      allowed.put(name, Set.of(0));
      for (int synced = 0; synced < records; synced += 20) {
        int next = Math.min(records, synced + 20);
        allowed.put(
            name, Set.copyOf(Records.range(synced, next).stream().map(Long::intValue).toList()));
        Records.append(journal, synced + 1, next);
        journal.sync();
        allowed.put(name, Set.of(next));
      }
    }
  }

  private void delete(DiskStorage storage, String name) throws IOException {
    int records = allowed.get(name).iterator().next();
    allowed.put(name, Set.of(records, GONE));
    storage.deleteJournal(name);
    allowed.put(name, Set.of(GONE));
  }

  private static DiskStorage open(Disk disk) throws IOException {
    return DiskStorage.open(disk, new NodeId("n1"), "c", new Random(1), Records.FILE_BYTES);
  }
}
