// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * When this node did not run: by the gaps between ticks that should come every {@link #TICK_NANOS},
 * and by the wall clock, which goes on while a machine is suspended and the monotonic one stands
 * still.
 */
final class Stalls {
  /** The time between two ticks. */
  static final long TICK_NANOS = 20_000_000;

  /** A wall clock that gained so much on the monotonic one says that the machine was suspended. */
  private static final long SUSPENDED_MILLIS = 2_000;

  /** A shorter stall is nothing to speak of. */
  private static final long DEGRADED_NANOS_MIN = 1_000_000_000;

  /** For how long after a stall the node calls itself degraded, in lengths of it. */
  private static final int DEGRADED_LENGTHS = 3;

  private static final long DEGRADED_NANOS_MAX = 60_000_000_000L;

  private final Watch watch;
  private long last;
  private long lastMillis;
  private long stallNanos;
  private long degradedUntil;
  private long count;
  private long totalNanos;
  private long longestNanos;
  private long lastStallMillis;

  /** A node that runs well so far. */
  Stalls(Watch watch, long nowMillis) {
    this.watch = watch;
    this.last = watch.now;
    this.lastMillis = nowMillis;
    this.degradedUntil = watch.now;
  }

  /**
   * The node runs.
   *
   * @return whether it did not before this, for longer than is usual, on either clock
   */
  boolean tick(long nowMillis) {
    long gap = watch.now - last;
    long jump = nowMillis - lastMillis - gap / 1_000_000;
    last = watch.now;
    lastMillis = nowMillis;
    // While a machine is suspended its monotonic clock stands still, and with it all deadlines. A
    // wall clock that was set looks the same, so it must not move any.
    stallNanos = Math.max(0, gap - TICK_NANOS);
    long suspended = jump > SUSPENDED_MILLIS ? jump * 1_000_000 : 0;
    long both = Math.max(stallNanos, suspended);
    if (both <= watch.stallNanos) {
      return false;
    }
    count(both, nowMillis);
    return true;
  }

  /** By how much the deadlines move for that. */
  long stallNanos() {
    return stallNanos;
  }

  /** What reached this node was held up for so long, though it ran. */
  void heldUp(long nanos, long nowMillis) {
    count(nanos, nowMillis);
  }

  private void count(long nanos, long nowMillis) {
    count++;
    totalNanos += nanos;
    longestNanos = Math.max(longestNanos, nanos);
    lastStallMillis = nowMillis;
    if (nanos < DEGRADED_NANOS_MIN) {
      return;
    }
    long degraded = Math.min(DEGRADED_NANOS_MAX, DEGRADED_LENGTHS * Math.min(nanos, 1L << 60));
    degradedUntil = Math.max(degradedUntil, watch.now + degraded);
  }

  boolean isDegraded() {
    return watch.now < degradedUntil;
  }

  long count() {
    return count;
  }

  long totalNanos() {
    return totalNanos;
  }

  long longestNanos() {
    return longestNanos;
  }

  long lastStallMillis() {
    return lastStallMillis;
  }
}
