// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pcollections.TreePMap;

/** What is left of a disk: journals are given by the epochs of their records. */
class RecoveredTest {
  private static Recovered after(long seq, long epoch) {
    return new Recovered(new Image(seq, epoch, TreePMap.empty(), new byte[0]));
  }

  /** The journal goes on with records from a number on. */
  private static void append(Recovered recovered, long seq, long... epochs) {
    for (int i = 0; i < epochs.length; i++) {
      recovered.append(LogRecord.opening(epochs[i], seq + i));
    }
  }

  private static List<Long> epochs(Recovered recovered) {
    return recovered.records().stream().map(LogRecord::epoch).toList();
  }

  @Test
  void recordsBeforeTheSnapshotAreLeftOut() {
    Recovered recovered = after(3, 2);
    append(recovered, 1, 1, 1, 2, 2, 3);
    assertEquals(List.of(2L, 3L), epochs(recovered));
    assertEquals(4, recovered.records().get(0).seq());
  }

  @Test
  void whatWasCutOffIsLeftOut() {
    Recovered recovered = after(0, 0);
    append(recovered, 1, 1, 1, 1);
    recovered.truncate(1);
    append(recovered, 2, 2, 2);
    recovered.truncate(9);
    assertEquals(List.of(1L, 2L, 2L), epochs(recovered));
  }

  @Test
  void aCutBeforeTheSnapshotLeavesTheSnapshot() {
    Recovered recovered = after(3, 2);
    append(recovered, 1, 1, 1, 1, 1, 1);
    recovered.truncate(1);
    append(recovered, 2, 2, 2, 2);
    assertEquals(List.of(2L), epochs(recovered));
    assertEquals(4, recovered.records().get(0).seq());
  }

  /** Or they would be taken for void with those before them when it is started once more. */
  @Test
  void whatIsAddedAfterVoidRecordsCounts() {
    Recovered found = after(3, 2);
    append(found, 2, 1, 1, 1);
    Recorded outlet = new Recorded();
    Ledger ledger = new Ledger(found, outlet);
    ledger.append(LogRecord.opening(2, 4));
    ledger.append(LogRecord.opening(2, 5));
    assertEquals(List.of(-3L, 4L, 5L), outlet.journal);
    ledger.persisted(3);
    assertEquals(5, ledger.persisted());

    Recovered again = after(3, 2);
    append(again, 2, 1, 1, 1);
    again.truncate(3);
    append(again, 4, 2, 2);
    assertEquals(List.of(2L, 2L), epochs(again));
  }

  /** The process ended before it wrote down that they are void. */
  @Test
  void recordsOfAnOlderEpochAfterTheSnapshotAreVoid() {
    Recovered recovered = after(3, 2);
    append(recovered, 2, 1, 1, 1, 1);
    assertEquals(List.of(), epochs(recovered));
    recovered.truncate(3);
    append(recovered, 4, 2, 3);
    assertEquals(List.of(2L, 3L), epochs(recovered));
  }

  /** What a snapshot has leaves the journal from its beginning on. */
  @Test
  void theyAreVoidThoughTheJournalBeginsAfterTheSnapshot() {
    Recovered recovered = after(3, 2);
    append(recovered, 4, 1, 1);
    assertEquals(List.of(), epochs(recovered));
    recovered.truncate(3);
    append(recovered, 4, 2);
    assertEquals(List.of(2L), epochs(recovered));
  }

  /**
   * Somebody was the primary in epochs 3 and 5 and could commit nothing; the one of epoch 4 came to
   * what is in the snapshot.
   */
  @Test
  void whatComesAfterVoidRecordsIsVoidWhateverItsEpoch() {
    Recovered recovered = after(8, 4);
    append(recovered, 8, 3, 3, 5);
    assertEquals(List.of(), epochs(recovered));
    recovered.truncate(9);
    append(recovered, 10, 6);
    assertEquals(List.of(), epochs(recovered), "that comes after a void record, too");
    recovered.truncate(8);
    append(recovered, 9, 6, 6);
    assertEquals(List.of(6L, 6L), epochs(recovered));
  }

  @Test
  void whatComesAfterAnotherRecordThanTheLastOfTheSnapshotIsVoid() {
    Recovered recovered = after(8, 2);
    append(recovered, 8, 3, 5);
    assertEquals(List.of(), epochs(recovered));
  }

  @Test
  void aGapIsRefused() {
    Recovered recovered = after(3, 2);
    append(recovered, 4, 2);
    LogRecord tooLate = LogRecord.opening(2, 6);
    assertThrows(IllegalStateException.class, () -> recovered.append(tooLate));
    Recovered withoutSnapshot = after(0, 0);
    LogRecord second = LogRecord.opening(1, 2);
    assertThrows(IllegalStateException.class, () -> withoutSnapshot.append(second));
  }
}
