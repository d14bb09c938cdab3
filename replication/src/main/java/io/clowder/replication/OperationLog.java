// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.store.RequestId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The records of a replica after its <em>base</em>, and the history of epochs in them; what is at
 * the base and before is in a snapshot, and committed. The tail, which is what was appended and not
 * applied yet, is indexed by key, and the primary's by request: by key, as a read of a key that the
 * tail touches must not be answered as if nothing were under way ("dirty", CRAQ, section 2.3).
 */
final class OperationLog {
  /** What {@link #epochOf} says of a record that is forgotten: it is committed. */
  static final long FORGOTTEN = -2;

  /** Where an epoch begins in a log, or where the log begins in it. */
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
  private boolean isLed;
  private long base;
  private long baseEpoch;
  private long applied;
  private long bytes;

  /** The last record that is forgotten; 0 if none is. */
  long base() {
    return base;
  }

  long end() {
    return base + records.size();
  }

  /** Bytes of the records that are here. */
  long bytes() {
    return bytes;
  }

  long lastEpoch() {
    return records.isEmpty() ? baseEpoch : records.get(records.size() - 1).epoch();
  }

  LogRecord get(long seq) {
    return records.get((int) (seq - base) - 1);
  }

  /** The epoch of a record; 0 for the place before the first, -1 beyond the end. */
  long epochOf(long seq) {
    if (seq < base) {
      return FORGOTTEN;
    }
    return seq == base ? baseEpoch : seq > end() ? -1 : get(seq).epoch();
  }

  /** The records after one and up to another, as many as go into a message, and one at least. */
  List<LogRecord> slice(long after, long upTo) {
    List<LogRecord> slice = new ArrayList<>();
    int room = Limits.BATCH_BYTES;
    long last = Math.min(upTo, after + ReplicaMessage.Append.RECORDS_MAX);
    for (long seq = after + 1; seq <= last && room > 0; seq++) {
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
    bytes += record.size();
    index(record);
  }

  /** Forgets all records after one; those applied stay. */
  void truncate(long after) {
    if (after < applied) {
      throw new AssertionError("cut after " + after + " what is committed up to " + applied);
    }
    List<LogRecord> gone = records.subList((int) (after - base), records.size());
    gone.forEach(it -> bytes -= it.size());
    gone.clear();
    history.removeIf(it -> it.seq() > after && it.seq() > base);
    reindex();
  }

  private void reindex() {
    touches.clear();
    requests.clear();
    for (long seq = applied + 1; seq <= end(); seq++) {
      index(get(seq));
    }
  }

  private void index(LogRecord record) {
    record.effects().forEach(it -> touches.put(it.key(), new Touch(record.seq(), it.value())));
    if (isLed) {
      requests.put(record.request(), record.seq());
    }
  }

  /** Requests in the tail will be asked for: this is the primary's log. */
  void lead() {
    isLed = true;
    reindex();
  }

  /** Nobody asks for requests any more. */
  void follow() {
    isLed = false;
    requests.clear();
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
    if (isLed) {
      requests.remove(record.request(), record.seq());
    }
  }

  /** Forgets the records up to one that is applied. */
  void forget(long upTo) {
    if (upTo > applied) {
      throw new AssertionError("forget " + upTo + ", of which " + applied + " are applied");
    }
    if (upTo <= base) {
      return;
    }
    baseEpoch = epochOf(upTo);
    List<LogRecord> gone = records.subList(0, (int) (upTo - base));
    gone.forEach(it -> bytes -= it.size());
    gone.clear();
    base = upTo;
    while (history.size() > 1 && history.get(1).seq() <= base) {
      history.remove(0);
    }
  }

  /**
   * Goes on after a record whose effects came from elsewhere. What is here beyond it stays if this
   * log has that very record; otherwise it is void, and forgotten.
   *
   * @return whether it was void
   */
  boolean begin(long seq, long epoch) {
    boolean isHere = epochOf(seq) == epoch;
    if (isHere) {
      applied = seq;
      forget(seq);
    } else {
      records.clear();
      history.clear();
      bytes = 0;
      base = seq;
      baseEpoch = epoch;
      applied = seq;
      if (seq > 0) {
        history.add(new Beginning(epoch, seq));
      }
    }
    reindex();
    return !isHere;
  }

  /** What the tail does to a key; null if the key is clean. */
  @Nullable Touch touch(String key) {
    return touches.get(key);
  }

  /** Whether the tail may change what a query finds. */
  boolean isDirty(Query query) {
    if (query instanceof Query.Get get) {
      return touches.containsKey(get.key());
    }
    return touches.keySet().stream().anyMatch(query::isAbout);
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
