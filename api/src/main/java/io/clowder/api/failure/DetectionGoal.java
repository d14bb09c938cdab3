// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import java.time.Duration;

/**
 * What is wanted of a detector (Chen, Toueg and Aguilera, 2002, section 4): T_D, T_MR and T_M.
 *
 * @param detection the longest time from a crash to the suspicion, 100 ms or more
 * @param recurrence the shortest mean time between two mistakes, positive
 * @param mistake the longest mean time that a mistake lasts, positive
 */
public record DetectionGoal(Duration detection, Duration recurrence, Duration mistake) {
  /** Refuses what makes no sense with {@link IllegalArgumentException}. */
  public DetectionGoal {
    if (detection.toMillis() < 100) {
      throw new IllegalArgumentException("detection " + detection + ": use 100 ms or more");
    }
    if (recurrence.isNegative() || recurrence.isZero()) {
      throw new IllegalArgumentException("recurrence " + recurrence + ": use more than nothing");
    }
    if (mistake.isNegative() || mistake.isZero()) {
      throw new IllegalArgumentException("mistake " + mistake + ": use more than nothing");
    }
  }
}
