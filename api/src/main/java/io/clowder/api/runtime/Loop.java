// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongUnaryOperator;

/**
 * The threads of one state machine: one that runs its loop, and an executor for each kind of work
 * that may wait. The executors may be used by any thread; {@link #start} and {@link #stop} are
 * called once each, in this order, by whoever made the loop.
 */
public final class Loop {
  private final Thread thread;
  private final ExecutorService disk;
  private final ExecutorService background;
  private final ExecutorService completions;

  private volatile LongUnaryOperator work = time -> time + TimeUnit.SECONDS.toNanos(1);
  private volatile boolean signalled;
  private volatile boolean parked;
  private volatile boolean stopped;

  /**
   * Threads that are named for people: {@code PREFIX-ROLE-NAME} runs the loop, {@code
   * PREFIX-disk-NAME}, {@code PREFIX-snapshots-NAME} and {@code PREFIX-completions-NAME} the
   * executors. None runs yet.
   *
   * @param prefix what the names begin with, such as {@code clowder}
   * @param role what the state machine is, such as {@code group}
   * @param name of the one among those of its role, such as {@code main}
   */
  public Loop(String prefix, String role, String name) {
    thread = new Thread(this::run, prefix + "-" + role + "-" + name);
    disk = single(prefix + "-disk-" + name);
    background = single(prefix + "-snapshots-" + name);
    completions = single(prefix + "-completions-" + name);
  }

  private static ExecutorService single(String name) {
    return Executors.newSingleThreadExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Runs one task at a time, in order: for writes and syncs of the journal. */
  public ExecutorService disk() {
    return disk;
  }

  /** Runs one task at a time, in order: for snapshot files and other long work. */
  public ExecutorService background() {
    return background;
  }

  /** Runs one task at a time, in order: where callers' stages complete. */
  public ExecutorService completions() {
    return completions;
  }

  /**
   * Calls {@code doWork} from now on, on the loop's thread, again when it says or when it is woken.
   *
   * @param doWork is given the time, of {@link System#nanoTime}, and answers until when it has
   *     nothing to do, of the same clock; what it throws ends the thread
   */
  public void start(LongUnaryOperator doWork) {
    work = doWork;
    thread.start();
  }

  /** Has {@code doWork} called soon, once more at least after this call began; any thread. */
  public void wakeup() {
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

  /**
   * Ends the threads. {@code doWork} is called once more, on this thread, when the loop's has
   * ended. Waits no longer than a second for each thread: a hung disk holds up nobody. Not to be
   * called on the loop's thread.
   */
  public void stop() {
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
