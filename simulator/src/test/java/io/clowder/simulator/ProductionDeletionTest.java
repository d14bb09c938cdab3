// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.storage.DiskStorage;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The journals of a group, made and removed, crashed at every point: listed and whole, or gone. */
class ProductionDeletionTest {
  private static final int FILE_BYTES = 16 << 10;
  private static final int GONE = -1;

  /** How many records each journal may have after a crash at this moment, or {@link #GONE}. */
  private final Map<String, Set<Integer>> allowed = new TreeMap<>();

  @Test
  void aJournalIsWholeOrGoneWhenThePowerFails() throws IOException {
    for (boolean journaled : new boolean[] {true, false}) {
      var enumeration = enumeration(8, journaled, false);
      enumeration.run(this::script);
      assertTrue(enumeration.points() > 200, "points: " + enumeration.points());
    }
  }

  @Test
  void whatWasShownAfterAKillIsNotLostWhenThePowerFails() throws IOException {
    enumeration(0, true, true).run(this::script);
  }

  private CrashEnumeration<SortedMap<String, Integer>> enumeration(
      int subsets, boolean journaled, boolean kills) {
    return new CrashEnumeration<>(
        new SplittableRandom(13), subsets, journaled, kills, this::recover);
  }

  private void script(Disk disk) throws IOException {
    allowed.clear();
    try (var storage = open(disk)) {
      fill(storage, "main/0", 40);
      fill(storage, "main/1", 3);
      delete(storage, "main/0");
      fill(storage, "main/0", 2);
      delete(storage, "main/1");
    }
  }

  private void fill(DiskStorage storage, String name, int records) throws IOException {
    allowed.put(name, Set.of(GONE, 0));
    try (var journal = storage.openJournal(name, (tag, bytes) -> {})) {
      for (int number = 1; number <= records; number++) {
        allowed.put(name, Set.of(number - 1, number));
        journal.append(number, new byte[1_000], 0, 1_000);
        journal.sync();
      }
    }
    allowed.put(name, Set.of(records));
  }

  private void delete(DiskStorage storage, String name) throws IOException {
    int records = allowed.get(name).iterator().next();
    allowed.put(name, Set.of(records, GONE));
    storage.deleteJournal(name);
    allowed.put(name, Set.of(GONE));
  }

  private SortedMap<String, Integer> recover(Disk disk) throws IOException {
    SortedMap<String, Integer> found = new TreeMap<>();
    try (var storage = open(disk)) {
      for (String name : storage.journals("main")) {
        int[] count = new int[1];
        storage.openJournal(name, (tag, bytes) -> count[0]++).close();
        found.put(name, count[0]);
      }
    }
    allowed.forEach(
        (name, counts) -> {
          int count = found.getOrDefault(name, GONE);
          assertTrue(counts.contains(count), name + " has " + count + " of " + counts);
        });
    assertTrue(allowed.keySet().containsAll(found.keySet()), found.toString());
    return found;
  }

  private static DiskStorage open(Disk disk) throws IOException {
    return DiskStorage.open(disk, new NodeId("n1"), "test", new SplittableRandom(5), FILE_BYTES);
  }
}
