// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import java.time.Duration;

/**
 * How a task is tried again. After the n-th failure it waits a time drawn evenly from 0 to {@code
 * base}·2^(n-1), at most {@code cap}: full jitter, so that those that failed together do not come
 * back together (Brooker, "Exponential backoff and jitter", 2015).
 *
 * @param attempts how often its handler may throw, or be too slow, 1 to 1000; 1 for no retry
 * @param base the longest wait after the first failure, up to a day
 * @param cap the longest wait at all, up to a day
 * @param crashes how many nodes may be lost while they run it before it is taken for the cause, 1
 *     to 1000
 */
public record Retry(int attempts, Duration base, Duration cap, int crashes) {
  private static final Duration LONGEST = Duration.ofDays(1);

  /** Five attempts, waits from a second to five minutes, three lost nodes. */
  public static final Retry USUAL = new Retry(5, Duration.ofSeconds(1), Duration.ofMinutes(5), 3);

  /** Fails when its handler throws for the first time. */
  public static final Retry NEVER = new Retry(1, Duration.ZERO, Duration.ZERO, 3);

  /** Refuses what is out of range. */
  public Retry {
    if (attempts < 1 || attempts > 1000) {
      throw new IllegalArgumentException(attempts + " attempts: use 1 to 1000");
    }
    if (crashes < 1 || crashes > 1000) {
      throw new IllegalArgumentException(crashes + " crashes: use 1 to 1000");
    }
    check("base", base);
    check("cap", cap);
    if (cap.compareTo(base) < 0) {
      throw new IllegalArgumentException("a cap of " + cap + " is below the base, " + base);
    }
  }

  private static void check(String what, Duration wait) {
    if (wait.isNegative() || wait.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("a " + what + " of " + wait + ": use 0 to " + LONGEST);
    }
  }
}
