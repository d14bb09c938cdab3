// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Storage.CorruptionException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Damage on the medium: found, or of no consequence for what was acknowledged. */
final class JournalDamageTest {
  private static final int LAST_SYNC = 3;

  private final MemoryDisk disk = new MemoryDisk();
  private long last;
  private long lastFile;

  /** Three files; the last sync has records {@code last - LAST_SYNC + 1} to {@code last}. */
  @BeforeEach
  void writeJournal() throws IOException {
    try (RollingJournal journal = Records.open(disk)) {
      while (journal.sizeBytes() < 2 * Records.FILE_BYTES + 2 * Blocks.BLOCK) {
        Records.append(journal, last + 1, last + LAST_SYNC);
        journal.sync();
        last += LAST_SYNC;
      }
    }
    List<Long> numbers = new JournalFiles(disk, Records.DIRECTORY).numbers();
    lastFile = numbers.get(numbers.size() - 1);
    assertEquals(3, lastFile);
    assertEquals(Records.range(1, last), Records.read(disk));
  }

  @Test
  void everyFlippedBitIsFoundOrInTheLastSync() throws IOException {
    Random random = new Random(5);
    int[] found = new int[2];
    for (long number = 1; number <= lastFile; number++) {
      String path = Records.path(number);
      byte[] bytes = disk.bytes(path);
      for (int sector = 0; sector < bytes.length; sector += Blocks.SECTOR) {
        boolean used = isUsed(bytes, sector);
        // Every bit of the headers, and some of what the checksums cover alike.
        int headerEnd = used ? sector + FrameHeader.BYTES : sector;
        for (int at = sector;
            at < sector + Blocks.SECTOR;
            at += at < headerEnd ? 1 : used ? 9 : 61) {
          for (int bit = 0; bit < (at < headerEnd ? 8 : 1); bit++) {
            int flipped = at;
            int mask = 1 << (at < headerEnd ? bit : random.nextInt(8));
            found[openDamaged(path, damaged -> damaged[flipped] ^= (byte) mask)]++;
          }
        }
      }
    }
    assertTrue(found[0] > 1000 && found[1] > 1000, Arrays.toString(found));
  }

  @Test
  void everyTruncationIsFound() throws IOException {
    for (long number = 1; number <= lastFile; number++) {
      String path = Records.path(number);
      for (int length = 0; length < Records.FILE_BYTES; length += 29) {
        MemoryDisk cut = disk.copy();
        cut.replace(path, Arrays.copyOf(disk.bytes(path), length));
        assertThrows(CorruptionException.class, () -> Records.read(cut), path + " " + length);
      }
    }
  }

  @Test
  void aLostSectorIsFoundOrInTheLastSync() throws IOException {
    byte[] noise = new byte[Blocks.SECTOR];
    new Random(6).nextBytes(noise);
    for (long number = 1; number <= lastFile; number++) {
      String path = Records.path(number);
      for (int sector = 0; sector < Records.FILE_BYTES; sector += Blocks.SECTOR) {
        int start = sector;
        openDamaged(path, d -> Arrays.fill(d, start, start + Blocks.SECTOR, (byte) 0));
        openDamaged(path, d -> System.arraycopy(noise, 0, d, start, noise.length));
      }
    }
  }

  @Test
  void corruptionNamesFileAndOffsetAndChangesNothing() {
    String path = Records.path(2);
    disk.bytes(path)[JournalHeader.AREA + 30] ^= 1;
    List<byte[]> before = disk.paths().stream().map(p -> disk.bytes(p).clone()).toList();
    CorruptionException e = assertThrows(CorruptionException.class, () -> Records.read(disk));
    assertTrue(e.getMessage().startsWith(path + " at offset 4096: "), e.getMessage());
    List<byte[]> after = disk.paths().stream().map(disk::bytes).toList();
    assertEquals(before.size(), after.size());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i), disk.paths().get(i));
    }
  }

  @Test
  void garbageBehindTheEndIsATornWrite() throws IOException {
    byte[] bytes = disk.bytes(Records.path(lastFile));
    Arrays.fill(bytes, bytes.length - 1000, bytes.length, (byte) 0x43);
    assertEquals(Records.range(1, last), Records.read(disk));
    assertEquals(0, disk.bytes(Records.path(lastFile))[bytes.length - 1]);
    try (RollingJournal journal = Records.open(disk)) {
      Records.append(journal, last + 1, last + 200);
      journal.sync();
    }
    assertEquals(Records.range(1, last + 200), Records.read(disk));
  }

  @Test
  void everyMissingFileIsFound() throws IOException {
    for (long number = 1; number <= lastFile; number++) {
      MemoryDisk without = disk.copy();
      without.delete(Records.path(number));
      IOException e = assertThrows(CorruptionException.class, () -> Records.read(without));
      assertTrue(e.getMessage().startsWith(Records.path(number) + ": this file"), e.getMessage());
    }
    for (long number = 1; number <= lastFile; number++) {
      disk.delete(Records.path(number));
    }
    assertThrows(CorruptionException.class, () -> Records.read(disk));
  }

  @Test
  void filesOfOthersAreRefused() throws IOException {
    MemoryDisk other = new MemoryDisk();
    JournalFiles files = new JournalFiles(other, Records.DIRECTORY);
    JournalHeader.Owner owner = new JournalHeader.Owner(0xD09, Records.NAME);
    RollingJournal.open(
            files, owner, Records.FILE_BYTES, Runnable::run, (tag, bytes) -> {}, () -> {})
        .close();
    IOException e = assertThrows(IOException.class, () -> Records.read(other));
    assertEquals(
        Records.path(1)
            + ": belongs to journal 'main/0' of incarnation d09, not to journal 'main/0' of"
            + " incarnation 1ca7; who put it here?",
        e.getMessage());

    disk.replace(Records.path(3), disk.bytes(Records.path(2)));
    e = assertThrows(IOException.class, () -> Records.read(disk));
    assertTrue(e.getMessage().contains("is file 2 by its header"), e.getMessage());
  }

  @Test
  void aNewerFormatIsRefused() {
    disk.bytes(Records.path(1))[11] = 2;
    IOException e = assertThrows(IOException.class, () -> Records.read(disk));
    assertTrue(e.getMessage().contains("format 2 was written by a newer version"), e.getMessage());
  }

  private int openDamaged(String path, Consumer<byte[]> damage) throws IOException {
    MemoryDisk damagedDisk = disk.copy();
    damage.accept(damagedDisk.bytes(path));
    try {
      List<Long> tags = Records.read(damagedDisk);
      assertEquals(Records.range(1, tags.size()), tags);
      assertTrue(tags.size() >= last - LAST_SYNC, path + ": " + tags.size() + " of " + last);
      return 0;
    } catch (IOException e) {
      assertTrue(e.getMessage().startsWith(Records.DIRECTORY), e.getMessage());
      return 1;
    }
  }

  private static boolean isUsed(byte[] bytes, int sector) {
    for (int at = sector; at < sector + Blocks.SECTOR; at++) {
      if (bytes[at] != 0) {
        return true;
      }
    }
    return false;
  }
}
