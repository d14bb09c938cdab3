// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.storage.Journal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GatheringJournalTest {
  private final Calls calls = new Calls();
  private final Tasks disk = new Tasks();
  private final Tasks loop = new Tasks();
  private final List<IOException> failures = new ArrayList<>();
  private final GatheringJournal journal =
      new GatheringJournal(
          calls,
          disk::add,
          new GatheringJournal.Outcome() {
            @Override
            public void enqueue(Runnable task) {
              loop.add(task);
            }

            @Override
            public void failed(IOException failure) {
              failures.add(failure);
            }
          });

  private static final class Tasks extends ArrayDeque<Runnable> {
    private static final long serialVersionUID = 1L;

    void runAll() {
      while (!isEmpty()) {
        remove().run();
      }
    }
  }

  /** Writes down what is asked of it. */
  private static final class Calls implements Journal {
    final List<String> made = new ArrayList<>();
    @Nullable IOException failure;
    @Nullable AssertionError broken;

    @Override
    public void append(long tag, byte[] bytes, int offset, int length) throws IOException {
      call("append " + tag + " " + new String(bytes, offset, length, StandardCharsets.UTF_8));
    }

    @Override
    public void sync() throws IOException {
      call("sync");
    }

    @Override
    public void trim(long tag) throws IOException {
      call("trim " + tag);
    }

    @Override
    public long verify() {
      return 0;
    }

    @Override
    public long verify(long from) {
      return 0;
    }

    @Override
    public long sizeBytes() {
      return 0;
    }

    @Override
    public void close() throws IOException {
      call("close");
    }

    private void call(String call) throws IOException {
      made.add(call);
      if (failure != null) {
        throw failure;
      }
      if (broken != null) {
        throw broken;
      }
    }
  }

  private void append(long tag) {
    byte[] text = ("r" + tag).getBytes(StandardCharsets.UTF_8);
    journal.begin().writeRaw(text, 0, 1).writeRaw(text, 1, text.length - 1);
    journal.end(tag);
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
    assertEquals(3, journal.appended());
    assertEquals(List.of(), calls.made);
    journal.flush(0);
    write();
    assertEquals(List.of("append 1 r1", "append 2 r2", "append 3 r3", "sync"), calls.made);
    assertEquals(3, journal.durable());
    assertEquals(1, journal.syncs());
    assertEquals(List.of(), failures);
  }

  @Test
  void whileOneBatchIsWrittenTheNextGathers() {
    append(1);
    journal.flush(5);
    assertEquals(5, journal.writingSince());
    append(2);
    append(3);
    journal.flush(6);
    journal.flush(7);
    assertEquals(1, disk.size(), "the disk is busy");
    assertEquals(5, journal.writingSince());
    write();
    assertEquals(1, journal.durable());
    assertEquals(0, journal.writingSince());

    journal.flush(8);
    write();
    assertEquals(3, journal.durable());
    assertEquals(2, journal.syncs());
    assertEquals(List.of("append 1 r1", "sync", "append 2 r2", "append 3 r3", "sync"), calls.made);
  }

  @Test
  void batchesTakeTurnsAndMixNothing() {
    List<String> expected = new ArrayList<>();
    for (long tag = 1; tag <= 5; tag++) {
      append(tag);
      journal.flush(0);
      write();
      expected.addAll(List.of("append " + tag + " r" + tag, "sync"));
    }
    assertEquals(expected, calls.made);
  }

  @Test
  void aBatchOfAnyCountIsWrittenWhole() {
    List<String> expected = new ArrayList<>();
    LongStream.rangeClosed(1, 200)
        .forEach(
            tag -> {
              append(tag);
              expected.add("append " + tag + " r" + tag);
            });
    expected.add("sync");
    journal.flush(0);
    write();
    assertEquals(expected, calls.made);
    assertEquals(200, journal.durable());
  }

  @Test
  void nothingToWriteIsNoSync() {
    journal.flush(0);
    assertEquals(0, disk.size());
  }

  @Test
  void durableIsToldOnTheLoopsThread() {
    append(1);
    journal.flush(0);
    disk.runAll();
    assertEquals(0, journal.durable(), "seen from the disk's thread");
    loop.runAll();
    assertEquals(1, journal.durable());
  }

  @Test
  void aFailedSyncMakesNothingDurable() {
    append(1);
    journal.flush(0);
    calls.failure = new IOException("I/O error");
    write();
    assertEquals(0, journal.durable());
    assertEquals(0, journal.syncs());
    assertEquals(List.of(calls.failure), failures);
  }

  @Test
  void aJournalThatThrowsAnythingElseHasFailedToo() {
    append(1);
    journal.flush(0);
    calls.broken = new AssertionError("an invariant of the journal");
    write();
    assertEquals(1, failures.size());
    assertSame(calls.broken, failures.get(0).getCause());
  }

  @Test
  void aTrimComesAfterTheRecordsBeforeIt() {
    append(1);
    journal.flush(0);
    journal.trim(1);
    write();
    assertEquals(List.of("append 1 r1", "sync", "trim 1"), calls.made);
    assertEquals(1, journal.durable());
    assertEquals(List.of(), failures);
  }

  @Test
  void aFailedTrimIsAFailure() {
    calls.failure = new IOException("I/O error");
    journal.trim(1);
    write();
    assertEquals(List.of(calls.failure), failures);
  }

  @Test
  void closingComesAfterWhatIsBeingWritten() {
    List<String> closed = new ArrayList<>();
    append(1);
    journal.flush(0);
    append(2);
    journal.close(() -> closed.add("closed"));
    disk.runAll();
    assertEquals(List.of("append 1 r1", "sync", "close"), calls.made);
    assertTrue(closed.isEmpty(), "told on the disk's thread");
    loop.runAll();
    assertEquals(List.of("closed"), closed);
    assertEquals(1, journal.durable(), "what only gathered was promised to nobody");
  }

  @Test
  void whoClosesIsToldEvenIfClosingFails() {
    List<String> closed = new ArrayList<>();
    calls.failure = new IOException("I/O error");
    journal.close(() -> closed.add("closed"));
    write();
    assertEquals(List.of("closed"), closed);
    assertEquals(List.of(), failures);
  }
}
