// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import io.clowder.api.Limits;

/**
 * What the cluster allows the tasks of one type.
 *
 * @param concurrency how many run at a time, on all nodes together; 0 for no limit
 * @param perSecond how many begin in a second; 0 for no limit. As many may begin at once after a
 *     rest
 * @param queue how many may be there that are not over; 0 for no limit
 */
public record TypeLimits(int concurrency, int perSecond, int queue) {
  /** None. */
  public static final TypeLimits NONE = new TypeLimits(0, 0, 0);

  /** Refuses what is out of range. */
  public TypeLimits {
    check("concurrency", concurrency);
    check("rate per second", perSecond);
    check("queue", queue);
  }

  private static void check(String what, int value) {
    if (value < 0 || value > Limits.TASKS) {
      throw new IllegalArgumentException(
          "%s of %d: use 1 to %d, or 0 for no limit".formatted(what, value, Limits.TASKS));
    }
  }
}
