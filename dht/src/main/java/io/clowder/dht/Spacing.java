// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/** Moves angles apart, so that what is written at them does not overlap. */
final class Spacing {
  /** More than as many rounds would move nothing that is seen. */
  private static final int ROUNDS_MAX = 50_000;

  private static final double TOLERANCE = 1e-3;

  private Spacing() {}

  /**
   * The same angles in degrees, in the same order, each at least so far from the next one. Those
   * too close push each other away by the same amount, round after round: what is crowded spreads
   * to both sides, and what has room stays.
   *
   * @param angles rising, from 0 to less than 360
   * @param least so much that all have room on the circle
   */
  static double[] spread(double[] angles, double least) {
    if (least * angles.length > 360) {
      throw new IllegalArgumentException(
          angles.length + " times " + least + " degrees are more than a circle");
    }
    double[] spread = angles.clone();
    for (int round = 0; round < ROUNDS_MAX && spread.length > 1; round++) {
      if (!pushed(spread, least)) {
        break;
      }
    }
    return spread;
  }

  private static boolean pushed(double[] angles, double least) {
    boolean isPushed = false;
    for (int i = 0; i < angles.length; i++) {
      int next = (i + 1) % angles.length;
      double gap = angles[next] + (next == 0 ? 360 : 0) - angles[i];
      if (gap < least - TOLERANCE) {
        double push = (least - gap) / 2;
        angles[i] -= push;
        angles[next] += push;
        isPushed = true;
      }
    }
    return isPushed;
  }
}
