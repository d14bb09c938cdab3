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

  /** One that heartbeats go through; each takes its own time and may overtake others. */
  final class Way {
    private final RandomGenerator random;
    private boolean isLosing;

    Way(long seed) {
      random = WeekTrace.random(seed);
    }

    /** How long the next one is under way, in milliseconds; negative if it gets lost. */
    double delay() {
      isLosing = random.nextDouble() < (isLosing && staysBad > 0 ? staysBad : loss);
      double delay = delayMillis(random);
      return isLosing ? -1 : delay;
    }
  }

  /** So many heartbeats, one each 100 ms, that come in the order in which they were sent. */
  Trace trace(long seed, int heartbeats) {
    return new Trace() {
      @Override
      public long intervalNanos() {
        return 100_000_000;
      }

      @Override
      public void replay(Observer observer) {
        Way way = new Way(seed);
        long last = 0;
        for (int i = 1; i <= heartbeats; i++) {
          double delay = way.delay();
          if (delay >= 0) {
            long sent = i * intervalNanos();
            last = Math.max(last, sent + (long) (delay * 1e6));
            observer.arrived(i, sent, last);
          }
        }
      }
    };
  }
}
