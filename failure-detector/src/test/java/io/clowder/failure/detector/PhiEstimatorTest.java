// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static io.clowder.failure.detector.Near.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class PhiEstimatorTest {
  private static final long MS = 1_000_000;

  private long now = -7_000 * MS;
  private long sequence;

  /** Times between heartbeats of 90 and 110 ms by turns: mean 100, deviation 10. */
  private void beats(PhiEstimator phi, int count) {
    for (int i = 0; i < count; i++) {
      phi.heartbeat(++sequence, 100 * MS, now);
      now += (i % 2 == 0 ? 90 : 110) * MS;
    }
    now -= (count % 2 == 1 ? 90 : 110) * MS;
  }

  /** Section 4.2: Φ is the threshold where the doubt begins. */
  @Test
  void theLevelAtTheDoubtIsTheThreshold() {
    for (double threshold : new double[] {0.5, 1, 8, 16, 400}) {
      var phi = new PhiEstimator(threshold, 1_000, MS, 2_400 * MS);
      beats(phi, 2_001);
      assertEquals(threshold, phi.level(phi.doubtAt()), 1e-3);
    }
  }

  @Test
  void isMeanAndDeviations() {
    var phi = new PhiEstimator(NormalTail.level(3), 1_000, MS, 2_400 * MS);
    beats(phi, 2_001);
    assertNear(now + 130 * MS, phi.doubtAt(), MS / 100);
  }

  @Test
  void theLeastDeviationHolds() {
    var phi = new PhiEstimator(NormalTail.level(3), 1_000, 50 * MS, 2_400 * MS);
    beats(phi, 2_001);
    assertNear(now + 250 * MS, phi.doubtAt(), MS / 100);
  }

  @Test
  void takesTheGoalsTimeUntilItHasSamples() {
    var phi = new PhiEstimator(8, 1_000, MS, 2_400 * MS);
    assertEquals(Long.MAX_VALUE, phi.doubtAt());
    beats(phi, 10);
    assertEquals(now + 2_400 * MS, phi.doubtAt());
    assertEquals(0, phi.level(now + 2_000 * MS));
    now += 100 * MS;
    beats(phi, 1);
    assertTrue(phi.doubtAt() < now + 300 * MS);
    phi.heartbeat(++sequence, 200 * MS, now);
    assertEquals(now + 2_400 * MS, phi.doubtAt(), "another interval");
  }

  @Test
  void aSignMovesTheDoubtAndIsNoSample() {
    var phi = new PhiEstimator(8, 1_000, MS, 2_400 * MS);
    beats(phi, 2_001);
    long silence = phi.doubtAt() - now;
    phi.sign(now + 42 * MS);
    assertEquals(now + 42 * MS + silence, phi.doubtAt());
    assertEquals(8, phi.level(phi.doubtAt()), 1e-3);
    phi.heartbeat(sequence + 1, 100 * MS, now + 100 * MS);
    assertNear(silence, phi.doubtAt() - now - 100 * MS, MS / 10);
  }
}
