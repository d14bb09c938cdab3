// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static io.clowder.failure.detector.Near.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.failure.DetectionGoal;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ChenEstimatorTest {
  private static final long MS = 1_000_000;

  @Test
  void doubtsAtTheFreshnessPoint() {
    ChenEstimator chen = ChenEstimator.withMargin(100, 70e6);
    assertEquals(Long.MAX_VALUE, chen.doubtAt());
    for (int i = 1; i <= 200; i++) {
      chen.heartbeat(i, 100 * MS, (100L * i + (i % 2 == 0 ? 4 : 0)) * MS);
    }
    assertEquals((20_100 + 2 + 70) * MS, chen.doubtAt());
    chen.sign(20_050 * MS);
    assertEquals((20_150 + 70) * MS, chen.doubtAt());
  }

  @Test
  void theLevelRisesWithSilence() {
    ChenEstimator chen = ChenEstimator.withMargin(100, 70e6);
    for (int i = 1; i <= 200; i++) {
      chen.heartbeat(i, 100 * MS, (100L * i + (i % 2 == 0 ? 4 : 0)) * MS);
    }
    double last = 0;
    for (long at = 20_000; at < 100_000; at += 7) {
      double level = chen.level(at * MS);
      assertTrue(level >= last && Double.isFinite(level));
      last = level;
    }
    assertTrue(last > 300);
    assertEquals(0, chen.level(20_100 * MS));
  }

  @Test
  void intervalAndMarginFollowFromTheGoal() {
    var goal =
        new DetectionGoal(Duration.ofSeconds(3), Duration.ofHours(24), Duration.ofMinutes(1));
    ChenEstimator chen = ChenEstimator.of(goal, 100);
    long now = 0;
    for (int i = 1; i <= 500; i++) {
      long interval = chen.intervalNanos(500 * MS);
      now += interval;
      chen.heartbeat(i, interval, now);
      // η + α is what the goal leaves.
      assertNear(now + 2_400 * MS, chen.doubtAt(), 1);
    }
    ChenConfigurator.Setting setting = chen.setting();
    assertNotNull(setting);
    assertTrue(setting.isFeasible());
    assertEquals((long) setting.interval(), chen.intervalNanos(500 * MS));
  }
}
