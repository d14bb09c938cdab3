// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SimulatedDiskTest {
  private final SplittableRandom random = new SplittableRandom(3);
  private final SimulatedDisk disk = new SimulatedDisk(random);

  @Test
  void readsWhatWasWritten() throws IOException {
    try (var file = disk.open("a", true)) {
      file.write(0, bytes(5_000, 1));
      file.write(4_090, bytes(20, 2));
      assertEquals(5_000, file.size());
      byte[] read = read(file, 4_080, 40);
      for (int i = 0; i < 40; i++) {
        assertEquals(i >= 10 && i < 30 ? 2 : 1, read[i], "at " + i);
      }
      assertEquals(10, file.read(4_990, ByteBuffer.allocate(100)));
      assertEquals(0, file.read(5_000, ByteBuffer.allocate(100)));
    }
  }

  @Test
  void namesAreWhatTheContractSays() throws IOException {
    assertEquals(List.of(), disk.list("x"));
    assertThrows(NoSuchFileException.class, () -> disk.open("a", false));
    assertThrows(NoSuchFileException.class, () -> disk.open("x/a", true));
    disk.makeDirectory("x/y");
    disk.open("x/a", true).close();
    assertThrows(FileAlreadyExistsException.class, () -> disk.open("x/a", true));
    assertEquals(List.of("a", "y"), disk.list("x"));
    disk.open("x/b", true).close();
    disk.rename("x/b", "x/a");
    assertEquals(List.of("a", "y"), disk.list("x"));
    assertThrows(IOException.class, () -> disk.rename("x/a", "x/y/a"));
    disk.delete("x/a");
    disk.delete("x/a");
    assertEquals(List.of("y"), disk.list("x"));
  }

  @Test
  void aPowerFailureLosesWhatWasNotSynced() throws IOException {
    var file = created("a");
    file.write(0, bytes(1_000, 1));
    file.sync();
    file.write(500, bytes(1_000, 2));
    disk.powerFailure(Loss.everything());
    try (var again = disk.open("a", false)) {
      assertEquals(1_000, again.size());
      assertArrayEquals(filled(1_000, 1), read(again, 0, 1_000));
    }
  }

  @Test
  void whatWasWrittenDurablyStaysAsDoesEverythingBefore() throws IOException {
    var file = created("a");
    file.allocate(4_096);
    file.write(0, bytes(10, 1));
    file.writeDurably(100, bytes(10, 2));
    disk.powerFailure(Loss.everything());
    try (var again = disk.open("a", false)) {
      assertEquals(4_096, again.size());
      assertEquals(1, read(again, 9, 1)[0]);
      assertEquals(2, read(again, 100, 1)[0]);
      assertEquals(0, read(again, 110, 1)[0]);
    }
  }

  @Test
  void aWriteTearsBetweenSectorsInAnySubset() throws IOException {
    var seen = new TreeSet<String>();
    for (int i = 0; i < 2_000; i++) {
      var torn = new SimulatedDisk(random);
      try (var file = torn.open("a", true)) {
        file.allocate(2_048);
        torn.syncDirectory("");
        file.write(100, bytes(1_600, 1));
      }
      torn.powerFailure(Loss.random(random, true));
      try (var file = torn.open("a", false)) {
        byte[] found = read(file, 0, 2_048);
        var pattern = new StringBuilder();
        for (int sector = 0; sector < 4; sector++) {
          int from = Math.max(100, sector * 512);
          int to = Math.min(1_700, sector * 512 + 512);
          byte first = found[from];
          for (int at = from; at < to; at++) {
            assertEquals(first, found[at], "a sector is whole");
          }
          pattern.append(first);
        }
        seen.add(pattern.toString());
      }
    }
    assertEquals(16, seen.size(), seen::toString);
  }

  @Test
  void aSectorMayKeepAnEarlierVersion() throws IOException {
    var seen = new TreeSet<Byte>();
    for (int i = 0; i < 200; i++) {
      var torn = new SimulatedDisk(random);
      try (var file = torn.open("a", true)) {
        file.allocate(512);
        torn.syncDirectory("");
        file.write(0, bytes(512, 1));
        file.write(0, bytes(512, 2));
      }
      torn.powerFailure(Loss.random(random, true));
      try (var file = torn.open("a", false)) {
        seen.add(read(file, 0, 1)[0]);
      }
    }
    assertEquals("[0, 1, 2]", seen.toString());
  }

  @Test
  void aCutFileShowsZerosWhenItGrowsAgain() throws IOException {
    var file = created("a");
    file.write(0, bytes(2_000, 1));
    file.sync();
    file.truncate(700);
    assertEquals(700, file.size());
    file.write(1_500, bytes(10, 2));
    assertEquals(0, read(file, 1_000, 1)[0]);
    file.sync();
    disk.powerFailure(Loss.everything());
    try (var again = disk.open("a", false)) {
      assertEquals(1_510, again.size());
      assertEquals(1, read(again, 699, 1)[0]);
      assertEquals(0, read(again, 700, 1)[0]);
      assertEquals(2, read(again, 1_500, 1)[0]);
    }
  }

  @Test
  void namesAreLostUntilTheDirectoryIsSynced() throws IOException {
    var file = created("a");
    file.write(0, bytes(10, 1));
    file.sync();
    disk.rename("a", "b");
    var other = disk.open("c", true);
    other.write(0, bytes(10, 3));
    other.sync();
    disk.powerFailure(Loss.everything());
    assertEquals(List.of("a"), disk.list(""));
    disk.delete("a");
    disk.syncDirectory("");
    disk.powerFailure(Loss.everything());
    assertEquals(List.of(), disk.list(""));
    // Who has it open still reads it.
    assertEquals(1, read(file, 0, 1)[0]);
  }

  @Test
  void aRenameIsAllOrNothing() throws IOException {
    for (int i = 0; i < 100; i++) {
      var fresh = new SimulatedDisk(random);
      fresh.open("target", true).close();
      try (var file = fresh.open("temporary", true)) {
        file.writeDurably(0, bytes(10, 1));
      }
      fresh.syncDirectory("");
      fresh.rename("temporary", "target");
      fresh.powerFailure(Loss.random(random, false));
      boolean renamed = fresh.list("").equals(List.of("target"));
      try (var file = fresh.open("target", false)) {
        assertEquals(renamed ? 10 : 0, file.size());
      }
    }
  }

  @Test
  void aFailedSyncIsNotMadeGoodByTheNextOne() throws IOException {
    var file = created("a");
    file.allocate(100 * 512);
    file.write(0, bytes(100 * 512, 1));
    disk.failSyncs(1);
    assertThrows(IOException.class, file::sync);
    assertEquals(1, read(file, 99 * 512, 1)[0]);
    file.sync();
    disk.powerFailure(Loss.nothing());
    try (var again = disk.open("a", false)) {
      byte[] found = read(again, 0, 100 * 512);
      int kept = 0;
      for (int i = 0; i < 100; i++) {
        kept += found[i * 512];
      }
      assertTrue(kept < 100, "kept " + kept);
    }
  }

  @Test
  void aFullDiskRefusesToGrowAndTakesWhatIsInPlace() throws IOException {
    var file = created("a");
    file.allocate(1_000);
    disk.limitCapacity(1_500);
    assertEquals(500, disk.freeBytes());
    file.write(0, bytes(1_000, 1));
    assertThrows(IOException.class, () -> file.write(900, bytes(700, 2)));
    assertEquals(1_000, file.size());
    assertThrows(IOException.class, () -> file.allocate(1_501));
    file.allocate(1_500);
    assertEquals(0, disk.freeBytes());
  }

  @Test
  void bitsFlipOnDemand() throws IOException {
    var file = created("a");
    file.writeDurably(0, bytes(10, 1));
    disk.flip("a", 3, 0x80);
    assertEquals((byte) 0x81, read(file, 3, 1)[0]);
    disk.powerFailure(Loss.nothing());
    try (var again = disk.open("a", false)) {
      assertEquals((byte) 0x81, read(again, 3, 1)[0]);
    }
  }

  private Disk.File created(String path) throws IOException {
    var file = disk.open(path, true);
    disk.syncDirectory("");
    return file;
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static ByteBuffer bytes(int length, int value) {
    return ByteBuffer.wrap(filled(length, value));
  }

  private static byte[] read(Disk.File file, long offset, int length) throws IOException {
    var target = ByteBuffer.allocate(length);
    assertEquals(length, file.read(offset, target));
    return target.array();
  }
}
