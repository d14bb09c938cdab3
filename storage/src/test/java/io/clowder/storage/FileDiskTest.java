// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class FileDiskTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource(SyncMode.class)
  void whatIsWrittenInAnyWayIsReadBack(SyncMode mode) throws IOException {
    FileDisk disk = FileDisk.open(directory, usable(mode));
    byte[] expected = new byte[1 << 20];
    Random random = new Random(7);
    try (Disk.File file = disk.open("f", true)) {
      file.allocate(expected.length);
      assertEquals(expected.length, file.size());
      for (int i = 0; i < 60; i++) {
        boolean blocks = i % 3 > 0;
        int unit = blocks ? Blocks.BLOCK : 1;
        byte[] bytes = new byte[(1 + random.nextInt(400_000 / unit)) * unit];
        random.nextBytes(bytes);
        int offset = random.nextInt((expected.length - bytes.length) / unit + 1) * unit;
        System.arraycopy(bytes, 0, expected, offset, bytes.length);
        ByteBuffer source = ByteBuffer.wrap(bytes);
        if (i % 5 == 0) {
          file.write(offset, source);
        } else {
          file.writeDurably(offset, source);
        }
        assertEquals(0, source.remaining());
        assertArrayEquals(bytes, read(file, offset, bytes.length), "write " + i);
      }
      file.sync();
      assertArrayEquals(expected, read(file, 0, expected.length));
    }
    try (Disk.File file = FileDisk.open(directory, SyncMode.FORCE).open("f", false)) {
      assertArrayEquals(expected, read(file, 0, expected.length));
      ByteBuffer end = ByteBuffer.allocate(100);
      assertEquals(10, file.read(expected.length - 10, end));
      file.truncate(5);
      file.sync();
      assertEquals(5, file.size());
    }
  }

  @ParameterizedTest
  @EnumSource(SyncMode.class)
  void aJournalIsTheSameInEveryMode(SyncMode mode) throws IOException {
    try (RollingJournal journal = Records.open(FileDisk.open(directory, usable(mode)))) {
      for (int round = 0; round < 40; round++) {
        Records.append(journal, 10L * round, 10L * round + 9);
        journal.sync();
      }
    }
    for (SyncMode other : SyncMode.values()) {
      assertEquals(Records.range(0, 399), Records.read(FileDisk.open(directory, usable(other))));
    }
  }

  @Test
  void allocatingKeepsWhatIsThere() throws IOException {
    try (Disk.File file = FileDisk.open(directory).open("f", true)) {
      file.write(0, ByteBuffer.wrap(new byte[] {1, 2, 3}));
      file.allocate(10);
      assertArrayEquals(Arrays.copyOf(new byte[] {1, 2, 3}, 10), read(file, 0, 10));
    }
  }

  @Test
  void namesFollowTheContract() throws IOException {
    FileDisk disk = FileDisk.open(directory);
    assertEquals(List.of(), disk.list(""), "nothing is left of the probe");
    disk.makeDirectory("a/b");
    disk.makeDirectory("a/b");
    disk.open("a/b/2", true).close();
    disk.open("a/b/1", true).close();
    disk.syncDirectory("a/b");
    assertEquals(List.of("1", "2"), disk.list("a/b"));
    assertEquals(List.of(), disk.list("a/c"));
    assertThrows(FileAlreadyExistsException.class, () -> disk.open("a/b/1", true));
    assertThrows(NoSuchFileException.class, () -> disk.open("a/b/3", false));
    disk.rename("a/b/1", "a/b/2");
    disk.delete("a/b/9");
    assertEquals(List.of("2"), disk.list("a/b"));
    disk.delete("a/b/2");
    assertEquals(List.of(), disk.list("a/b"));
    assertTrue(disk.freeBytes() > 0);
  }

  @Test
  void pathsDoNotEscape() throws IOException {
    FileDisk disk = FileDisk.open(Files.createDirectory(directory.resolve("inside")));
    for (String path : List.of("../x", "/etc/passwd", "a/../../x", "a//b", ".", "a/", "..")) {
      assertThrows(IllegalArgumentException.class, () -> disk.open(path, true), path);
      assertThrows(IllegalArgumentException.class, () -> disk.list(path), path);
      assertThrows(IllegalArgumentException.class, () -> disk.makeDirectory(path), path);
    }
  }

  /** The mode itself, or what this file system offers instead. */
  private SyncMode usable(SyncMode mode) throws IOException {
    SyncMode best = SyncMode.of(directory);
    return best.compareTo(mode) > 0 ? best : mode;
  }

  private static byte[] read(Disk.File file, long offset, int length) throws IOException {
    ByteBuffer target = ByteBuffer.allocate(length);
    assertEquals(length, file.read(offset, target));
    return target.array();
  }
}
