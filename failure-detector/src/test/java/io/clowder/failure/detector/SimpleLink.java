// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.random.RandomGenerator;

/** Links of other kinds than {@link WeekTrace}: without moods, but for the last one. */
enum SimpleLink {
  /** A quiet switch, which loses nearly nothing. */
  LAN(0.0001, 0),
  /** Some distance, some loss, delays that are about normal. */
  WAN(0.005, 0),
  /** Radio: much is lost, and delays are exponential. */
  LOSSY(0.05, 0),
  /** Delays with a heavy tail, of Pareto's kind. */
  HEAVY(0.001, 0),
  /** Losses in bursts, by Gilbert's two states. */
  GILBERT(0.0005, 0.7);

  private final double loss;
  private final double staysBad;

  SimpleLink(double loss, double staysBad) {
    this.loss = loss;
    this.staysBad = staysBad;
  }

  private double delayMillis(RandomGenerator random) {
    return switch (this) {
      case LAN -> 0.2 + 0.05 * random.nextExponential();
      case WAN, GILBERT -> Math.max(20, 40 + 4 * random.nextGaussian());
      case LOSSY -> 5 + 10 * random.nextExponential();
      case HEAVY -> 20 * Math.pow(1 - random.nextDouble(), -1 / 2.5);
    };
  }

  /** One that heartbeats go through, in the order in which they were sent. */
  final class Way {
    private final RandomGenerator random;
    private boolean isLosing;
    private double last;

    Way(long seed) {
      random = WeekTrace.random(seed);
    }

    /** When what was sent then comes in, in milliseconds; negative if it gets lost. */
    double arrival(double sentMillis) {
      isLosing = random.nextDouble() < (isLosing && staysBad > 0 ? staysBad : loss);
      double arrival = sentMillis + delayMillis(random);
      if (isLosing) {
        return -1;
      }
      last = Math.max(last, arrival);
      return last;
    }
  }

  /** So many heartbeats, one each 100 ms. */
  Trace trace(long seed, int heartbeats) {
    return new Trace() {
      @Override
      public long intervalNanos() {
        return 100_000_000;
      }

      @Override
      public void replay(Observer observer) {
        Way way = new Way(seed);
        for (int i = 1; i <= heartbeats; i++) {
          double arrival = way.arrival(i * 100.0);
          if (arrival >= 0) {
            observer.arrived(i, i * intervalNanos(), (long) (arrival * 1e6));
          }
        }
      }
    };
  }
}
