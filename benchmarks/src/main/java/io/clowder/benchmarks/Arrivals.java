// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.Limits;
import io.clowder.api.task.TaskResult;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Tasks at a fixed rate, whether those before are over or not, and how long each takes to begin,
 * from when it ought to have been submitted: so a pause is seen by all that fall into it
 * ("coordinated omission", Tene). Across machines their clocks have a part in it.
 */
final class Arrivals {
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final int LOOKS = 20;
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final TaskLoad load;
  private final double perNano;
  private final long measured;
  private final long fromNanos;

  /** What this machine's clock says at 0 of {@link System#nanoTime}. */
  private final long clockNanos;

  private final Histogram waits = new ConcurrentHistogram(LONGEST_NANOS, 3);
  private final AtomicInteger flying = new AtomicInteger();
  private final CountDownLatch sent = new CountDownLatch(1);
  private long submitted;

  private Arrivals(TaskLoad load, double perSecond, long nanos) {
    this.load = load;
    this.perNano = perSecond / TimeUnit.SECONDS.toNanos(1);
    this.measured = (long) (nanos * perNano);
    this.clockNanos = clockNanos();
    this.fromNanos = System.nanoTime();
  }

  /**
   * Submits for so long, and waits for what has not begun then.
   *
   * @param executor one thread is enough
   * @return of those that succeeded, the time from when each was due until it began
   */
  static Histogram run(
      TaskLoad load,
      double perSecond,
      long nanos,
      long drainNanos,
      ScheduledExecutorService executor)
      throws InterruptedException {
    Arrivals arrivals = new Arrivals(load, perSecond, nanos);
    Future<?> ticks =
        executor.scheduleAtFixedRate(arrivals::tick, 0, TICK_NANOS, TimeUnit.NANOSECONDS);
    try {
      arrivals.sent.await(nanos + drainNanos, TimeUnit.NANOSECONDS);
    } finally {
      ticks.cancel(false);
    }
    long deadline = System.nanoTime() + drainNanos;
    while (arrivals.flying.get() > 0 && System.nanoTime() - deadline < 0) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    return arrivals.waits.copy();
  }

  /** The clearest of a few looks at both clocks. */
  private static long clockNanos() {
    long best = 0;
    long least = Long.MAX_VALUE;
    for (int i = 0; i < LOOKS; i++) {
      long before = System.nanoTime();
      long clock = EmptyTasks.now();
      long took = System.nanoTime() - before;
      if (took < least) {
        least = took;
        best = clock - before - took / 2;
      }
    }
    return best;
  }

  private void tick() {
    long due = (long) ((System.nanoTime() - fromNanos) * perNano);
    for (; submitted < Math.min(due, measured); submitted++) {
      if (flying.get() >= Limits.PENDING_REQUESTS / 2) {
        return; // They are late, and counted so when they are submitted.
      }
      submit(fromNanos + (long) (submitted / perNano));
    }
    if (submitted >= measured) {
      sent.countDown();
    }
  }

  private void submit(long dueNanos) {
    flying.incrementAndGet();
    try {
      var unused = load.start(0, 0).whenComplete((result, failure) -> ended(dueNanos, result));
    } catch (RuntimeException e) {
      flying.decrementAndGet(); // It is away for a moment.
    }
  }

  private void ended(long dueNanos, @Nullable TaskResult result) {
    if (result != null && load.fault(result) == null) {
      long wait = EmptyTasks.began(result.value()) - clockNanos - dueNanos;
      waits.recordValue(Math.max(0, Math.min(wait, LONGEST_NANOS)));
    }
    flying.decrementAndGet();
  }
}
