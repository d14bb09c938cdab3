// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class NormalTailTest {
  @Test
  void knownValues() {
    assertEquals(0.30103, NormalTail.level(0), 1e-5);
    assertEquals(-Math.log10(0.158655253931457), NormalTail.level(1), 1e-12);
    assertEquals(-Math.log10(0.841344746068543), NormalTail.level(-1), 1e-12);
    assertEquals(-Math.log10(1.349898031630095e-3), NormalTail.level(3), 1e-12);
    assertEquals(-Math.log10(9.865876450376946e-10), NormalTail.level(6), 1e-12);
    assertEquals(-Math.log10(2.753624118606234e-89), NormalTail.level(20), 1e-9);
    assertTrue(NormalTail.level(-5) > 0);
  }

  /** The chance itself is 0 from 38.6 on. */
  @Test
  void theFarTailIsFiniteAndRises() {
    double last = 0;
    for (double z = -30; z < 1e6; z += Math.max(0.01, z / 50)) {
      double level = NormalTail.level(z);
      assertTrue(Double.isFinite(level) && level >= last, "at " + z);
      last = level;
    }
    assertTrue(last > 1e11);
  }

  @Test
  void inverse() {
    for (double level : new double[] {0.1, 0.30103, 0.5, 1, 8, 16, 300, 4000}) {
      assertEquals(level, NormalTail.level(NormalTail.at(level)), 1e-9 * level);
    }
  }
}
