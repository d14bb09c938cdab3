// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.storage.DiskStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The journals and snapshots of the storage bundle, crashed at every point of a script. */
class ProductionJournalTest {
  private static final int FILE_BYTES = 16 << 10;
  private static final NodeId NODE = new NodeId("n1");

  /** Records appended, and how many of them, from the first, were acknowledged or trimmed. */
  private final List<String> appended = new ArrayList<>();

  private int acknowledged;
  private long trimmed;
  private long snapshotAcknowledged;
  private long snapshotAttempted;

  /** What is found when a disk is opened: the numbers of the records, and the snapshot. */
  private record Found(List<Long> records, long snapshot) {}

  @Test
  void nothingAcknowledgedIsLostWhenThePowerFails() throws IOException {
    var enumeration = enumeration(12, false);
    enumeration.run(disk -> script(disk, new SplittableRandom(12)));
    assertTrue(enumeration.points() > 400, "points: " + enumeration.points());
    assertTrue(enumeration.states() > 2_000, "states: " + enumeration.states());
  }

  @Test
  void nothingThatWasShownAfterAKillIsLostWhenThePowerFails() throws IOException {
    enumeration(0, true).run(disk -> script(disk, new SplittableRandom(12)));
  }

  private CrashEnumeration<Found> enumeration(int subsets, boolean kills) {
    return new CrashEnumeration<>(new SplittableRandom(11), subsets, true, kills, this::recover);
  }

  private void script(Disk disk, SplittableRandom random) throws IOException {
    try (var storage = open(disk)) {
      var journal = storage.openJournal("main/0", (tag, bytes) -> {});
      for (int batch = 0; batch < 45; batch++) {
        append(journal, random, 1 + random.nextInt(4));
        if (batch % 9 == 8) {
          snapshot(storage, acknowledged);
          trimmed = acknowledged;
          journal.trim(trimmed);
        }
        if (batch == 25) {
          journal.close();
          journal = storage.openJournal("main/0", (tag, bytes) -> {});
        }
      }
      journal.close();
    }
  }

  private void append(Journal journal, SplittableRandom random, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      int number = appended.size() + 1;
      String record = number + ":" + "x".repeat(random.nextInt(1_500));
      appended.add(record);
      byte[] bytes = record.getBytes(StandardCharsets.US_ASCII);
      journal.append(number, bytes, 0, bytes.length);
    }
    journal.sync();
    acknowledged = appended.size();
  }

  private void snapshot(DiskStorage storage, long position) throws IOException {
    var snapshots = storage.openSnapshots("main");
    snapshotAttempted = position;
    try (var writing = snapshots.begin(position)) {
      for (int i = 0; i < 300; i++) {
        writing.content().write(ByteBuffer.allocate(8).putLong(position).array());
      }
      writing.commit(null);
    }
    snapshotAcknowledged = position;
  }

  private Found recover(Disk disk) throws IOException {
    List<String> records = new ArrayList<>();
    List<Long> tags = new ArrayList<>();
    try (var storage = open(disk)) {
      storage
          .openJournal(
              "main/0",
              (tag, bytes) -> {
                tags.add(tag);
                records.add(new String(bytes, StandardCharsets.US_ASCII));
              })
          .close();
      for (int i = 0; i < records.size(); i++) {
        long tag = tags.get(i);
        require(i == 0 || tag == tags.get(i - 1) + 1, "a gap before " + tag);
        require(tag <= appended.size(), "record " + tag + " from nowhere");
        require(records.get(i).equals(appended.get((int) tag - 1)), "record " + tag + " differs");
      }
      long first = tags.isEmpty() ? trimmed + 1 : tags.get(0);
      long last = tags.isEmpty() ? trimmed : tags.get(tags.size() - 1);
      require(first <= trimmed + 1, "starts at " + first + ", trimmed to " + trimmed);
      require(last >= acknowledged, "ends at " + last + ", acknowledged " + acknowledged);
      return new Found(tags, recoverSnapshot(storage));
    }
  }

  private long recoverSnapshot(DiskStorage storage) throws IOException {
    var latest = storage.openSnapshots("main").latest();
    long position = latest == null ? 0 : latest.position();
    require(
        position == snapshotAcknowledged || position == snapshotAttempted,
        "snapshot " + position + " after " + snapshotAcknowledged);
    if (latest != null) {
      try (var in = latest.open()) {
        var content = ByteBuffer.wrap(in.readAllBytes());
        require(content.remaining() == 2_400, "size " + content.remaining());
        while (content.hasRemaining()) {
          require(content.getLong() == position, "content of " + position);
        }
      }
    }
    return position;
  }

  private static DiskStorage open(Disk disk) throws IOException {
    return DiskStorage.open(disk, NODE, "test", new SplittableRandom(5), FILE_BYTES);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new AssertionError(message);
    }
  }
}
