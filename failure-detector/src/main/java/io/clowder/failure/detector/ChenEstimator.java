// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.DetectionGoal;
import org.jspecify.annotations.Nullable;

/**
 * NFD-E (Chen, Toueg and Aguilera, 2002, section 6.3): the peer is doubted at the freshness point τ
 * = EA + α. Interval and margin follow from the goal by {@link ChenConfigurator}, now and then anew
 * as loss and variance change.
 */
final class ChenEstimator implements Estimator {
  /** The chance of loss and the variance are those of about the last so many heartbeats. */
  private static final double MEMORY = 10_000;

  private static final int SAMPLES_MIN = 10;
  private static final int CONFIGURED_FIRST = 100;
  private static final int CONFIGURED_EVERY = 1_000;

  /** A change of the interval costs the peer a new schedule; a smaller one is not worth it. */
  private static final double CHANGE_MIN = 0.05;

  private static final double NANOS = 1e9;

  /** The parts of a second below which delays are not told apart, squared. */
  private static final double VARIANCE_MIN = 1e-4 * 1e-4 * NANOS * NANOS;

  /** Terms of {@link #level} that are looked at; more of them make it larger than anybody needs. */
  private static final int TERMS_MAX = 1_000;

  private final @Nullable ChenConfigurator configurator;
  private final long silenceNanos;
  private final ExpectedArrival expected;
  private boolean started;
  private long sequence;
  private long intervalNanos;
  private long heard;
  private boolean isSigned;
  private double margin;
  private double sent;
  private double lost;
  private double variance;
  private long samples;
  private ChenConfigurator.@Nullable Setting setting;

  private ChenEstimator(
      int window, @Nullable ChenConfigurator configurator, long silenceNanos, double margin) {
    this.expected = new ExpectedArrival(window);
    this.configurator = configurator;
    this.silenceNanos = silenceNanos;
    this.margin = margin;
  }

  /** With what the goal asks for. */
  static ChenEstimator of(DetectionGoal goal, int window) {
    Budget budget = Budget.of(goal);
    double intervalMin = Math.max(10e6, budget.intervalNanos() / 10.0);
    var configurator =
        new ChenConfigurator(
            (double) budget.silenceNanos(),
            NANOS * goal.recurrence().toMillis() / 1e3,
            NANOS * goal.mistake().toMillis() / 1e3,
            intervalMin);
    return new ChenEstimator(window, configurator, budget.silenceNanos(), 0);
  }

  /** With a margin that stays. */
  static ChenEstimator withMargin(int window, double marginNanos) {
    return new ChenEstimator(window, null, 0, marginNanos);
  }

  @Override
  public void heartbeat(long sequence, long intervalNanos, long nanos) {
    boolean goesOn = expected.heartbeat(sequence, intervalNanos, nanos);
    if (goesOn) {
      learn(sequence - this.sequence);
    }
    started = true;
    this.sequence = sequence;
    this.intervalNanos = intervalNanos;
    heard = nanos;
    isSigned = false;
    if (configurator != null && intervalNanos > 0) {
      margin = Math.max(0, silenceNanos - intervalNanos);
      if (samples == CONFIGURED_FIRST || (samples > 0 && samples % CONFIGURED_EVERY == 0)) {
        configure(configurator.setting(lossMax(), variance()));
      }
    }
  }

  private void configure(ChenConfigurator.Setting next) {
    ChenConfigurator.Setting before = setting;
    if (before == null
        || before.isFeasible() != next.isFeasible()
        || Math.abs(next.interval() / before.interval() - 1) > CHANGE_MIN) {
      setting = next;
    }
  }

  private void learn(long steps) {
    double keep = 1 - 1 / MEMORY;
    sent = sent * keep + steps;
    lost = lost * keep + steps - 1;
    samples++;
    double square = expected.deviation() * expected.deviation();
    variance += (square - variance) / Math.min((double) samples, MEMORY);
  }

  /** p_L as it was seen, with one loss more, for nothing is known never to lose. */
  double loss() {
    return (lost + 1) / (sent + 2);
  }

  /** p_L as it may well be: twice the error of the estimate above it. */
  private double lossMax() {
    return Math.min(1, (lost + 1 + 2 * Math.sqrt(lost + 1)) / (sent + 2));
  }

  private double variance() {
    return Math.max(VARIANCE_MIN, variance);
  }

  /** What the goal leads to by what was measured so far; null before there is enough of it. */
  ChenConfigurator.@Nullable Setting setting() {
    return setting;
  }

  @Override
  public void sign(long nanos) {
    isSigned = true;
    heard = nanos;
  }

  @Override
  public long doubtAt() {
    return started ? due() + (long) margin : Long.MAX_VALUE;
  }

  /** When a heartbeat is due; another sign of life counts as one that came on time. */
  private long due() {
    long next = expected.samples() < SAMPLES_MIN ? heard + intervalNanos : expected.next();
    return isSigned ? Math.max(next, heard + intervalNanos) : next;
  }

  /** By the same bound as in the configurator, for the heartbeats that were due since. */
  @Override
  public double level(long nanos) {
    if (!started) {
      return 0;
    }
    double sum = 0;
    double late = nanos - due();
    for (int i = 0; i < TERMS_MAX && late > 0; i++) {
      double square = late * late;
      sum += Math.log10((variance() + square) / (variance() + loss() * square));
      late -= Math.max(1, intervalNanos);
    }
    return sum;
  }

  @Override
  public long intervalNanos(long otherwise) {
    return setting == null ? otherwise : (long) setting.interval();
  }
}
