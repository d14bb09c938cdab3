// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.DIRECTORY;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.SEGMENT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.wire.WireReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JournalWriterTest {
  private final MemoryJournal journal = new MemoryJournal();
  private final Workbench.Tasks disk = new Workbench.Tasks();
  private final Workbench.Tasks loop = new Workbench.Tasks();
  private final List<String> outcomes = new ArrayList<>();
  private final List<IOException> failures = new ArrayList<>();
  private final JournalWriter writer =
      new JournalWriter(
          journal,
          Workbench.NOTES,
          disk,
          new JournalWriter.Outcome() {
            @Override
            public void enqueue(Runnable task) {
              loop.execute(task);
            }

            @Override
            public void failed(IOException failure) {
              outcomes.add("failed");
              failures.add(failure);
            }
          });

  @BeforeEach
  void open() throws IOException {
    journal.reopened((tag, bytes) -> {});
  }

  private void append(long tag) {
    writer.append(tag, new Workbench.Note("note " + tag));
  }

  private void write() {
    disk.runAll();
    loop.runAll();
  }

  @Test
  void manyRecordsAreOneSync() {
    append(1);
    append(2);
    append(3);
    assertEquals(3, writer.appended());
    assertEquals(List.of(), journal.calls);
    writer.flush(0);
    write();
    assertEquals(List.of("append 1", "append 2", "append 3", "sync"), journal.calls);
    assertEquals(3, writer.durable());
    assertEquals(1, writer.syncs());
    assertEquals(List.of(), outcomes);
  }

  @Test
  void recordsHaveTheirKindAndTheirBytes() {
    writer.append(9, SEGMENT);
    append(7);
    writer.append(9, N2, DIRECTORY);
    writer.flush(0);
    write();
    WireReader first = new WireReader(journal.durable().get(0).bytes());
    assertEquals(JournalWriter.SEGMENT, first.readByte());
    assertEquals(SEGMENT, Segment.read(first));
    WireReader second = new WireReader(journal.durable().get(1).bytes());
    assertEquals(JournalWriter.CORE, second.readByte());
    assertEquals(new Workbench.Note("note 7"), Workbench.NOTES.read(second));
    assertEquals(0, second.remaining());
    WireReader third = new WireReader(journal.durable().get(2).bytes());
    assertEquals(JournalWriter.DIRECTORY, third.readByte());
    assertEquals("n2", third.readString(64));
    assertEquals(DIRECTORY, third.readLong());
    assertEquals(9, journal.durable().get(0).tag(), "a trim before it leaves it");
  }

  @Test
  void whileOneBatchIsWrittenTheNextGathers() {
    append(1);
    writer.flush(5);
    assertEquals(5, writer.writingSince());
    append(2);
    append(3);
    writer.flush(6);
    writer.flush(7);
    assertEquals(1, disk.size(), "the disk is busy");
    assertEquals(5, writer.writingSince());
    write();
    assertEquals(1, writer.durable());
    assertEquals(0, writer.writingSince());

    writer.flush(8);
    write();
    assertEquals(3, writer.durable());
    assertEquals(2, writer.syncs());
    assertEquals(List.of("append 1", "sync", "append 2", "append 3", "sync"), journal.calls);
  }

  @Test
  void batchesTakeTurnsAndMixNothing() {
    for (long tag = 1; tag <= 5; tag++) {
      append(tag);
      writer.flush(0);
      write();
    }
    for (int i = 0; i < 5; i++) {
      WireReader in = new WireReader(journal.durable().get(i).bytes());
      in.readByte();
      assertEquals(new Workbench.Note("note " + (i + 1)), Workbench.NOTES.read(in));
    }
    assertEquals(5, journal.durable().size());
  }

  @Test
  void aBatchOfAnyCountIsWrittenWhole() {
    for (long tag = 1; tag <= 200; tag++) {
      append(tag);
    }
    writer.flush(0);
    write();
    long[] tags = journal.durable().stream().mapToLong(MemoryJournal.Stored::tag).toArray();
    long[] expected = LongStream.rangeClosed(1, 200).toArray();
    assertArrayEquals(expected, tags);
    assertEquals(200, writer.durable());
  }

  @Test
  void nothingToWriteIsNoSync() {
    writer.flush(0);
    assertEquals(0, disk.size());
  }

  @Test
  void durableIsToldOnTheGroupsThread() {
    append(1);
    writer.flush(0);
    disk.runAll();
    assertEquals(0, writer.durable(), "seen from the disk's thread");
    assertEquals(List.of(), outcomes);
    loop.runAll();
    assertEquals(1, writer.durable());
  }

  @Test
  void aFailedSyncMakesNothingDurable() {
    append(1);
    writer.flush(0);
    journal.failure = new IOException("I/O error");
    write();
    assertEquals(0, writer.durable());
    assertEquals(0, writer.syncs());
    assertEquals(List.of("failed"), outcomes);
    assertEquals("I/O error", failures.get(0).getMessage());
  }

  @Test
  void aJournalThatThrowsAnythingElseHasFailedToo() {
    append(1);
    writer.flush(0);
    journal.close();
    write();
    assertEquals(List.of("failed"), outcomes);
    assertInstanceOf(IllegalStateException.class, failures.get(0).getCause());
  }

  @Test
  void aTrimComesAfterTheRecordsBeforeIt() {
    append(1);
    writer.flush(0);
    writer.trim(1);
    write();
    assertEquals(List.of("append 1", "sync", "trim 1"), journal.calls);
    assertEquals(1, writer.durable());
    assertEquals(List.of(), outcomes);
  }

  @Test
  void aFailedTrimIsAFailure() {
    journal.failure = new IOException("I/O error");
    writer.trim(1);
    write();
    assertEquals(List.of("failed"), outcomes);
  }

  @Test
  void closingComesAfterWhatIsBeingWritten() {
    List<String> closed = new ArrayList<>();
    append(1);
    writer.flush(0);
    append(2);
    writer.close(() -> closed.add("closed"));
    disk.runAll();
    assertEquals(List.of("append 1", "sync", "close"), journal.calls);
    assertTrue(closed.isEmpty(), "told on the disk's thread");
    loop.runAll();
    assertEquals(List.of("closed"), closed);
    assertEquals(1, writer.durable(), "what only gathered was promised to nobody");
  }
}
