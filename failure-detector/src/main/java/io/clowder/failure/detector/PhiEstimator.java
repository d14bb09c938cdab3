// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * The φ accrual detector (Hayashibara, Défago, Yared and Katayama, "The φ Accrual Failure
 * Detector", IS-RR-2004-010, sections 4 and 5): the times between the last heartbeats are taken for
 * normally distributed, and the peer is doubted when the chance that the next one comes later still
 * falls to 10^-Φ. What losses tear open is a sample as any other, as in the paper.
 *
 * <p>The silence that the threshold stands for is the mean plus a fixed number of standard
 * deviations, so it is worked out once for each heartbeat and needs no logarithm.
 */
final class PhiEstimator implements Estimator {
  /** With fewer samples a standard deviation says nothing. */
  private static final int SAMPLES_MIN = 10;

  private final double deviations;
  private final double deviationMin;
  private final long silenceAtFirst;
  private final SampleWindow window;
  private boolean started;
  private long intervalNanos;
  private long lastHeartbeat;
  private long heard;
  private long silence;

  PhiEstimator(double threshold, int window, long deviationNanosMin, long silenceAtFirst) {
    this.deviations = NormalTail.at(threshold);
    this.deviationMin = deviationNanosMin;
    this.silenceAtFirst = silenceAtFirst;
    this.window = new SampleWindow(window);
  }

  @Override
  public void heartbeat(long sequence, long intervalNanos, long nanos) {
    if (started && intervalNanos == this.intervalNanos) {
      window.add((double) (nanos - lastHeartbeat));
    } else {
      window.clear();
    }
    started = true;
    this.intervalNanos = intervalNanos;
    lastHeartbeat = nanos;
    heard = nanos;
    silence =
        window.size() < SAMPLES_MIN
            ? silenceAtFirst
            : Math.max(0, (long) (window.mean() + deviations * deviation()));
  }

  private double deviation() {
    return Math.max(deviationMin, Math.sqrt(window.variance()));
  }

  @Override
  public void sign(long nanos) {
    heard = nanos;
  }

  @Override
  public long doubtAt() {
    return started ? heard + silence : Long.MAX_VALUE;
  }

  @Override
  public double level(long nanos) {
    if (!started) {
      return 0;
    }
    if (window.size() < SAMPLES_MIN) {
      return nanos - heard >= silenceAtFirst ? Double.POSITIVE_INFINITY : 0;
    }
    return NormalTail.level((nanos - heard - window.mean()) / deviation());
  }
}
