// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class LatenessTest {
  private static void fill(Lateness lateness, long seed, double scaleNanos) {
    RandomGenerator random = WeekTrace.random(seed);
    for (int i = 0; i < 100_000; i++) {
      lateness.add(scaleNanos * random.nextExponential());
    }
  }

  /** The margin m where the density of an exponential lateness, exp(-m/s)/s, is the price. */
  @Test
  void theMarginIsWhereTheDensityIsThePrice() {
    for (double price : new double[] {1e-2, 1e-1, 1}) {
      var lateness = new Lateness(1, price);
      fill(lateness, 1, 20e6);
      double ideal = -0.02 * Math.log(0.02 * price);
      assertEquals(ideal, lateness.margin() / 1e9, 0.15 * ideal);
    }
  }

  @Test
  void eachStateHasItsMargin() {
    var lateness = new Lateness(2, 0.1);
    lateness.state(1, 1);
    fill(lateness, 1, 100e6);
    double bad = lateness.margin();
    lateness.state(0, 0);
    fill(lateness, 2, 1e6);
    assertTrue(lateness.margin() < 0.05 * bad);
    lateness.state(1, 1);
    assertEquals(bad, lateness.margin(), 0.1 * bad);
  }

  @Test
  void theLevelIsTheLogarithmOfTheTailAndRisesForEver() {
    var lateness = new Lateness(1, 0.1);
    fill(lateness, 1, 20e6);
    assertEquals(1, lateness.level(20e6 * Math.log(10)), 0.03);
    assertEquals(3, lateness.level(20e6 * Math.log(1000)), 0.2);
    double last = 0;
    for (double nanos = 1; nanos < 1e16; nanos *= 1.03) {
      double level = lateness.level(nanos);
      assertTrue(level >= last && Double.isFinite(level), "at " + nanos);
      last = level;
    }
    assertTrue(last > 8);
  }

  @Test
  void forgetsAll() {
    var lateness = new Lateness(2, 0.1);
    double before = lateness.margin();
    fill(lateness, 1, 100e6);
    lateness.clear();
    assertEquals(before, lateness.margin());
  }
}
