// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static io.clowder.failure.detector.Near.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class AdaptiveEstimatorTest {
  private static final long MS = 1_000_000;
  private static final long MOST = 2_400 * MS;

  private final RandomGenerator random = WeekTrace.random(1);
  private long sequence;
  private long now = -50_000 * MS;

  private void beats(AdaptiveEstimator adaptive, int count, double jitter) {
    for (int i = 0; i < count; i++) {
      now += 500 * MS;
      long late = (long) (jitter * MS * random.nextExponential());
      adaptive.heartbeat(++sequence, 500 * MS, now + late);
    }
  }

  @Test
  void staysBetweenHalfOfTheGoalsTimeAndAllOfIt() {
    for (double price : new double[] {1e-12, 1e-5, 100}) {
      var adaptive = new AdaptiveEstimator(price, MOST / 2, MOST);
      assertEquals(Long.MAX_VALUE, adaptive.doubtAt());
      for (int i = 0; i < 5_000; i++) {
        now += 500 * MS;
        sequence++;
        if (random.nextInt(10) > 0) {
          long nanos = now + random.nextLong(300) * MS;
          adaptive.heartbeat(sequence, 500 * MS, nanos);
          long silence = adaptive.doubtAt() - nanos;
          assertTrue(silence >= MOST / 2 && silence <= MOST, "silence " + silence);
        }
      }
    }
  }

  @Test
  void takesTheGoalsTimeUntilItHasSamples() {
    var adaptive = new AdaptiveEstimator(1, 0, MOST);
    beats(adaptive, 10, 0);
    assertEquals(now + MOST, adaptive.doubtAt());
    beats(adaptive, 1, 0);
    assertTrue(adaptive.doubtAt() < now + 700 * MS);
  }

  @Test
  void waitsLongerWhileTheLineIsBad() {
    var adaptive = new AdaptiveEstimator(0.1, 0, MOST);
    for (int i = 0; i < 50; i++) {
      beats(adaptive, 600, 1);
      beats(adaptive, 60, 150);
    }
    long bad = adaptive.doubtAt() - now;
    beats(adaptive, 600, 1);
    long quiet = adaptive.doubtAt() - now;
    assertTrue(quiet < 520 * MS, "quiet " + quiet);
    assertTrue(bad > quiet + 200 * MS, "bad " + bad);
  }

  @Test
  void aSignIsAsGoodAsAHeartbeatAndTeachesNothing() {
    var adaptive = new AdaptiveEstimator(0.1, 0, MOST);
    beats(adaptive, 1_000, 5);
    long silence = adaptive.doubtAt() - now;
    adaptive.sign(now + 200 * MS);
    assertNear(now + 200 * MS + silence, adaptive.doubtAt(), 20 * MS);
    assertEquals(0, adaptive.level(now + 700 * MS));
    beats(adaptive, 1, 0);
    assertNear(silence, adaptive.doubtAt() - now, 20 * MS);
  }

  @Test
  void theLevelRisesAndIsFinite() {
    var adaptive = new AdaptiveEstimator(1e-5, MOST / 2, MOST);
    assertEquals(0, adaptive.level(now));
    beats(adaptive, 1_000, 5);
    double last = 0;
    for (long silence = 0; silence < 3_600_000; silence += 100) {
      double level = adaptive.level(now + silence * MS);
      assertTrue(level >= last && Double.isFinite(level));
      last = level;
    }
    assertTrue(last > 4, "level " + last);
  }
}
