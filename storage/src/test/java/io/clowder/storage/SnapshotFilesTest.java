// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Snapshots.Snapshot;
import io.clowder.api.storage.Snapshots.Writing;
import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.api.storage.Storage.DiskFullException;
import io.clowder.storage.MemoryDisk.PowerFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SnapshotFilesTest {
  private static final String DIRECTORY = "snapshots/main";

  private final MemoryDisk disk = new MemoryDisk();

  @Test
  void givesBackTheNewest() throws IOException {
    Snapshots snapshots = open(disk);
    assertNull(snapshots.latest());
    for (int position = 10; position <= 30; position += 10) {
      Snapshot snapshot = write(snapshots, position);
      assertEquals(snapshot, snapshots.latest());
    }
    assertEquals(List.of(path(30)), disk.paths());
    Snapshot found = latest(open(disk));
    assertEquals(30, found.position());
    assertContent(30, found);
    ByteBuffer part = ByteBuffer.allocate(100);
    assertEquals(100, found.read(1000, part));
    assertArrayEquals(Arrays.copyOfRange(content(30), 1000, 1100), part.array());
    part.clear();
    assertEquals(30, found.read(found.size() - 30, part), "ends with the content");
    assertThrows(IndexOutOfBoundsException.class, () -> found.read(found.size() + 1, part));
  }

  @Test
  void aReplacedSnapshotStaysReadable(@TempDir Path directory) throws IOException {
    for (Disk each : List.of(disk, FileDisk.open(directory))) {
      Snapshots snapshots = open(each);
      Snapshot first = write(snapshots, 1);
      InputStream stream = first.open();
      assertEquals(content(1)[0] & 0xFF, stream.read());
      write(snapshots, 2);
      assertContent(1, first);
      write(snapshots, 3);
      assertEquals(content(1).length, first.verify());
      byte[] rest = stream.readAllBytes();
      assertArrayEquals(Arrays.copyOfRange(content(1), 1, content(1).length), rest);
      stream.close();
      assertThrows(IOException.class, first::open);
      assertThrows(IOException.class, first::verify);
    }
  }

  @Test
  void resumesWhatWasReceived() throws IOException {
    byte[] content = content(7);
    Snapshots snapshots = open(disk);
    try (Writing part = snapshots.resume(6)) {
      part.content().write(content, 0, 50);
    }
    try (Writing part = snapshots.resume(7)) {
      assertEquals(0, part.size());
      part.content().write(content, 0, 1234);
      assertEquals(1234, part.size());
    }
    snapshots = open(disk);
    assertNull(snapshots.latest());
    try (Writing part = snapshots.resume(7)) {
      assertEquals(1234, part.size());
      part.content().write(content, 1234, content.length - 1234);
      assertThrows(IllegalArgumentException.class, () -> part.commit(null));
      assertContent(7, part.commit(part.checksum()));
    }
    assertContent(7, latest(open(disk)));
    assertEquals(List.of(path(7)), disk.paths());
  }

  @Test
  void aWrongChecksumIsRefusedAndWhatWasReceivedDropped() throws IOException {
    Snapshots snapshots = open(disk);
    write(snapshots, 1);
    Writing writing = snapshots.resume(2);
    writing.content().write(new byte[10]);
    assertThrows(IOException.class, () -> writing.commit(writing.checksum() + 1));
    writing.close();
    assertEquals(1, latest(snapshots).position());
    try (Writing again = snapshots.resume(2)) {
      assertEquals(0, again.size());
    }
  }

  @Test
  void whatIsNotCommittedIsNotThere() throws IOException {
    Snapshots snapshots = open(disk);
    write(snapshots, 1);
    try (Writing writing = snapshots.begin(2)) {
      writing.content().write(content(2));
      assertThrows(IllegalStateException.class, () -> snapshots.begin(2));
    }
    Writing left = snapshots.begin(3);
    left.content().write(content(3));
    assertEquals(1, latest(open(disk)).position());
    assertEquals(List.of(path(1)), disk.paths(), "what was left over is removed");
  }

  @Test
  void anOlderOneDoesNotReplaceANewerOne() throws IOException {
    Snapshots snapshots = open(disk);
    Writing own = snapshots.begin(5);
    own.content().write(content(5));
    write(snapshots, 9);
    assertEquals(9, own.commit(null).position());
    assertEquals(List.of(path(9)), disk.paths());
  }

  @Test
  void everyFlippedBitIsFound() throws IOException {
    write(open(disk), 3);
    write(open(disk), 4);
    byte[] whole = disk.bytes(path(4));
    Random random = new Random(1);
    for (int at = 0; at < whole.length; at++) {
      MemoryDisk damaged = disk.copy();
      damaged.bytes(path(4))[at] ^= (byte) (1 << random.nextInt(8));
      // The zeros that fill up the header's sector are not looked at.
      if (at < 53 || at >= SnapshotHeader.AREA) {
        IOException e = assertThrows(IOException.class, () -> open(damaged), "byte " + at);
        assertTrue(e.getMessage().startsWith(path(4)), e.getMessage());
      }
    }
    for (int length = 0; length < whole.length; length += 13) {
      disk.replace(path(4), Arrays.copyOf(whole, length));
      assertThrows(CorruptionException.class, () -> open(disk));
    }
    disk.replace(path(4), Arrays.copyOf(whole, whole.length + 1));
    assertThrows(CorruptionException.class, () -> open(disk));
  }

  @Test
  void verifyingFindsEveryFlippedByteWithFileAndOffset() throws IOException {
    Snapshots snapshots = open(disk);
    for (Snapshot snapshot : List.of(write(snapshots, 4), latest(open(disk)))) {
      assertEquals(content(4).length, snapshot.verify());
      byte[] bytes = disk.bytes(path(4));
      for (int at = 0; at < bytes.length; at++) {
        // The zeros that fill up the header's sector are not looked at.
        if (at < 53 || at >= SnapshotHeader.AREA) {
          bytes[at] ^= 0x10;
          IOException e = assertThrows(CorruptionException.class, snapshot::verify, "byte " + at);
          assertTrue(e.getMessage().startsWith(path(4) + " at offset "), e.getMessage());
          bytes[at] ^= 0x10;
        }
      }
      disk.replace(path(4), Arrays.copyOf(bytes, bytes.length - 1));
      IOException e = assertThrows(CorruptionException.class, snapshot::verify);
      assertEquals(path(4) + " at offset 2911: the file should end at 2912", e.getMessage());
      disk.replace(path(4), bytes);
      assertEquals(content(4).length, snapshot.verify());
    }
  }

  @Test
  void snapshotsOfOthersAreRefused() throws IOException {
    write(SnapshotFiles.open(disk, DIRECTORY, 2, "main"), 3);
    assertThrows(IOException.class, () -> open(disk));
    assertThrows(IOException.class, () -> SnapshotFiles.open(disk, DIRECTORY, 2, "other"));
    disk.replace(path(5), disk.bytes(path(3)));
    assertThrows(
        IOException.class, () -> SnapshotFiles.open(disk, DIRECTORY, 2, "main"), "renamed");
  }

  @Test
  void aFullDiskIsNamedAndLeavesTheOldOne() throws IOException {
    Snapshots snapshots = open(disk);
    write(snapshots, 1);
    disk.capacity(disk.used() + 1000);
    try (Writing writing = snapshots.begin(2)) {
      IOException e =
          assertThrows(
              DiskFullException.class,
              () -> {
                writing.content().write(content(2));
                writing.commit(null);
              });
      assertTrue(e.getMessage().startsWith("disk full: "), e.getMessage());
    }
    assertEquals(1, latest(open(disk)).position());
    assertEquals(List.of(path(1)), disk.paths());
  }

  @Test
  void survivesAPowerFailureAtEveryOperation() throws IOException {
    MemoryDisk whole = new MemoryDisk();
    long[] committed = new long[1];
    live(whole, committed);
    for (int at = 1; at <= whole.operations(); at++) {
      for (int seed = 0; seed < 20; seed++) {
        MemoryDisk crashing = new MemoryDisk();
        crashing.crashAt(at, seed % 2 == 0);
        committed[0] = 0;
        try {
          live(crashing, committed);
          throw new AssertionError("no crash at " + at);
        } catch (PowerFailure expected) {
          crashing.restart(new Random(seed));
        }
        Snapshot found = open(crashing).latest();
        long position = found == null ? 0 : found.position();
        assertTrue(position >= committed[0], position + " of " + committed[0]);
        if (found != null) {
          assertContent(position, found);
        }
        assertContent(9, write(open(crashing), 9));
      }
    }
  }

  @Test
  void whatWasShownAfterAKillSurvivesAPowerFailure() throws IOException {
    MemoryDisk whole = new MemoryDisk();
    live(whole, new long[1]);
    for (int at = 1; at <= whole.operations(); at++) {
      for (int seed = 0; seed < 20; seed++) {
        MemoryDisk killed = new MemoryDisk();
        killed.crashAt(at, seed % 2 == 0);
        assertThrows(PowerFailure.class, () -> live(killed, new long[1]));
        killed.crashAt(Integer.MAX_VALUE, false);
        Snapshot shown = open(killed).latest();
        killed.restart(new Random(seed));
        Snapshot found = open(killed).latest();
        assertEquals(
            shown == null ? 0 : shown.position(), found == null ? 0 : found.position(), "at " + at);
      }
    }
  }

  @Test
  void noFailureKeepsAPositionFromBeingWrittenAgain() throws IOException {
    for (boolean resume : new boolean[] {false, true}) {
      for (int operation = 1; operation < 12; operation++) {
        MemoryDisk failing = new MemoryDisk();
        SnapshotFiles snapshots = open(failing);
        write(snapshots, 1);
        failing.failAt(operation);
        try (Writing writing = resume ? snapshots.resume(2) : snapshots.begin(2)) {
          writing.content().write(content(2));
          writing.commit(writing.checksum());
        } catch (IOException e) {
          assertEquals("Input/output error", e.getMessage());
        }
        failing.failAt(Integer.MAX_VALUE);
        try (Writing writing = resume ? snapshots.resume(2) : snapshots.begin(2)) {
          byte[] content = content(2);
          int there = (int) writing.size();
          writing.content().write(content, there, content.length - there);
          assertContent(2, writing.commit(writing.checksum()));
        }
        snapshots.release();
        assertEquals(0, failing.openFiles(), "files left open");
        assertContent(2, latest(open(failing)));
        assertEquals(List.of(path(2)), failing.paths());
      }
    }
  }

  @Test
  void aFullDiskIsNamedWhateverFindsIt() throws IOException {
    Snapshots snapshots = open(disk);
    write(snapshots, 1);
    for (int operation = 1; operation <= 5; operation++) {
      disk.failAt(operation, "No space left on device");
      Writing[] writing = new Writing[1];
      assertThrows(
          DiskFullException.class,
          () -> {
            writing[0] = snapshots.begin(2);
            writing[0].content().write(content(2));
            writing[0].commit(null);
          },
          "operation " + operation);
      disk.failAt(Integer.MAX_VALUE);
      if (writing[0] != null) {
        writing[0].close();
      }
    }
    assertContent(2, write(snapshots, 2));
  }

  @Test
  void whatCannotBeRemovedDoesNotUndoACommit() throws IOException {
    Snapshots snapshots = open(disk);
    write(snapshots, 1);
    try (Writing writing = snapshots.begin(2)) {
      writing.content().write(content(2));
      // Content, header, sync, rename, sync of the directory; then the old one should go.
      disk.failAt(6);
      assertEquals(2, writing.commit(null).position());
    }
    disk.failAt(Integer.MAX_VALUE);
    assertEquals(List.of(path(1), path(2)), disk.paths());
    assertEquals(2, latest(snapshots).position());
    write(snapshots, 3);
    assertEquals(List.of(path(3)), disk.paths());
  }

  @Test
  void aPartThatACommitOvertookIsRemoved() throws IOException {
    Snapshots snapshots = open(disk);
    for (long position : new long[] {0, 5}) {
      try (Writing part = snapshots.resume(position)) {
        part.content().write(new byte[10]);
      }
      write(snapshots, 5);
      assertEquals(List.of(path(5)), disk.paths());
    }
  }

  @Test
  void nothingIsWrittenAfterAFailedWrite() throws IOException {
    Snapshots snapshots = open(disk);
    disk.capacity(1000);
    Writing writing = snapshots.resume(2);
    byte[] large = new byte[100_000];
    assertThrows(DiskFullException.class, () -> writing.content().write(large));
    disk.capacity(Long.MAX_VALUE);
    assertThrows(IOException.class, () -> writing.content().write(large));
    assertThrows(IOException.class, () -> writing.commit(writing.checksum()));
    writing.close();
    assertNull(snapshots.latest());
  }

  @Test
  void openingAgainEndsTheUseOfThoseOpenedBefore() throws IOException {
    DiskStorage storage =
        DiskStorage.open(disk, new NodeId("n1"), "c", new Random(1), Records.FILE_BYTES);
    Snapshots before = storage.openSnapshots("main");
    Writing stale = before.begin(2);
    stale.content().write(content(2));
    Snapshots now = storage.openSnapshots("main");
    try (Writing writing = now.begin(2)) {
      // Were the file of this name given its final name now, half a snapshot would be the newest.
      assertThrows(IOException.class, () -> stale.commit(null));
      stale.close();
      assertThrows(IOException.class, () -> before.begin(3));
      assertThrows(IOException.class, () -> before.resume(3));
      writing.content().write(content(2));
      assertContent(2, writing.commit(null));
    }
    assertContent(2, latest(storage.openSnapshots("main")));
  }

  private static void live(MemoryDisk disk, long[] committed) throws IOException {
    Snapshots snapshots = open(disk);
    for (int position = 1; position <= 3; position++) {
      write(snapshots, position);
      committed[0] = position;
    }
  }

  private static SnapshotFiles open(Disk disk) throws IOException {
    return SnapshotFiles.open(disk, DIRECTORY, 1, "main");
  }

  private static Snapshot latest(Snapshots snapshots) {
    Snapshot snapshot = snapshots.latest();
    assertNotNull(snapshot);
    return snapshot;
  }

  private static Snapshot write(Snapshots snapshots, long position) throws IOException {
    try (Writing writing = snapshots.begin(position)) {
      writing.content().write(content(position));
      assertEquals(content(position).length, writing.size());
      return writing.commit(null);
    }
  }

  private static byte[] content(long position) {
    byte[] content = new byte[2000 + (int) position * 100];
    new Random(position).nextBytes(content);
    return content;
  }

  private static void assertContent(long position, Snapshot snapshot) throws IOException {
    assertEquals(position, snapshot.position());
    try (InputStream in = snapshot.open()) {
      assertArrayEquals(content(position), in.readAllBytes());
    }
  }

  private static String path(long position) {
    return String.format("%s/%019d.snapshot", DIRECTORY, position);
  }
}
