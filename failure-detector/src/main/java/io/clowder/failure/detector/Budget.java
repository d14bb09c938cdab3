// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.DetectionGoal;

/**
 * What a goal leaves to a detector that listens. A peer may crash right after it sent a heartbeat,
 * so the time runs from the arrival of the last one. A sixth of the goal belongs to the questions
 * that are asked before anybody is suspected, a thirtieth to the way of the heartbeat and to ticks.
 *
 * @param silenceNanos the longest silence before a doubt
 * @param intervalNanos the time between heartbeats, unless there is a reason for another one
 */
record Budget(long silenceNanos, long intervalNanos) {
  private static final long INTERVAL_NANOS_MAX = 500_000_000;

  static Budget of(DetectionGoal goal) {
    long detectionNanos = goal.detection().toNanos();
    return new Budget(
        detectionNanos / 6 * 5 - detectionNanos / 30,
        Math.min(INTERVAL_NANOS_MAX, detectionNanos / 6));
  }
}
