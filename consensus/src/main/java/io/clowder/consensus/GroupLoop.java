// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongUnaryOperator;

/**
 * The threads of a group: one that runs its loop, and an executor for each kind of work that may
 * wait.
 */
final class GroupLoop {
  private final Thread thread;
  private final ExecutorService disk;
  private final ExecutorService background;
  private final ExecutorService completions;

  private volatile LongUnaryOperator work = time -> time + TimeUnit.SECONDS.toNanos(1);
  private volatile boolean signalled;
  private volatile boolean parked;
  private volatile boolean stopped;

  GroupLoop(String name) {
    thread = new Thread(this::run, "clowder-group-" + name);
    disk = single("clowder-disk-" + name);
    background = single("clowder-snapshots-" + name);
    completions = single("clowder-completions-" + name);
  }

  private static ExecutorService single(String name) {
    return Executors.newSingleThreadExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  ExecutorService disk() {
    return disk;
  }

  ExecutorService background() {
    return background;
  }

  ExecutorService completions() {
    return completions;
  }

  /** Calls {@code doWork} from now on, again when it says or when it is woken. */
  void start(LongUnaryOperator doWork) {
    work = doWork;
    thread.start();
  }

  /** Has the loop run soon. */
  void wakeup() {
    signalled = true;
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    while (!stopped) {
      signalled = false;
      long next = work.applyAsLong(System.nanoTime());
      parked = true;
      long wait = next - System.nanoTime();
      if (!signalled && wait > 0) {
        LockSupport.parkNanos(this, wait);
      }
      parked = false;
    }
  }

  /** Ends the threads; waits for a hung disk no longer than a second. */
  void stop() {
    stopped = true;
    LockSupport.unpark(thread);
    try {
      thread.join(TimeUnit.SECONDS.toMillis(1));
      if (!thread.isAlive()) {
        // Whoever came in at the last moment is told, too.
        var unused = work.applyAsLong(System.nanoTime());
      }
      disk.shutdown();
      background.shutdown();
      completions.shutdown();
      disk.awaitTermination(1, TimeUnit.SECONDS);
      background.awaitTermination(1, TimeUnit.SECONDS);
      completions.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
