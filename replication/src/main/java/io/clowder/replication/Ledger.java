// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a replica has: its log, how much of that is on disk, how much is committed, and what the
 * committed part made. All that is committed is applied at once.
 */
final class Ledger {
  private record Write(long number, long seq) {}

  final OperationLog log = new OperationLog();
  final Contents contents = new Contents();
  private final Outlet outlet;
  private final Deque<Write> writes = new ArrayDeque<>();
  private long written;
  private long persisted;
  private long commit;

  /** With the records read back from the journal; how many of them are committed has to be told. */
  Ledger(List<LogRecord> records, Outlet outlet) {
    this.outlet = outlet;
    records.forEach(log::append);
    this.persisted = log.end();
  }

  long commit() {
    return commit;
  }

  /** All records up to here are on disk. */
  long persisted() {
    return persisted;
  }

  void append(LogRecord record) {
    log.append(record);
    writes.add(new Write(++written, record.seq()));
    outlet.append(record);
  }

  /** Cuts off what the log of the primary does not have. */
  void truncate(long after) {
    log.truncate(after);
    writes.removeIf(it -> it.seq > after);
    persisted = Math.min(persisted, after);
    written++;
    outlet.truncate(after);
  }

  /**
   * The first so many appends and truncations are on disk. Counted are they, not records: a record
   * may have been cut off and another put in its place while the first was on its way to the disk.
   */
  void persisted(long count) {
    while (!writes.isEmpty() && writes.peek().number <= count) {
      persisted = writes.remove().seq;
    }
  }

  /** All records up to here are committed; {@code applied} is told of each as it is applied. */
  void commit(long upTo, Consumer<LogRecord> applied) {
    if (upTo > log.end()) {
      throw new AssertionError(upTo + " committed of " + log.end());
    }
    while (commit < upTo) {
      LogRecord record = log.get(++commit);
      contents.apply(record);
      log.applied(record);
      applied.accept(record);
    }
  }
}
