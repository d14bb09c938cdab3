// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.runtime.Timer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/** Time that passes when a test says so, on the test's own thread. */
class VirtualTimer implements Timer {
  /** Runs at once, for tests whose one thread waits for the result. */
  static final class Prompt extends VirtualTimer {
    @Override
    public void execute(Runnable task) {
      task.run();
    }
  }

  private record Delayed(long dueNanos, Runnable task) {}

  private final Deque<Runnable> ready = new ArrayDeque<>();
  private final List<Delayed> delayed = new ArrayList<>();
  private long nowNanos = 1_000;
  private long suspendedMillis;
  private boolean closed;

  @Override
  public long nanoTime() {
    return nowNanos;
  }

  @Override
  public long wallMillis() {
    return 1_700_000_000_000L + suspendedMillis + nowNanos / 1_000_000;
  }

  @Override
  public void execute(Runnable task) {
    ready.add(task);
  }

  @Override
  public Runnable after(Duration delay, Runnable task) {
    Delayed entry = new Delayed(nowNanos + delay.toNanos(), task);
    delayed.add(entry);
    return () -> delayed.remove(entry);
  }

  @Override
  public void close() {
    closed = true;
    delayed.clear();
  }

  boolean isClosed() {
    return closed;
  }

  int delayedTasks() {
    return delayed.size();
  }

  /** Runs what is ready. */
  void run() {
    while (!ready.isEmpty()) {
      ready.remove().run();
    }
  }

  /** The machine is suspended: only the wall clock goes on. */
  void suspend(Duration duration) {
    suspendedMillis += duration.toMillis();
  }

  /** Lets time pass while the timer's threads are late. */
  void skip(Duration duration) {
    nowNanos += duration.toNanos();
  }

  /** Lets time pass, and runs everything that becomes due, in its order. */
  void advance(Duration duration) {
    long until = nowNanos + duration.toNanos();
    run();
    while (true) {
      Delayed next =
          delayed.stream()
              .filter(entry -> entry.dueNanos <= until)
              .min(Comparator.comparingLong(Delayed::dueNanos))
              .orElse(null);
      if (next == null) {
        break;
      }
      delayed.remove(next);
      nowNanos = Math.max(nowNanos, next.dueNanos);
      next.task.run();
      run();
    }
    nowNanos = until;
  }
}
