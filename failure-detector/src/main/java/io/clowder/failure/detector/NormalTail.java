// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * The upper tail of the normal distribution on the scale of the φ detector: minus the decimal
 * logarithm of the chance Q(z). In the domain of logarithms, for the chance itself underflows at z
 * = 38, and Φ would jump from 300 to infinity.
 */
final class NormalTail {
  private static final double LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);
  private static final double NEAR = 2.5;
  private static final int TERMS = 60;

  private NormalTail() {}

  /** -log10 Q(z). */
  static double level(double z) {
    double density = -0.5 * z * z - LOG_SQRT_2PI;
    if (z < NEAR) {
      double below = z < -NEAR ? Math.exp(density) * mills(-z) : 0.5 + Math.exp(density) * odd(z);
      return -Math.log1p(-below) / Math.log(10);
    }
    return -(density + Math.log(mills(z))) / Math.log(10);
  }

  /** The z whose {@link #level} is this; of a level above 0. */
  static double at(double level) {
    double low = -40;
    double high = 1 + Math.sqrt(2 * Math.log(10) * level);
    for (int i = 0; i < 100; i++) {
      double middle = 0.5 * (low + high);
      if (level(middle) < level) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** Q(z) by the density at z, as Laplace's continued fraction; for z of 2.5 and above. */
  private static double mills(double z) {
    double fraction = z;
    for (int i = TERMS; i > 0; i--) {
      fraction = z + i / fraction;
    }
    return 1 / fraction;
  }

  /** The series z + z³/3 + z⁵/15 and so on. */
  private static double odd(double z) {
    double term = z;
    double sum = z;
    for (int i = 1; i < TERMS; i++) {
      term *= z * z / (2 * i + 1);
      sum += term;
    }
    return sum;
  }
}
