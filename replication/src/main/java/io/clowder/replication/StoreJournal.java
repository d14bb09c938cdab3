// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.storage.Journal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;

/**
 * What a copy writes down: a byte of kind, and the fields. Its tags are the places in the log, so
 * that it can be trimmed up to a snapshot.
 */
final class StoreJournal extends GatheringJournal {
  /** A record of the log. */
  static final int RECORD = 1;

  /** All after a record is void. */
  static final int TRUNCATION = 2;

  /** There is a snapshot up to a record: without it, or a later one, this journal is not whole. */
  static final int COVERED = 3;

  /** Which of the journal's records are neither appends nor truncations, and not durable yet. */
  private final Deque<Long> notes = new ArrayDeque<>();

  private long notesDurable;

  StoreJournal(Journal journal, Executor disk, Outcome outcome) {
    super(journal, disk, outcome);
  }

  void append(LogRecord record) {
    record.write(begin().writeByte(RECORD));
    end(record.seq());
  }

  void truncate(long afterSeq) {
    begin().writeByte(TRUNCATION).writeVarLong(afterSeq);
    end(afterSeq);
  }

  /**
   * Notes a snapshot. The note outlives a trim up to that snapshot: trim only when it is {@link
   * #durable}, so that the note before it is not missed.
   *
   * @return how many records have to be durable for that
   */
  long cover(long seq) {
    begin().writeByte(COVERED).writeVarLong(seq);
    end(seq + 1);
    notes.add(appended());
    return appended();
  }

  /** Appends and truncations that are on disk. */
  long operationsDurable() {
    while (!notes.isEmpty() && notes.element() <= durable()) {
      notes.remove();
      notesDurable++;
    }
    return durable() - notesDurable;
  }
}
