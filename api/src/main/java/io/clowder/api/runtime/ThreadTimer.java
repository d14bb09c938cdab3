// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Real time, on daemon threads: one for what is due, and two for callers' completions, so that one
 * caller that wrongly blocks in a completion does not keep others from hearing that they lost their
 * locks. Completions run after the end, too: whoever waits for an answer still gets it, and never
 * on the thread, or under a lock, of whoever gives it.
 */
public final class ThreadTimer implements Timer {
  private static final int COMPLETING = 2;

  private final ThreadFactory threads;
  private final ScheduledThreadPoolExecutor alarms;
  private final ExecutorService completions;

  /** Threads whose names begin with {@code name}. */
  public ThreadTimer(String name) {
    AtomicInteger count = new AtomicInteger();
    threads =
        task -> {
          Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
          thread.setDaemon(true);
          return thread;
        };
    alarms = new ScheduledThreadPoolExecutor(1, threads);
    alarms.setRemoveOnCancelPolicy(true);
    alarms.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    completions = Executors.newFixedThreadPool(COMPLETING, threads);
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public long wallMillis() {
    return System.currentTimeMillis();
  }

  @Override
  public void execute(Runnable task) {
    try {
      completions.execute(task);
    } catch (RejectedExecutionException e) {
      threads.newThread(task).start(); // Closed meanwhile; few answers are so late.
    }
  }

  @Override
  public Runnable after(Duration delay, Runnable task) {
    try {
      Future<?> scheduled = alarms.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
      return () -> scheduled.cancel(false);
    } catch (RejectedExecutionException e) {
      return () -> {};
    }
  }

  @Override
  public void close() {
    alarms.shutdown();
    completions.shutdown();
  }
}
