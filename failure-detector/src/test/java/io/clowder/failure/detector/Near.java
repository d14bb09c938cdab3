// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.fail;

/** An assertion on times, which JUnit would make floating-point numbers of. */
final class Near {
  private Near() {}

  static void assertNear(long expected, long actual, long tolerance) {
    if (Math.abs(expected - actual) > tolerance) {
      fail("expected " + expected + " within " + tolerance + ", but was " + actual);
    }
  }
}
