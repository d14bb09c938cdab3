// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/**
 * Waits for what nobody tells of: another process, the collector of garbage, the end of a thread.
 */
final class Deadline {
  private static final long PAUSE_NANOS = 50_000_000;

  private final long endNanos;

  private Deadline(long endNanos) {
    this.endNanos = endNanos;
  }

  static Deadline in(Duration time) {
    return new Deadline(System.nanoTime() + time.toNanos());
  }

  boolean isOver() {
    return System.nanoTime() - endNanos >= 0;
  }

  /** Returns as soon as the condition holds; false if that is not in time. */
  boolean until(Callable<Boolean> condition) throws Exception {
    while (!condition.call()) {
      if (isOver()) {
        return false;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    return true;
  }
}
