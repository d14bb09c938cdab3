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
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who hears of changes on this node. Each watch has a place in the copy's log and goes on from
 * there at its own pace, so nothing waits in a queue: who is too slow finds that the log does not
 * have its place any more, and is told so. Thread-safe.
 */
final class Watches {
  private static final int RECORDS = 256;

  /** This node's copy. */
  interface Source {
    /** All up to here is applied. */
    long committed();

    /**
     * Committed records from one on; none if there is nothing newer. Fails if that is forgotten.
     */
    CompletionStage<List<LogRecord>> records(long from, int count);
  }

  private final Executor threads;
  private final Set<Watching> all = ConcurrentHashMap.newKeySet();
  private final Supplier<@Nullable Source> source;

  /**
   * Nobody yet.
   *
   * @param source of this node; null while there is none: who watches goes on with the next one
   * @param threads has a thread for each listener that is being told, whatever the others do
   */
  Watches(Supplier<@Nullable Source> source, Executor threads) {
    this.source = source;
    this.threads = threads;
  }

  /** This node's copy is taken away, or it is to have none: there is nothing to wait for. */
  void gone() {
    all.forEach(it -> it.end(noCopy()));
  }

  private static CoordinationException noCopy() {
    return refused(Reason.UNAVAILABLE, "this node has no copy of the store: watch on one that has");
  }

  /**
   * Something was applied, or this node's copy is another. To be called often, by any thread: cheap
   * if nobody watches.
   */
  void applied() {
    if (!all.isEmpty()) {
      all.forEach(Watching::wake);
    }
  }

  Watch begin(String prefix, long from, ChangeListener listener) {
    Source present = source.get();
    if (present == null) {
      throw noCopy();
    }
    if (all.size() >= Watch.WATCHES_MAX) {
      throw refused(Reason.OVERLOADED, Watch.WATCHES_MAX + " watches are there already");
    }
    Watching watching = new Watching(prefix, from == 0 ? present.committed() + 1 : from, listener);
    all.add(watching);
    if (source.get() == null) {
      watching.end(noCopy()); // It has gone meanwhile.
    }
    watching.wake();
    return watching;
  }

  /** Nobody hears anything any more. */
  void close() {
    all.forEach(it -> it.end(refused(Reason.UNAVAILABLE, "the store is closed on this node")));
  }

  private final class Watching implements Watch {
    private final String prefix;
    private final ChangeListener listener;
    private long next;
    private boolean isRunning;
    private boolean isWoken;
    private boolean isClosed;

    Watching(String prefix, long next, ChangeListener listener) {
      this.prefix = prefix;
      this.next = next;
      this.listener = listener;
    }

    void wake() {
      synchronized (this) {
        isWoken = true;
        if (isRunning || isClosed) {
          return;
        }
        isRunning = true;
      }
      execute(this::ask);
    }

    private void execute(Runnable task) {
      try {
        threads.execute(task);
      } catch (RejectedExecutionException e) {
        close();
      }
    }

    private void ask() {
      Source from = source.get();
      synchronized (this) {
        isWoken = false;
        if (isClosed || from == null) {
          isRunning = false;
          return;
        }
      }
      from.records(next, RECORDS)
          .whenComplete((records, failure) -> execute(() -> take(from, records, failure)));
    }

    private void take(Source from, @Nullable List<LogRecord> records, @Nullable Throwable failure) {
      if (records == null) {
        failed(from, failure);
        return;
      }
      if (records.isEmpty()) {
        synchronized (this) {
          isRunning = isWoken && !isClosed;
          if (!isRunning) {
            return;
          }
        }
      } else {
        tell(records);
      }
      ask();
    }

    private void tell(List<LogRecord> records) {
      List<Change> changes = new ArrayList<>();
      for (LogRecord record : records) {
        for (LogRecord.Effect effect : record.effects()) {
          if (effect.key().startsWith(prefix) && !effect.key().startsWith(Contents.OWN)) {
            changes.add(new Change(record.seq(), effect.key(), effect.value()));
          }
        }
        next = record.seq() + 1;
      }
      synchronized (this) {
        if (isClosed || changes.isEmpty()) {
          return;
        }
      }
      try {
        listener.changed(changes);
      } catch (RuntimeException | Error e) {
        end(refused(Reason.INVALID, "the listener failed: " + e));
      }
    }

    private void failed(Source from, @Nullable Throwable failure) {
      if (failure instanceof CoordinationException reason && reason.reason() == Reason.CONFLICT) {
        end(reason);
        return;
      }
      synchronized (this) {
        // The copy ends. Another one may be there by now; if not, it wakes this when it comes.
        isRunning = !from.equals(source.get()) && !isClosed;
        if (!isRunning) {
          return;
        }
      }
      ask();
    }

    private void end(CoordinationException reason) {
      synchronized (this) {
        if (isClosed) {
          return;
        }
      }
      close();
      execute(() -> listener.ended(reason));
    }

    @Override
    public void close() {
      synchronized (this) {
        isClosed = true;
      }
      all.remove(this);
    }
  }
}
