// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a number of operations outstanding: each one that ends starts the next, on the thread that
 * completed it. That thread is never blocked, and never kept for long: after some operations in a
 * row that were complete at once, or after a failure, the executor goes on.
 */
final class ClosedLoop {
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(2);
  private static final int ROUNDS_IN_A_ROW = 64;

  /** Else a service that refuses at once would be asked again and again by a busy thread. */
  private static final long PAUSE_AFTER_FAILURE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** How long an interrupted loop waits for what is under way. */
  private static final long ABORT_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** What is repeated. */
  interface Operation {
    /**
     * Starts one.
     *
     * @param index counts the operations of a loop from 0
     * @param slot which of the outstanding ones it is, from 0
     */
    CompletionStage<?> start(long index, int slot);

    /** What is wrong with a result; null if nothing is. */
    default @Nullable Throwable fault(@Nullable Object result) {
      return null;
    }
  }

  /**
   * How much to do.
   *
   * @param outstanding operations at a time, at least 1
   * @param operations how many at most
   * @param warmUpNanos at the beginning, when nothing is counted
   * @param measuredNanos after that; no operation starts later
   * @param drainNanos how long to wait for what is under way then
   */
  record Plan(
      int outstanding, long operations, long warmUpNanos, long measuredNanos, long drainNanos) {}

  /**
   * What came of it.
   *
   * @param latencies of the operations that succeeded within the measured time, in nanoseconds
   * @param gapNanos the longest part of the measured time in which none succeeded
   * @param errors those that failed after the warm-up, or had no answer at the end
   * @param firstError what the first one failed with, that of the warm-up included
   */
  record Result(Histogram latencies, long gapNanos, long errors, @Nullable Throwable firstError) {
    /** How many succeeded within the measured time. */
    long operations() {
      return latencies.getTotalCount();
    }

    /** The first error for people; if there is none, that there was no answer. */
    String because() {
      return firstError == null ? "no answer in time" : sentence(firstError);
    }
  }

  /** What a failure says, without what stages and futures have wrapped it in. */
  static String sentence(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    return cause instanceof CoordinationException && message != null ? message : cause.toString();
  }

  private final Operation operation;
  private final long operations;
  private final ScheduledExecutorService executor;
  private final long fromNanos;
  private final long untilNanos;
  private final CountDownLatch slotsLeft;
  private final AtomicLong nextIndex = new AtomicLong();
  private final Histogram latencies = new ConcurrentHistogram(LONGEST_NANOS, 3);
  private final LongestGap gap;
  private final LongAdder errors = new LongAdder();
  private final AtomicReference<@Nullable Throwable> firstError = new AtomicReference<>();
  private volatile boolean running = true;

  private ClosedLoop(Operation operation, Plan plan, ScheduledExecutorService executor) {
    this.operation = operation;
    this.operations = plan.operations();
    this.executor = executor;
    this.fromNanos = System.nanoTime() + plan.warmUpNanos();
    this.untilNanos = fromNanos + plan.measuredNanos();
    this.gap = new LongestGap(fromNanos);
    this.slotsLeft = new CountDownLatch(plan.outstanding());
  }

  /**
   * Runs a plan to its end.
   *
   * @param executor one thread is enough
   * @throws InterruptedException if the caller is interrupted; nothing is started any more then
   */
  static Result run(Operation operation, Plan plan, ScheduledExecutorService executor)
      throws InterruptedException {
    ClosedLoop loop = new ClosedLoop(operation, plan, executor);
    for (int i = 0; i < plan.outstanding(); i++) {
      executor.execute(loop.new Slot(i));
    }
    long gapNanos;
    try {
      loop.awaitSlots(loop.untilNanos - System.nanoTime());
      gapNanos = loop.gapNanos();
      loop.running = false;
      loop.awaitSlots(plan.drainNanos());
    } catch (InterruptedException e) {
      loop.running = false;
      loop.awaitSlots(ABORT_NANOS);
      throw e;
    }
    long unanswered = loop.slotsLeft.getCount();
    return new Result(
        loop.latencies.copy(), gapNanos, loop.errors.sum() + unanswered, loop.firstError.get());
  }

  /** Up to the end of the measured time, or up to now if all that was to do is done. */
  private long gapNanos() {
    long now = System.nanoTime();
    return gap.until(now - untilNanos < 0 ? now : untilNanos);
  }

  private boolean awaitSlots(long nanos) throws InterruptedException {
    return slotsLeft.await(nanos, TimeUnit.NANOSECONDS);
  }

  /** Whether the operation failed. */
  private boolean record(long startedNanos, @Nullable Object result, @Nullable Throwable error) {
    long now = System.nanoTime();
    Throwable fault = error == null ? operation.fault(result) : error;
    boolean measured = now - fromNanos >= 0;
    if (fault == null) {
      if (measured && now - untilNanos < 0) {
        latencies.recordValue(Math.min(now - startedNanos, LONGEST_NANOS));
        gap.completed(now);
      }
      return false;
    }
    if (measured) {
      errors.increment();
    }
    firstError.compareAndSet(null, fault);
    return true;
  }

  /** One of the outstanding operations, and itself what their stages call back. */
  private final class Slot implements Runnable, BiConsumer<@Nullable Object, @Nullable Throwable> {
    private static final int STARTING = 0;
    private static final int WAITING = 1;
    private static final int COMPLETE = 2;

    private final int number;

    /**
     * Decides who goes on when a stage completes about the time that its operation was started: the
     * starter if it comes second, so that neither recurses into the other.
     */
    private final AtomicInteger phase = new AtomicInteger();

    private long startedNanos;
    private boolean failed;

    Slot(int number) {
      this.number = number;
    }

    @Override
    public void run() {
      for (int round = 0; round < ROUNDS_IN_A_ROW; round++) {
        long index = running ? nextIndex.getAndIncrement() : operations;
        if (index >= operations) {
          slotsLeft.countDown();
          return;
        }
        start(index);
        if (phase.compareAndSet(STARTING, WAITING)) {
          return;
        }
        if (failed) {
          break;
        }
      }
      goOnLater();
    }

    /** Also what a service throws instead of giving a stage counts as the operation's failure. */
    private void start(long index) {
      phase.set(STARTING);
      startedNanos = System.nanoTime();
      CompletionStage<?> stage;
      try {
        stage = operation.start(index, number);
      } catch (RuntimeException e) {
        accept(null, e);
        return;
      }
      var unused = stage.whenComplete(this);
    }

    @Override
    public void accept(@Nullable Object result, @Nullable Throwable error) {
      failed = record(startedNanos, result, error);
      if (phase.compareAndSet(STARTING, COMPLETE)) {
        return;
      }
      if (failed) {
        goOnLater();
      } else {
        run();
      }
    }

    private void goOnLater() {
      try {
        var unused =
            executor.schedule(this, failed ? PAUSE_AFTER_FAILURE_NANOS : 0, TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        // The command is over; nobody waits for this slot any more.
        slotsLeft.countDown();
      }
    }
  }
}
