// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.random.RandomGenerator;

/**
 * What a network does to messages.
 *
 * @param minNanos no message takes less
 * @param meanNanos messages take this long on average, with an exponential tail
 * @param lost the part of messages that vanish, 0 to 1, though the connection stays
 * @param doubled the part of messages that arrive twice, 0 to 1
 * @param reordered the part of messages that others may overtake, 0 to 1
 */
public record Weather(
    long minNanos, long meanNanos, double lost, double doubled, double reordered) {
  private static final long MICROS = 1_000;

  /** Refuses rates outside of 0 to 1. */
  public Weather {
    if (minNanos < 0 || meanNanos < minNanos || !isRate(lost) || !isRate(doubled)) {
      throw new IllegalArgumentException("weather " + minNanos + " " + lost + " " + doubled);
    }
    if (!isRate(reordered)) {
      throw new IllegalArgumentException("part of reordered messages " + reordered);
    }
  }

  /** A local network: 30 to about 100 microseconds, in order, nothing lost. */
  public static Weather fair() {
    return new Weather(30 * MICROS, 100 * MICROS, 0, 0, 0);
  }

  /** Drawn: from fair to a long, lossy, reordering way. */
  public static Weather drawn(RandomGenerator random) {
    long min = random.nextLong(10, 2_000) * MICROS;
    long mean = min + random.nextLong(10, 5_000) * MICROS;
    double lost = random.nextBoolean() ? 0 : random.nextDouble() * 0.1;
    boolean hostile = random.nextInt(3) == 0;
    return new Weather(
        min,
        mean,
        lost,
        hostile ? random.nextDouble() * 0.05 : 0,
        hostile ? random.nextDouble() * 0.2 : 0);
  }

  private static boolean isRate(double rate) {
    return rate >= 0 && rate <= 1;
  }
}
