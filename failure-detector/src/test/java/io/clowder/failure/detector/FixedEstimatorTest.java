// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class FixedEstimatorTest {
  @Test
  void doubtsAfterTheTimeOutAndNotBefore() {
    var fixed = new FixedEstimator(1_000);
    assertEquals(Long.MAX_VALUE, fixed.doubtAt());
    assertEquals(0, fixed.level(1L << 60));
    fixed.heartbeat(1, 300, -5_000);
    assertEquals(-4_000, fixed.doubtAt());
    assertEquals(0, fixed.level(-4_001));
    assertEquals(Double.POSITIVE_INFINITY, fixed.level(-4_000));
    fixed.sign(-4_500);
    assertEquals(-3_500, fixed.doubtAt());
  }
}
