// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class SampleWindowTest {
  @Test
  void isTheMeanAndVarianceOfTheLast() {
    RandomGenerator random = WeekTrace.random(1);
    var window = new SampleWindow(17);
    var last = new ArrayDeque<Double>();
    for (int i = 0; i < 500; i++) {
      double sample = 1e9 + 1e6 * random.nextGaussian();
      window.add(sample);
      last.add(sample);
      if (last.size() > 17) {
        last.remove();
      }
      double mean = last.stream().mapToDouble(s -> s).average().orElseThrow();
      double variance =
          last.stream().mapToDouble(s -> (s - mean) * (s - mean)).average().orElseThrow();
      assertEquals(last.size(), window.size());
      assertEquals(mean, window.mean(), 1);
      assertEquals(variance, window.variance(), 1e-6 * variance + 1);
    }
  }

  /** A sample of a hundred seconds between samples that differ by a microsecond. */
  @Test
  void aLargeSampleLeavesNothingBehind() {
    var window = new SampleWindow(100);
    window.add(1e11);
    for (int i = 0; i < 1_000_000; i++) {
      window.add(1e8 + 1e3 * (i % 2));
    }
    assertEquals(1e8 + 500, window.mean(), 1e-3);
    assertEquals(500 * 500, window.variance(), 1);
  }

  @Test
  void isEmptyAfterClear() {
    var window = new SampleWindow(4);
    for (int i = 0; i < 6; i++) {
      window.add(5);
    }
    window.clear();
    assertEquals(0, window.size());
    window.add(7);
    assertEquals(7, window.mean());
    assertEquals(0, window.variance());
  }
}
