// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.store.RequestId;
import io.clowder.storage.DiskStorage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pcollections.TreePMap;

final class CopyFilesTest {
  /** Of which a journal file holds no more than about sixteen. */
  private static final int LARGE = 1 << 20;

  @TempDir private Path directory;
  private DiskStorage storage;

  @BeforeEach
  void open() throws IOException {
    storage = DiskStorage.open(directory, new NodeId("n1"), "c", new Random(1));
  }

  @AfterEach
  void close() throws IOException {
    storage.close();
  }

  private CopyFiles files(long seed) {
    return new CopyFiles(storage, "s", new Random(seed));
  }

  /** A copy that is written by hand: the disk's tasks run at once. */
  private final class Writing implements GatheringJournal.Outcome {
    final CopyFiles.Opened opened;
    final StoreJournal journal;

    Writing(long seed) throws IOException {
      opened = files(seed).open();
      journal = new StoreJournal(opened.journal(), Runnable::run, this);
    }

    @Override
    public void enqueue(Runnable task) {
      task.run();
    }

    @Override
    public void failed(IOException failure) {
      throw new AssertionError(failure);
    }

    void append(long epoch, long from, long to, int bytes) {
      for (long seq = from; seq <= to; seq++) {
        LogRecord.Effect effect = new LogRecord.Effect("k" + seq % 10, new byte[bytes]);
        journal.append(
            new LogRecord(
                epoch,
                seq,
                new RequestId(1, seq),
                List.of(effect),
                new Answer.Changed(seq, false)));
        journal.flush(0);
      }
    }

    void snapshot(long epoch, long seq) throws IOException {
      try (Snapshots.Writing writing = opened.snapshots().begin(seq)) {
        new Image(seq, epoch, TreePMap.empty(), new byte[0]).writeTo(writing.content());
        writing.commit(null);
      }
    }

    void cover(long seq) {
      journal.cover(seq);
      journal.flush(0);
    }

    void close() {
      journal.close(() -> {});
    }
  }

  private Writing reopened(Writing before) throws IOException {
    before.close();
    return new Writing(99);
  }

  @Test
  void theIncarnationIsTheJournals() throws IOException {
    Writing first = new Writing(1);
    long incarnation = first.opened.incarnation();
    assertTrue(incarnation > 0);
    Writing again = reopened(first);
    assertEquals(incarnation, again.opened.incarnation());
    again.close();
    files(2).delete();
    assertNotEquals(incarnation, new Writing(3).opened.incarnation());
  }

  @Test
  void whatWasCutOffStaysCutOff() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 10, 10);
    writing.journal.truncate(7);
    writing.append(2, 8, 9, 10);
    Recovered recovered = reopened(writing).opened.recovered();
    assertEquals(9, recovered.records().size());
    assertEquals(
        List.of(1L, 2L, 2L),
        recovered.records().subList(6, 9).stream().map(LogRecord::epoch).toList());
  }

  @Test
  void notesAreNoOperations() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 3, 10);
    writing.cover(2);
    writing.journal.truncate(3);
    assertEquals(3, writing.journal.operationsDurable());
    writing.journal.flush(0);
    assertEquals(4, writing.journal.operationsDurable());
  }

  @Test
  void theIncarnationAndTheNoteOutliveEveryTrim() throws IOException {
    Writing writing = new Writing(1);
    long incarnation = writing.opened.incarnation();
    for (long seq = 20; seq <= 100; seq += 20) {
      writing.append(1, seq - 19, seq, LARGE);
      writing.snapshot(1, seq);
      writing.cover(seq);
      writing.journal.trim(seq);
      writing = reopened(writing);
      assertEquals(incarnation, writing.opened.incarnation());
      assertEquals(seq, writing.opened.recovered().image().seq());
      assertTrue(writing.opened.journal().sizeBytes() < 50L * LARGE, "it is trimmed");
    }
    writing.close();
  }

  @Test
  void withoutTheSnapshotThatWasNotedItIsAnotherReplica() throws IOException {
    // As one begins that has got everything by a snapshot: nothing but the note tells.
    Writing writing = new Writing(1);
    writing.snapshot(1, 50);
    writing.journal.truncate(50);
    writing.cover(50);
    writing.journal.trim(50);
    writing = reopened(writing);
    assertEquals(50, writing.opened.recovered().image().seq());
    writing.close();
    deleteSnapshots();
    assertNotEquals(writing.opened.incarnation(), new Writing(2).opened.incarnation());
  }

  private void deleteSnapshots() throws IOException {
    try (Stream<Path> all = Files.walk(directory.resolve("snapshots"))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void whatIsInTheJournalNeedsNoSnapshot() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 10, 10);
    writing.snapshot(1, 10);
    writing.close();
    deleteSnapshots();
    // The process ended before it noted the snapshot: nothing was let go for it.
    Writing again = new Writing(2);
    assertEquals(writing.opened.incarnation(), again.opened.incarnation());
    assertEquals(10, again.opened.recovered().records().size());
  }

  @Test
  void aGapIsAnotherReplica() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 5, 10);
    writing.append(1, 7, 8, 10);
    Writing again = reopened(writing);
    assertNotEquals(writing.opened.incarnation(), again.opened.incarnation());
    assertTrue(again.opened.recovered().records().isEmpty());
    assertTrue(again.opened.incarnation() > writing.opened.incarnation());
    again.close();
    assertEquals(2, storage.journals("stores/s").size(), "it may be all that is left");
    Writing third = new Writing(3);
    assertEquals(again.opened.incarnation(), third.opened.incarnation());
    files(4).deleteOlder();
    assertEquals(List.of("stores/s/" + third.opened.incarnation()), storage.journals("stores/s"));
  }

  @Test
  void whoIsGivenUpTakesThoseBeforeItAlong() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 5, 10);
    writing.append(1, 7, 8, 10);
    writing.close();
    new Writing(2).close();
    files(3).delete();
    assertEquals(List.of(), storage.journals("stores/s"));
  }

  @Test
  void snapshotsWithoutAJournalAreRemoved() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 5, 10);
    writing.snapshot(1, 5);
    writing.close();
    storage.deleteJournal("stores/s/" + writing.opened.incarnation());
    assertEquals(1, storage.snapshots("stores/s").size());
    assertEquals(0, new Writing(2).opened.recovered().image().seq());
    assertEquals(List.of(), storage.snapshots("stores/s"));
  }

  @Test
  void whatThisSoftwareCannotReadIsNotGivenUp() throws IOException {
    Writing writing = new Writing(1);
    writing.append(1, 1, 5, 10);
    writing.journal.begin().writeByte(77);
    writing.journal.end(6);
    writing.journal.flush(0);
    writing.close();
    IOException failure = assertThrows(IOException.class, () -> files(2).open());
    assertTrue(failure.getMessage().contains("kind 77"), failure.getMessage());
    assertEquals(List.of("stores/s/" + writing.opened.incarnation()), storage.journals("stores/s"));
  }
}
