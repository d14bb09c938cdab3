// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt: doubled each time up to a limit, and drawn from the
 * upper half, so that nodes that lost each other at once do not come back at once.
 */
final class Backoff {
  private final int millisMin;
  private final int millisMax;
  private final RandomGenerator random;
  private int millisNext;

  Backoff(int millisMin, int millisMax, RandomGenerator random) {
    this.millisMin = millisMin;
    this.millisMax = millisMax;
    this.random = random;
    this.millisNext = millisMin;
  }

  /** The wait before the next attempt, in milliseconds. */
  int nextMillis() {
    int upper = millisNext;
    millisNext = (int) Math.min(millisMax, 2L * upper);
    return upper / 2 + random.nextInt(upper - upper / 2 + 1);
  }

  /** An attempt succeeded: starts over. */
  void reset() {
    millisNext = millisMin;
  }
}
