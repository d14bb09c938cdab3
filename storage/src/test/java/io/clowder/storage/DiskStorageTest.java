// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.storage.MemoryDisk.PowerFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class DiskStorageTest {
  private static final NodeId N1 = new NodeId("n1");

  private final MemoryDisk disk = new MemoryDisk();

  @Test
  void keepsItsIncarnation() throws IOException {
    long first = open(disk, N1, "c", 1).incarnation();
    assertNotEquals(0, first);
    assertEquals(first, open(disk, N1, "c", 2).incarnation());
    assertNotEquals(first, open(new MemoryDisk(), N1, "c", 2).incarnation());
  }

  @Test
  void isNotAnothersDirectory() throws IOException {
    open(disk, N1, "c", 1);
    IOException e = assertThrows(IOException.class, () -> open(disk, new NodeId("n2"), "c", 1));
    assertEquals(
        "belongs to node 'n1' of cluster 'c', not to node 'n2' of cluster 'c'", e.getMessage());
    e = assertThrows(IOException.class, () -> open(disk, N1, "d", 1));
    assertTrue(e.getMessage().contains("cluster 'd'"), e.getMessage());
  }

  @Test
  void aDamagedIdentityIsRefused() throws IOException {
    open(disk, N1, "c", 1);
    byte[] whole = disk.bytes("identity").clone();
    for (int at = 0; at < whole.length; at++) {
      disk.replace("identity", whole.clone());
      disk.bytes("identity")[at] ^= 0x11;
      assertThrows(IOException.class, () -> open(disk, N1, "c", 1), "byte " + at);
    }
    for (int length = 0; length < whole.length; length++) {
      disk.replace("identity", Arrays.copyOf(whole, length));
      assertThrows(CorruptionException.class, () -> open(disk, N1, "c", 1), "length " + length);
    }
    byte[] newer = whole.clone();
    newer[11] = 9;
    disk.replace("identity", newer);
    IOException e = assertThrows(IOException.class, () -> open(disk, N1, "c", 1));
    assertTrue(e.getMessage().contains("format 9 was written by a newer"), e.getMessage());
  }

  @Test
  void stateWithoutAnIdentityIsRefused() throws IOException {
    open(disk, N1, "c", 1).openJournal("main/0", (tag, bytes) -> {}).close();
    disk.delete("identity");
    IOException e = assertThrows(IOException.class, () -> open(disk, N1, "c", 1));
    assertTrue(e.getMessage().contains("no file 'identity'"), e.getMessage());
  }

  @Test
  void theFirstOpeningSurvivesAPowerFailure() throws IOException {
    for (int at = 1; at <= 4; at++) {
      for (int seed = 0; seed < 10; seed++) {
        MemoryDisk crashing = new MemoryDisk();
        crashing.crashAt(at, seed % 2 == 0);
        assertThrows(
            PowerFailure.class,
            () -> open(crashing, N1, "c", 1).openJournal("main/0", (tag, bytes) -> {}));
        crashing.restart(new Random(seed));
        open(crashing, N1, "c", 1).openJournal("main/0", (tag, bytes) -> {}).close();
      }
    }
  }

  @Test
  void whatAKilledProcessBeganIsDurableOnceItIsUsed() throws IOException {
    for (int at = 1; at <= 8; at++) {
      for (int seed = 0; seed < 10; seed++) {
        MemoryDisk killed = new MemoryDisk();
        killed.crashAt(at, seed % 2 == 0);
        assertThrows(
            PowerFailure.class,
            () -> open(killed, N1, "c", 1).openJournal("main/0", (tag, bytes) -> {}));
        killed.crashAt(Integer.MAX_VALUE, false);
        DiskStorage storage = open(killed, N1, "c", 2);
        try (Journal journal = storage.openJournal("main/0", (tag, bytes) -> {})) {
          Records.append(journal, 1, 1);
          journal.sync();
        }
        killed.restart(new Random(seed));
        DiskStorage again = open(killed, N1, "c", 3);
        assertEquals(storage.incarnation(), again.incarnation());
        int[] records = new int[1];
        again.openJournal("main/0", (tag, bytes) -> records[0]++).close();
        assertEquals(1, records[0], "killed at operation " + at);
      }
    }
  }

  @Test
  void aDeletionThatWasShownAfterAKillSurvivesAPowerFailure() throws IOException {
    for (int at = 1; at < 20; at++) {
      for (int seed = 0; seed < 10; seed++) {
        MemoryDisk killed = new MemoryDisk();
        try (Journal journal = open(killed, N1, "c", 1).openJournal("j", (tag, bytes) -> {})) {
          Records.append(journal, 1, 200);
          journal.sync();
        }
        killed.crashAt(at, seed % 2 == 0);
        try {
          open(killed, N1, "c", 1).deleteJournal("j");
        } catch (PowerFailure expected) {
          killed.crashAt(3 + seed % 5, true);
        }
        List<Long> shown = new ArrayList<>();
        boolean opened = false;
        try {
          open(killed, N1, "c", 1).openJournal("j", (tag, bytes) -> shown.add(tag)).close();
          opened = true;
        } catch (PowerFailure expected) {
          shown.clear();
        }
        killed.restart(new Random(seed));
        List<Long> left = new ArrayList<>();
        open(killed, N1, "c", 1).openJournal("j", (tag, bytes) -> left.add(tag)).close();
        assertTrue(left.isEmpty() || left.size() == 200, left.size() + " left");
        if (opened) {
          assertEquals(shown, left, "killed at operation " + at);
        }
      }
    }
  }

  @Test
  void journalsHaveNamesOfTheirOwn() throws IOException {
    DiskStorage storage = open(disk, N1, "c", 1);
    for (String name : List.of("main/0", "main/1", "main", "other")) {
      try (Journal journal = storage.openJournal(name, (tag, bytes) -> {})) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        journal.append(0, bytes, 0, bytes.length);
        journal.sync();
      }
      storage.openSnapshots(name);
    }
    assertEquals(List.of("main/1"), records(storage, "main/1"));
    assertEquals(List.of("main"), records(storage, "main"));
    for (String name : List.of("", "../x", "a/", "/a", "a//b", ".a", "a b")) {
      assertThrows(
          IllegalArgumentException.class, () -> storage.openJournal(name, (tag, bytes) -> {}));
    }
  }

  @Test
  void theJournalsOfAGroupAreListedByTheirNumbers() throws IOException {
    DiskStorage storage = open(disk, N1, "c", 1);
    assertEquals(List.of(), storage.journals("main"));
    for (String name : List.of("main/10", "main/9", "main/0", "main", "main/x", "mainly/1")) {
      storage.openJournal(name, (tag, bytes) -> {}).close();
    }
    // Not a number as we write it; of another group; of a group beneath.
    for (String name : List.of("main/01", "main/9/4", "main/1234567890123456789", "other/2")) {
      storage.openJournal(name, (tag, bytes) -> {}).close();
    }
    storage.openSnapshots("main/5");
    assertEquals(List.of("main/0", "main/9", "main/10"), storage.journals("main"));
    assertEquals(List.of("main/9/4"), storage.journals("main/9"));
    assertEquals(List.of(), storage.journals("none"));

    Journal open = storage.openJournal("main/11", (tag, bytes) -> {});
    storage.deleteJournal("main/9");
    assertEquals(List.of("main/0", "main/10", "main/11"), storage.journals("main"));
    open.append(1, new byte[1], 0, 1);
    open.sync();
    open.close();
    assertEquals(List.of("main/0", "main/10", "main/11"), open(disk, N1, "c", 1).journals("main"));
    assertThrows(IllegalArgumentException.class, () -> storage.journals("../x"));
    storage.close();
    assertThrows(IllegalStateException.class, () -> storage.journals("main"));
  }

  @Test
  void anOpenJournalIsNotOpenedOrDeleted() throws IOException {
    DiskStorage storage = open(disk, N1, "c", 1);
    Journal journal = storage.openJournal("main/0", (tag, bytes) -> {});
    assertThrows(IllegalStateException.class, () -> storage.openJournal("main/0", (t, b) -> {}));
    assertThrows(IllegalStateException.class, () -> storage.deleteJournal("main/0"));
    journal.close();
    storage.openJournal("main/0", (tag, bytes) -> {}).close();
  }

  @Test
  void aDeletedJournalIsGoneWhereverThePowerFails() throws IOException {
    for (int at = 1; at < 100; at++) {
      MemoryDisk crashing = new MemoryDisk();
      try (Journal journal = open(crashing, N1, "c", 1).openJournal("j", (tag, bytes) -> {})) {
        Records.append(journal, 1, 200);
        journal.sync();
      }
      crashing.crashAt(at, at % 2 == 0);
      boolean deleted = false;
      try {
        open(crashing, N1, "c", 1).deleteJournal("j");
        deleted = true;
      } catch (PowerFailure expected) {
        crashing.restart(new Random(at));
      }
      crashing.crashAt(Integer.MAX_VALUE, false);
      List<Long> tags = new ArrayList<>();
      open(crashing, N1, "c", 1).openJournal("j", (tag, bytes) -> tags.add(tag)).close();
      assertTrue(
          tags.isEmpty() || (!deleted && tags.equals(Records.range(1, 200))), at + ": " + tags);
      if (deleted) {
        open(crashing, N1, "c", 1).deleteJournal("none");
        return;
      }
    }
    throw new AssertionError("the deletion does not end");
  }

  @Test
  void deletedSnapshotsAreGoneForThoseWhoHaveThem() throws IOException {
    DiskStorage storage = open(disk, N1, "c", 1);
    for (String name : List.of("stores/s/12", "stores/s/7", "stores/s/none")) {
      write(storage.openSnapshots(name), 1);
    }
    storage.openSnapshots("stores/s/3");
    assertEquals(List.of("stores/s/7", "stores/s/12"), storage.snapshots("stores/s"));

    Snapshots gone = storage.openSnapshots("stores/s/12");
    write(gone, 2);
    Snapshots.Snapshot snapshot = Objects.requireNonNull(gone.latest());
    Snapshots.Writing late = gone.begin(3);
    storage.deleteSnapshots("stores/s/12");
    storage.deleteSnapshots("stores/s/12");
    storage.deleteSnapshots("stores/t/1");
    assertThrows(IOException.class, () -> snapshot.read(0, ByteBuffer.allocate(1)));
    assertThrows(IOException.class, () -> late.commit(null));
    assertEquals(List.of("stores/s/7"), storage.snapshots("stores/s"));
    assertEquals(List.of("stores/s/7"), open(disk, N1, "c", 1).snapshots("stores/s"));
    assertNull(storage.openSnapshots("stores/s/12").latest());
  }

  private static void write(Snapshots snapshots, long position) throws IOException {
    try (Snapshots.Writing writing = snapshots.begin(position)) {
      writing.content().write(1);
      writing.commit(null);
    }
  }

  @Test
  void closingClosesEverything() throws IOException {
    DiskStorage storage = open(disk, N1, "c", 1);
    Journal journal = storage.openJournal("main/0", (tag, bytes) -> {});
    storage.openSnapshots("main");
    storage.close();
    storage.close();
    assertThrows(IOException.class, journal::sync);
    assertThrows(IllegalStateException.class, () -> storage.openSnapshots("main"));
  }

  private static List<String> records(DiskStorage storage, String name) throws IOException {
    List<String> records = new ArrayList<>();
    storage
        .openJournal(name, (tag, bytes) -> records.add(new String(bytes, StandardCharsets.UTF_8)))
        .close();
    return records;
  }

  private static DiskStorage open(Disk disk, NodeId node, String cluster, long seed)
      throws IOException {
    return DiskStorage.open(disk, node, cluster, new Random(seed), Records.FILE_BYTES);
  }
}
