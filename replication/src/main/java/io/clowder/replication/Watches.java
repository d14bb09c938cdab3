// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.store.Change;
import io.clowder.api.store.ChangeListener;
import io.clowder.api.store.Watch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who hears of changes on this node. Each watch has a place in the copy's log and goes on from
 * there at its own pace, so nothing waits in a queue: who is too slow finds that the log does not
 * have its place any more, and is told so. Those at one place read the log together, and a watch
 * has a thread only while its listener is called. Thread-safe.
 */
final class Watches {
  private static final Logger LOG = LoggerFactory.getLogger(Watches.class);

  private static final int RECORDS = 256;

  /** This node's copy. */
  interface Source {
    /** Whether it was taken away, and is idle. */
    boolean isRemoved();

    /** All up to here is applied. */
    long committed();

    /**
     * Committed records from one on; none if there is nothing newer. Fails if that is forgotten.
     */
    CompletionStage<List<LogRecord>> records(long from, int count);
  }

  private final String store;
  private final Supplier<@Nullable Source> source;
  private final Executor turns;
  private final Executor listeners;
  private final Set<Watching> all = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean isDue = new AtomicBoolean();
  private volatile boolean isClosed;

  /**
   * Nobody yet.
   *
   * @param source of this node; null while there is none: who watches goes on with the next one
   * @param turns has one thread, which reads for all; nothing that it runs waits
   * @param listeners has a thread for each listener that is being told, whatever the others do
   */
  Watches(String store, Supplier<@Nullable Source> source, Executor turns, Executor listeners) {
    this.store = store;
    this.source = source;
    this.turns = turns;
    this.listeners = listeners;
  }

  /**
   * Something was applied, or this node's copy is another, or was taken away. To be called often,
   * by any thread: it costs at most one task, however many watch.
   */
  void applied() {
    if (!all.isEmpty() && isDue.compareAndSet(false, true)) {
      turn(this::read);
    }
  }

  private void turn(Runnable task) {
    try {
      turns.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("store {} is closed", store);
    }
  }

  synchronized Watch begin(String prefix, long from, ChangeListener listener) {
    Source present = source.get();
    if (isClosed) {
      throw gone("it is closed on this node");
    } else if (present == null || present.isRemoved()) {
      throw gone("this node has no copy: watch on one that has");
    } else if (all.size() >= Watch.WATCHES_MAX) {
      throw refused(Reason.OVERLOADED, Watch.WATCHES_MAX + " watches are there already");
    }
    Watching watching = new Watching(prefix, from == 0 ? present.committed() + 1 : from, listener);
    all.add(watching);
    applied();
    return watching;
  }

  private CoordinationException gone(String why) {
    return refused(Reason.UNAVAILABLE, "store " + store + ": " + why);
  }

  /** Nobody hears anything any more but that. */
  synchronized void close() {
    isClosed = true;
    all.forEach(it -> it.end(gone("it is closed on this node")));
  }

  // ---- the turns' thread ---------------------------------------------------------------------

  private void read() {
    isDue.set(false);
    Source present = source.get();
    if (present == null) {
      return;
    } else if (present.isRemoved()) {
      all.forEach(it -> it.end(gone("this node's copy was taken away")));
      return;
    }
    Map<Long, List<Watching>> places = new TreeMap<>();
    for (Watching watching : all) {
      if (watching.isIdle()) {
        watching.isReading = true;
        places.computeIfAbsent(watching.next, it -> new ArrayList<>()).add(watching);
      }
    }
    places.forEach(
        (place, group) ->
            present
                .records(place, RECORDS)
                .whenComplete(
                    (records, failure) -> turn(() -> take(present, group, records, failure))));
  }

  private void take(
      Source from,
      List<Watching> group,
      @Nullable List<LogRecord> records,
      @Nullable Throwable failure) {
    group.forEach(it -> it.isReading = false);
    if (records != null) {
      for (LogRecord record : records) {
        List<LogRecord.Effect> effects = record.effects();
        group.forEach(it -> it.gather(record.seq(), effects));
      }
      group.forEach(Watching::tell);
    } else if (failure instanceof CoordinationException reason
        && reason.reason() == Reason.CONFLICT) {
      group.forEach(it -> it.end(reason));
    }
    // If the copy ends, another one may be there by now; if not, it says so when it comes.
    boolean isMore = records == null ? !from.equals(source.get()) : !records.isEmpty();
    if (isMore || group.stream().anyMatch(it -> it.isMissed)) {
      applied();
    }
  }

  private final class Watching implements Watch {
    private final String prefix;
    private final ChangeListener listener;

    // The turns' thread's.
    private long next;
    private boolean isReading;
    private boolean isMissed;
    private List<Change> gathered = new ArrayList<>();

    /** A thread calls the listener, or is about to; nobody else does then. */
    private boolean isTold;

    /** What the listener is to hear last. */
    private @Nullable CoordinationException end;

    private boolean isClosed;

    Watching(String prefix, long next, ChangeListener listener) {
      this.prefix = prefix;
      this.next = next;
      this.listener = listener;
    }

    /** Whether it may read on now; if not, it is seen to that it does later. */
    boolean isIdle() {
      isMissed = isReading;
      synchronized (this) {
        return !isReading && !isTold && !isClosed && end == null;
      }
    }

    void gather(long seq, List<LogRecord.Effect> effects) {
      for (LogRecord.Effect effect : effects) {
        if (effect.key().startsWith(prefix) && !effect.key().startsWith(Contents.OWN)) {
          gathered.add(new Change(seq, effect.key(), effect.value()));
        }
      }
      next = seq + 1;
    }

    void tell() {
      if (gathered.isEmpty()) {
        return;
      }
      List<Change> changes = gathered;
      gathered = new ArrayList<>();
      synchronized (this) {
        if (isTold || isClosed) {
          return; // It is just ending.
        }
        isTold = true;
      }
      call(changes);
    }

    /** Nothing is heard after this reason. */
    void end(CoordinationException reason) {
      synchronized (this) {
        if (isClosed || end != null) {
          return;
        }
        end = reason;
        if (isTold) {
          return; // Whoever tells it says that, too.
        }
        isTold = true;
      }
      call(List.of());
    }

    private void call(List<Change> changes) {
      try {
        listeners.execute(() -> listen(changes));
      } catch (RejectedExecutionException e) {
        close();
      }
    }

    /** On a thread of its own, one at a time. */
    private void listen(List<Change> changes) {
      if (!changes.isEmpty() && !isClosed()) {
        try {
          listener.changed(changes);
        } catch (RuntimeException | Error e) {
          end(refused(Reason.INVALID, "the listener failed: " + e));
        }
      }
      CoordinationException reason;
      synchronized (this) {
        reason = isClosed ? null : end;
        isClosed |= end != null;
        isTold = reason != null;
      }
      if (reason != null) {
        try {
          listener.ended(reason);
        } catch (RuntimeException | Error e) {
          LOG.warn("store {}: a listener failed", store, e);
        }
        synchronized (this) {
          isTold = false;
        }
      }
      if (isClosed()) {
        all.remove(this);
      } else {
        applied();
      }
    }

    private synchronized boolean isClosed() {
      return isClosed;
    }

    @Override
    public void close() {
      boolean isOver;
      synchronized (this) {
        isClosed = true;
        isOver = !isTold;
      }
      // While it is being told it takes a thread still, and so counts.
      if (isOver) {
        all.remove(this);
      }
    }
  }
}
