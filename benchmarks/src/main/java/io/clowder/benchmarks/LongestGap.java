// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The longest time in which nothing was completed: what a fail-over or a swap costs those who wait.
 * The time before the first completion counts, and so does the time after the last. Times are those
 * of {@link System#nanoTime}. Thread-safe.
 */
final class LongestGap {
  private final long fromNanos;

  /** Of the last completion, after the beginning. */
  private final AtomicLong last = new AtomicLong();

  private final AtomicLong longest = new AtomicLong();

  LongestGap(long fromNanos) {
    this.fromNanos = fromNanos;
  }

  /** Something was completed at this time; threads need not come in the order of their times. */
  void completed(long nanos) {
    long now = nanos - fromNanos;
    long gap = now - last.getAndAccumulate(now, Math::max);
    if (gap > longest.get()) {
      longest.accumulateAndGet(gap, Math::max);
    }
  }

  /** The longest gap of all, if nothing more is completed until this time; at least 0. */
  long until(long nanos) {
    return Math.max(longest.get(), nanos - fromNanos - last.get());
  }
}
