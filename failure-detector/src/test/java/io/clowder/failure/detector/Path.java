// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.random.RandomGenerator;

/**
 * A long way through a network: by how much it is slower than at its best, for one message after
 * the other. What goes wrong goes wrong in swarms: the rates of all troubles rise and fall with the
 * product of three log-normal processes that remember half a minute, ten minutes and three hours.
 *
 * <ul>
 *   <li>The level of the delay wanders with the time of day.
 *   <li>Queues are full for a minute or so, now and then.
 *   <li>Spikes: nothing gets through, and then all that waited at once. Log-logistic, so that
 *       spikes longer than m are about as many as 1/m, as the published curves demand.
 * </ul>
 */
final class Path {
  private static final double[] MEMORY_SECONDS = {30, 600, 10_000};
  private static final double[] SPREAD = {1.3, 1.3, 1.0};
  private static final double JITTER_MILLIS = 0.1;
  static final double WANDER_MILLIS = 7.5;
  private static final double DAY_SECONDS = 86_400;
  private static final double QUEUE_MILLIS = 100;
  private static final double QUEUE_SECONDS = 60;
  private static final double QUEUE_SHARE = 0.022;
  private static final double SPIKES_PER_SECOND = 0.053;
  private static final double SPIKE_MEDIAN_MILLIS = 100;
  private static final double SPIKE_SHAPE = 1.3;

  /** Longer spikes are not the network's but the receiver's. */
  private static final double SPIKE_MILLIS_MAX = 440;

  private static final double STALL_MILLIS_MAX = 4_000;
  private static final double EXCESS_MILLIS_MAX = 447;

  private final RandomGenerator random;
  private final double seconds;
  private final double[] moods = new double[MEMORY_SECONDS.length];
  private double time;
  private boolean isQueueing;
  private double queue;
  private double blocked;
  private double stalled;

  /** A path that is used once in {@code seconds}. */
  Path(RandomGenerator random, double seconds) {
    this.random = random;
    this.seconds = seconds;
  }

  /** The rate of all troubles, on the average 1. */
  double badness() {
    double log = 0;
    for (int i = 0; i < moods.length; i++) {
      log += SPREAD[i] * moods[i] - 0.5 * SPREAD[i] * SPREAD[i];
    }
    return Math.exp(log);
  }

  /** The delay of the next message above the least there is, in milliseconds. */
  double step() {
    time += seconds;
    for (int i = 0; i < moods.length; i++) {
      double part = seconds / MEMORY_SECONDS[i];
      moods[i] += -part * moods[i] + Math.sqrt(2 * part) * random.nextGaussian();
    }
    double badness = badness();
    queue(badness);
    spikes(badness);
    double usual =
        WANDER_MILLIS * (0.5 + 0.5 * Math.sin(time / DAY_SECONDS * 2 * Math.PI))
            + queue * (0.7 + 0.3 * random.nextExponential())
            + JITTER_MILLIS * random.nextExponential();
    return Math.min(EXCESS_MILLIS_MAX, Math.max(usual, blocked));
  }

  private void queue(double badness) {
    double rate = seconds / QUEUE_SECONDS;
    if (isQueueing) {
      isQueueing = random.nextDouble() >= rate;
    } else {
      isQueueing = random.nextDouble() < badness * rate * QUEUE_SHARE / (1 - QUEUE_SHARE);
    }
    queue += ((isQueueing ? QUEUE_MILLIS : 0) - queue) * Math.min(1, seconds);
  }

  private void spikes(double badness) {
    blocked -= seconds * 1000;
    stalled -= seconds * 1000;
    if (random.nextDouble() < SPIKES_PER_SECOND * badness * seconds) {
      double quantile = random.nextDouble();
      double size = SPIKE_MEDIAN_MILLIS * Math.pow(1 / quantile - 1, 1 / SPIKE_SHAPE);
      if (size < SPIKE_MILLIS_MAX) {
        blocked = Math.max(blocked, size);
      } else {
        stalled = Math.max(stalled, Math.min(STALL_MILLIS_MAX, size));
      }
    }
  }

  /** For how many milliseconds from now on the receiver stands still, if it is positive. */
  double stalled() {
    return stalled;
  }
}
