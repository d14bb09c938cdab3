// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.ArrayDeque;
import java.util.Deque;
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
  private long covered;

  /**
   * The journal ends with what is void: before anything is added to it, it has to say so, or what
   * is added would be taken for void, too, when it is read again.
   */
  private boolean isVoidBehind;

  /** With what was read back from the disk; how much of its log is committed has to be told. */
  Ledger(Recovered recovered, Outlet outlet) {
    this.outlet = outlet;
    Image image = recovered.image();
    contents.become(image);
    log.begin(image.seq(), image.epoch());
    recovered.records().forEach(log::append);
    commit = image.seq();
    covered = image.seq();
    persisted = log.end();
    isVoidBehind = recovered.isVoid();
  }

  long commit() {
    return commit;
  }

  /** All records up to here are on disk. */
  long persisted() {
    return persisted;
  }

  /** All records up to here are in a snapshot on disk. */
  long covered() {
    return covered;
  }

  void append(LogRecord record) {
    if (isVoidBehind) {
      cut(log.end());
    }
    log.append(record);
    writes.add(new Write(++written, record.seq()));
    outlet.append(record);
  }

  /** Cuts off what the log of the primary does not have. */
  void truncate(long after) {
    log.truncate(after);
    cut(after);
  }

  private void cut(long after) {
    writes.removeIf(it -> it.seq > after);
    persisted = Math.min(persisted, after);
    written++;
    isVoidBehind = false;
    outlet.truncate(after);
  }

  /**
   * The first so many appends and truncations are on disk. Counted are they, not records: a record
   * may have been cut off and another put in its place while the first was on its way to the disk.
   */
  void persisted(long count) {
    while (!writes.isEmpty() && writes.peek().number <= count) {
      persisted = Math.max(persisted, writes.remove().seq);
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
      outlet.applied(record);
      record.settle();
    }
  }

  /** All of it that is committed. */
  Image image() {
    return contents.image(commit, log.epochOf(commit));
  }

  /** A snapshot of what was committed up to here is on disk. */
  void covered(long upTo) {
    covered = Math.max(covered, upTo);
  }

  /** Forgets records that are in a snapshot, the oldest first, while more bytes are here. */
  void forget(long bytesMax) {
    if (log.bytes() <= bytesMax) {
      return;
    }
    long upTo = log.base();
    long excess = log.bytes() - bytesMax;
    while (upTo < covered && excess > 0) {
      excess -= log.get(++upTo).size();
    }
    log.forget(upTo);
  }

  /** Becomes what a snapshot shows that is on disk, if that is more than what is committed here. */
  boolean install(Image image) {
    if (image.seq() <= commit) {
      return false;
    }
    boolean isVoid = log.begin(image.seq(), image.epoch());
    contents.become(image);
    commit = image.seq();
    covered = image.seq();
    if (isVoid) {
      persisted = image.seq();
      cut(image.seq());
    } else {
      persisted = Math.max(persisted, image.seq());
    }
    return true;
  }
}
