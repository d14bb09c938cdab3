// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Real time, on two daemon threads: one caller that wrongly blocks in a completion does not keep
 * others from hearing that they lost their locks.
 */
final class ThreadTimer implements Timer {
  private final ScheduledThreadPoolExecutor threads;

  ThreadTimer(String name) {
    AtomicInteger count = new AtomicInteger();
    threads =
        new ScheduledThreadPoolExecutor(
            2,
            task -> {
              Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.setRemoveOnCancelPolicy(true);
    threads.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
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
      threads.execute(task);
    } catch (RejectedExecutionException e) {
      task.run(); // Closed meanwhile, and whoever waits for the answer still gets it.
    }
  }

  @Override
  public Runnable after(Duration delay, Runnable task) {
    try {
      Future<?> scheduled = threads.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
      return () -> scheduled.cancel(false);
    } catch (RejectedExecutionException e) {
      return () -> {};
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }
}
