// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SpacingTest {
  @Test
  void whatHasRoomStays() {
    assertArrayEquals(new double[] {}, Spacing.spread(new double[] {}, 20));
    assertArrayEquals(new double[] {359}, Spacing.spread(new double[] {359}, 360));
    assertArrayEquals(new double[] {0, 20, 300}, Spacing.spread(new double[] {0, 20, 300}, 20));
  }

  @Test
  void whatIsCrowdedSpreadsToBothSidesOverZeroToo() {
    assertArrayEquals(
        new double[] {-10, 10, 30}, Spacing.spread(new double[] {10, 10, 10}, 20), 0.1);
    assertArrayEquals(new double[] {10, 350}, Spacing.spread(new double[] {1, 359}, 20), 0.1);
  }

  @Test
  void twoHundredAtOnePointOrAnywhereHaveRoom() {
    double least = 360 / 250.0;
    assertSpread(Spacing.spread(new double[200], least), least);
    for (int seed = 0; seed < 20; seed++) {
      double[] angles = new Random(seed).doubles(200, 0, 360).sorted().toArray();
      assertSpread(Spacing.spread(angles, least), least);
    }
  }

  @Test
  void moreThanACircleIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Spacing.spread(new double[] {1, 2, 3}, 121));
  }

  private static void assertSpread(double[] angles, double least) {
    for (int i = 0; i < angles.length; i++) {
      double next = i + 1 < angles.length ? angles[i + 1] : angles[0] + 360;
      assertTrue(next - angles[i] > least - 0.01, i + " of " + Arrays.toString(angles));
    }
  }
}
