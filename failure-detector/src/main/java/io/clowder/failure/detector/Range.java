// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/** Refuses values of the configuration by the name of their key. */
final class Range {
  private Range() {}

  static double checked(String key, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw new IllegalArgumentException(key + " is " + value + ": use " + min + " to " + max);
    }
    return value;
  }

  static int checked(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(key + " is " + value + ": use " + min + " to " + max);
    }
    return value;
  }
}
