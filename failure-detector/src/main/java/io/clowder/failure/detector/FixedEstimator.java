// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/** A time-out: the same silence is borne whatever was seen. */
final class FixedEstimator implements Estimator {
  private final long silenceNanos;
  private boolean started;
  private long heard;

  FixedEstimator(long silenceNanos) {
    this.silenceNanos = silenceNanos;
  }

  @Override
  public void heartbeat(long sequence, long intervalNanos, long nanos) {
    started = true;
    heard = nanos;
  }

  @Override
  public void sign(long nanos) {
    heard = nanos;
  }

  @Override
  public long doubtAt() {
    return started ? heard + silenceNanos : Long.MAX_VALUE;
  }

  @Override
  public double level(long nanos) {
    return started && nanos - heard >= silenceNanos ? Double.POSITIVE_INFINITY : 0;
  }
}
