// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs tasks one after the other, in their order, on threads that others use too. */
final class Lane implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

  private final Executor threads;
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private boolean running;
  private volatile @Nullable Thread thread;

  Lane(Executor threads) {
    this.threads = threads;
  }

  @Override
  public void execute(Runnable task) {
    synchronized (tasks) {
      tasks.add(task);
      if (running) {
        return;
      }
      running = true;
    }
    threads.execute(this::run);
  }

  /** Whether the caller is one of the tasks. */
  boolean isHere() {
    return thread == Thread.currentThread();
  }

  private void run() {
    thread = Thread.currentThread();
    while (true) {
      Runnable task;
      synchronized (tasks) {
        task = tasks.poll();
        if (task == null) {
          thread = null;
          running = false;
          return;
        }
      }
      try {
        task.run();
      } catch (RuntimeException | Error e) {
        LOG.error("a task failed, those behind it go on", e);
      }
    }
  }
}
