// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The records of a replica, and the history of epochs in them. The tail, which is what was appended
 * and not applied yet, is indexed by key and by request: by key, as a read of a key that the tail
 * touches must not be answered as if nothing were under way ("dirty", CRAQ, section 2.3).
 */
final class OperationLog {
  /** Where an epoch begins in a log. */
  record Beginning(long epoch, long seq) {}

  /** What the tail last does to a key. */
  record Touch(long seq, byte @Nullable [] value) {
    /** The version that the key will have. */
    long version() {
      return value == null ? 0 : seq;
    }
  }

  private final List<LogRecord> records = new ArrayList<>();
  private final List<Beginning> history = new ArrayList<>();
  private final Map<String, Touch> touches = new HashMap<>();
  private final Map<RequestId, Long> requests = new HashMap<>();
  private long applied;

  long end() {
    return records.size();
  }

  long lastEpoch() {
    return records.isEmpty() ? 0 : records.get(records.size() - 1).epoch();
  }

  LogRecord get(long seq) {
    return records.get((int) seq - 1);
  }

  /** The epoch of a record; 0 for the place before the first, -1 beyond the end. */
  long epochOf(long seq) {
    return seq == 0 ? 0 : seq > end() ? -1 : get(seq).epoch();
  }

  /** The records after one and up to another, as many as go into a message, and one at least. */
  List<LogRecord> slice(long after, long upTo) {
    List<LogRecord> slice = new ArrayList<>();
    int room = Limits.BATCH_BYTES;
    for (long seq = after + 1; seq <= upTo && room > 0; seq++) {
      LogRecord record = get(seq);
      room -= record.size();
      slice.add(record);
    }
    return slice;
  }

  /** Where each epoch begins, oldest first. */
  List<Beginning> history() {
    return List.copyOf(history);
  }

  void append(LogRecord record) {
    if (record.seq() != end() + 1 || record.epoch() < lastEpoch()) {
      throw new AssertionError(record + " after " + end() + " of epoch " + lastEpoch());
    }
    if (record.epoch() > lastEpoch()) {
      history.add(new Beginning(record.epoch(), record.seq()));
    }
    records.add(record);
    index(record);
  }

  /** Forgets all records after one; those applied stay. */
  void truncate(long after) {
    if (after < applied) {
      throw new AssertionError("cut after " + after + " what is committed up to " + applied);
    }
    records.subList((int) after, records.size()).clear();
    history.removeIf(it -> it.seq() > after);
    touches.clear();
    requests.clear();
    for (long seq = applied + 1; seq <= after; seq++) {
      index(get(seq));
    }
  }

  private void index(LogRecord record) {
    record.effects().forEach(it -> touches.put(it.key(), new Touch(record.seq(), it.value())));
    requests.put(record.request(), record.seq());
  }

  /** The next record was applied, and leaves the tail. */
  void applied(LogRecord record) {
    applied = record.seq();
    for (LogRecord.Effect effect : record.effects()) {
      Touch touch = touches.get(effect.key());
      if (touch != null && touch.seq <= applied) {
        touches.remove(effect.key());
      }
    }
    requests.remove(record.request(), record.seq());
  }

  /** What the tail does to a key; null if the key is clean. */
  @Nullable Touch touch(String key) {
    return touches.get(key);
  }

  /** Where a request is in the tail; 0 if it is not. */
  long find(RequestId request) {
    return requests.getOrDefault(request, 0L);
  }

  /**
   * The last place up to which this log and another are the same, from their histories alone: the
   * last that has the same epoch in both (KIP-101 and KIP-279; Raft's Log Matching, section 5.3).
   */
  long common(List<Beginning> other, long otherEnd) {
    long common = 0;
    for (int i = 0; i < other.size(); i++) {
      long epoch = other.get(i).epoch();
      long theirs = i + 1 < other.size() ? other.get(i + 1).seq() - 1 : otherEnd;
      for (int j = 0; j < history.size(); j++) {
        if (history.get(j).epoch() == epoch) {
          long ours = j + 1 < history.size() ? history.get(j + 1).seq() - 1 : end();
          common = Math.max(common, Math.min(ours, theirs));
        }
      }
    }
    return common;
  }
}
