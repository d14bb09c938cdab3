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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Damage on the medium under an open journal. */
final class JournalVerifyTest {
  private final MemoryDisk disk = new MemoryDisk();
  private RollingJournal journal;

  @BeforeEach
  void open() throws IOException {
    journal = Records.open(disk);
  }

  /** Records, one a sync, each of which fills a sector and has no zeros. */
  private void fill(long first, long last) throws IOException {
    byte[] bytes = new byte[Blocks.SECTOR - FrameHeader.BYTES - FrameWriter.RECORD_HEADER];
    Arrays.fill(bytes, (byte) 0x55);
    for (long tag = first; tag <= last; tag++) {
      journal.append(tag, bytes, 0, bytes.length);
      journal.sync();
    }
  }

  private void fillThreeFiles() throws IOException {
    fill(1, 40);
    assertEquals(List.of(1L, 2L, 3L), numbers());
  }

  private List<Long> numbers() throws IOException {
    return new JournalFiles(disk, Records.DIRECTORY).numbers();
  }

  /** Of every file, the sectors that are not zeros; of its header, a block. */
  private long writtenBytes() throws IOException {
    long sum = 0;
    for (long number : numbers()) {
      byte[] bytes = disk.bytes(Records.path(number));
      int end = bytes.length;
      while (end > JournalHeader.AREA && bytes[end - 1] == 0) {
        end--;
      }
      sum += Blocks.up(end, Blocks.SECTOR);
    }
    return sum;
  }

  private String damage() {
    String message = assertThrows(CorruptionException.class, journal::verify).getMessage();
    assertTrue(message.startsWith(Records.DIRECTORY), message);
    return message;
  }

  @Test
  void aNewJournalIsAHeader() throws IOException {
    assertEquals(JournalHeader.AREA, journal.verify());
  }

  @Test
  void aWholeJournalPasses() throws IOException {
    for (long tag = 1; tag < 200; tag += 10) {
      fill(tag, tag + 9);
      assertEquals(writtenBytes(), journal.verify());
    }
    assertTrue(numbers().size() > 5, numbers().toString());
    journal.trim(100);
    assertEquals(7, numbers().get(0));
    assertEquals(writtenBytes(), journal.verify());
    long verified = journal.verify();
    journal.close();
    journal = Records.open(disk);
    assertEquals(verified, journal.verify());
    journal.trim(Long.MAX_VALUE);
    assertEquals(1, numbers().size());
    assertEquals(journal.sizeBytes(), journal.verify());
    fill(201, 300);
    assertEquals(writtenBytes(), journal.verify());
  }

  @Test
  void oneFileIsReadAtATimeWhateverHappensBetween() throws IOException {
    fillThreeFiles();
    byte[] second = disk.bytes(Records.path(2));
    second[JournalHeader.AREA + 30] ^= 0x10;
    long next = journal.verify(0);
    assertEquals(2, next);
    assertThrows(CorruptionException.class, () -> journal.verify(2));
    second[JournalHeader.AREA + 30] ^= 0x10;
    journal.trim(Long.MAX_VALUE);
    assertEquals(0, journal.verify(next), "only the newest is left");
    fill(1000, 1300);
    int files = 1;
    for (next = journal.verify(0); next != 0; next = journal.verify(next)) {
      files++;
    }
    assertEquals(numbers().size(), files);
  }

  @Test
  void recordsOfAnySizePass() throws IOException {
    byte[] large = new byte[3 * Records.FILE_BYTES];
    for (long tag = 1; tag <= 300; tag += 3) {
      Records.append(journal, tag, tag + 2);
      if (tag % 100 == 1) {
        journal.append(tag, large, 0, large.length);
      }
      journal.sync();
    }
    long verified = journal.verify();
    assertTrue(verified > 9L * Records.FILE_BYTES, "verified " + verified);
    journal.close();
    journal = Records.open(disk);
    assertEquals(verified, journal.verify());
  }

  @Test
  void aFlippedByteIsFoundWithFileAndOffset() throws IOException {
    fillThreeFiles();
    for (long number : numbers()) {
      String path = Records.path(number);
      byte[] bytes = disk.bytes(path);
      for (int at = JournalHeader.AREA; at < bytes.length; at += 3) {
        if (bytes[at] != 0) {
          bytes[at] ^= 0x10;
          long frame = Blocks.down(at, Blocks.SECTOR);
          assertEquals(path + " at offset " + frame + ": records are damaged", damage());
          bytes[at] ^= 0x10;
        }
      }
    }
    assertEquals(writtenBytes(), journal.verify());
  }

  @Test
  void aFlippedByteOfAHeaderIsFound() throws IOException {
    fillThreeFiles();
    for (long number : numbers()) {
      String path = Records.path(number);
      byte[] bytes = disk.bytes(path);
      for (int at = 0; at < JournalHeader.AREA; at++) {
        // The version's zeros, too: this is no newer format.
        if (bytes[at] != 0 || (at >= 8 && at < 12)) {
          bytes[at] ^= 0x10;
          String message = damage();
          assertTrue(message.startsWith(path + " at offset "), message);
          bytes[at] ^= 0x10;
        }
      }
    }
  }

  @Test
  void aWriteThatTheDiskLostIsFound() throws IOException {
    fillThreeFiles();
    byte[] bytes = disk.bytes(Records.path(3));
    int last = (int) (journal.sizeBytes() - 2L * Records.FILE_BYTES) - Blocks.SECTOR;
    // Opening would take this for a clean end.
    Arrays.fill(bytes, last, last + Blocks.SECTOR, (byte) 0);
    assertEquals(Records.path(3) + " at offset " + last + ": records are damaged", damage());
  }

  @Test
  void aMissingOrShorterFileIsFound() throws IOException {
    fillThreeFiles();
    for (long number : numbers()) {
      String path = Records.path(number);
      byte[] bytes = disk.bytes(path).clone();
      disk.replace(path, Arrays.copyOf(bytes, 5000));
      assertEquals(path + " at offset 5000: the file is cut, it had " + bytes.length, damage());
      disk.replace(path, bytes);
      journal.verify();
    }
    disk.delete(Records.path(2));
    assertEquals(Records.path(2) + ": this file of the journal is missing", damage());
    disk.delete(Records.path(1));
    assertEquals(Records.path(1) + ": this file of the journal is missing", damage());
  }

  @Test
  void aMissingNewestFileIsFound() throws IOException {
    disk.delete(Records.path(1));
    assertEquals(Records.path(1) + ": this file of the journal is missing", damage());
  }

  @Test
  void whatWasNotSyncedDoesNotMatter() throws IOException {
    fill(1, 3);
    long verified = journal.verify();
    List<byte[]> before = disk.paths().stream().map(path -> disk.bytes(path).clone()).toList();
    Records.append(journal, 4, 9);
    assertEquals(verified, journal.verify());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), disk.bytes(disk.paths().get(i)), "something was changed");
    }
    journal.sync();
    assertTrue(journal.verify() > verified);
  }

  @Test
  void theJournalStaysUsableWhateverIsFound() throws IOException {
    Records.append(journal, 1, 200);
    journal.sync();
    byte[] bytes = disk.bytes(Records.path(1));
    bytes[JournalHeader.AREA + 30] ^= 1;
    Records.append(journal, 201, 202);
    damage();
    Records.append(journal, 203, 204);
    journal.sync();
    damage();
    bytes[JournalHeader.AREA + 30] ^= 1;
    journal.verify();
    journal.close();
    assertEquals(Records.range(1, 204), Records.read(disk));
    assertEquals(0, disk.openFiles(), "files left open");
  }

  @Test
  void aClosedOrFailedJournalRefuses() throws IOException {
    disk.failAt(1);
    assertThrows(IOException.class, () -> fill(1, 1));
    disk.failAt(Integer.MAX_VALUE);
    assertThrows(IOException.class, journal::verify);
    journal.close();
    assertThrows(IOException.class, journal::verify);
  }
}
