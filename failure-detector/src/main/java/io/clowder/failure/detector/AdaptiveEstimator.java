// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * Waits as long as the line deserves at the moment. Heartbeats that are late or lost come in
 * swarms, at intervals from seconds to hours; the state of the line is how late they were lately,
 * by a short and by a long memory. What lateness follows upon what state is learnt as it comes,
 * without a guess at its distribution, and {@link Lateness} works out the margin.
 *
 * <p>Of Chen, Toueg and Aguilera (2002, section 6.3) it has the schedule with the numbers of the
 * heartbeats, by which a loss is known for what it is; of Hayashibara and others (2004) the level.
 */
final class AdaptiveEstimator implements Estimator {
  private static final int STATES = 7;

  /** Each state is so many times worse than the one before. */
  private static final int OCTAVES_BY_STATE = 2;

  private static final double SHORT_NANOS = 5e9;
  private static final double LONG_NANOS = 200e9;
  private static final double SHORT_BAD_NANOS = 100_000;
  private static final double LONG_BAD_NANOS = 20_000;

  /** A silence is not worse for being longer than this: it may have any cause. */
  private static final double LATE_NANOS_MAX = 1e9;

  private static final int SAMPLES_MIN = 10;

  private final long silenceMin;
  private final long silenceMax;
  private final Schedule schedule = new Schedule();
  private final Lateness lateness;
  private boolean started;
  private int samples;
  private long intervalNanos;
  private long lastHeartbeat;
  private long heard;
  private long due;
  private double shortMean;
  private double longMean;

  /**
   * An estimator that knows nothing yet.
   *
   * @param price of a second of waiting, in mistakes
   * @param silenceMin what is borne in any case
   * @param silenceMax what is not borne in any case
   */
  AdaptiveEstimator(double price, long silenceMin, long silenceMax) {
    this.silenceMin = silenceMin;
    this.silenceMax = silenceMax;
    lateness = new Lateness(STATES, price);
  }

  @Override
  public void heartbeat(long sequence, long intervalNanos, long nanos) {
    long scheduled = Math.max(schedule.next(), lastHeartbeat);
    if (schedule.heartbeat(sequence, intervalNanos, nanos)) {
      learn(Math.max(0, nanos - scheduled), nanos - lastHeartbeat);
    } else if (intervalNanos != this.intervalNanos) {
      lateness.clear();
      samples = 0;
    }
    started = true;
    this.intervalNanos = intervalNanos;
    lastHeartbeat = nanos;
    heard = nanos;
    due = Math.max(schedule.next(), nanos);
  }

  private void learn(long late, long passed) {
    lateness.add((double) late);
    samples = Math.min(SAMPLES_MIN, samples + 1);
    double weight = Math.min(LATE_NANOS_MAX, (double) late) * intervalNanos;
    shortMean = (shortMean + weight / SHORT_NANOS) / (1 + (double) passed / SHORT_NANOS);
    longMean = (longMean + weight / LONG_NANOS) / (1 + (double) passed / LONG_NANOS);
    lateness.state(state(shortMean / SHORT_BAD_NANOS), state(longMean / LONG_BAD_NANOS));
  }

  private static int state(double badness) {
    return badness < 1 ? 0 : Math.min(STATES - 1, 1 + Math.getExponent(badness) / OCTAVES_BY_STATE);
  }

  @Override
  public void sign(long nanos) {
    heard = nanos;
    due = Math.max(due, nanos + intervalNanos);
  }

  @Override
  public long doubtAt() {
    if (!started) {
      return Long.MAX_VALUE;
    }
    if (samples < SAMPLES_MIN) {
      return heard + silenceMax;
    }
    long wanted = due + (long) lateness.margin();
    return heard + Math.max(silenceMin, Math.min(silenceMax, wanted - heard));
  }

  @Override
  public double level(long nanos) {
    return started ? lateness.level((double) (nanos - due)) : 0;
  }
}
