// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** How long a device takes for one task: drawn, slowed down, or without end. */
public final class Pace {
  private final RandomGenerator random;
  private final long minNanos;
  private final long meanNanos;
  private final List<Runnable> waiting = new ArrayList<>();
  private double slowness = 1;
  private boolean hung;

  /**
   * A pace.
   *
   * @param minNanos no task takes less
   * @param meanNanos tasks take this long on average, with an exponential tail
   */
  public Pace(RandomGenerator random, long minNanos, long meanNanos) {
    if (minNanos < 0 || meanNanos < minNanos) {
      throw new IllegalArgumentException("pace of " + minNanos + " to " + meanNanos + " ns");
    }
    this.random = random;
    this.minNanos = minNanos;
    this.meanNanos = meanNanos;
  }

  /** The time that the next task takes, in nanoseconds. */
  public long draw() {
    double tail = -Math.log(1 - random.nextDouble()) * (meanNanos - minNanos);
    return (long) ((minNanos + tail) * slowness);
  }

  /** Has tasks that begin later take {@code factor} times as long. */
  public void slowDown(double factor) {
    slowness = factor;
  }

  /** Has no task end until {@link #recover}. */
  public void hang() {
    hung = true;
  }

  /** Back to the normal pace; what hung goes on. */
  public void recover() {
    hung = false;
    slowness = 1;
    var going = List.copyOf(waiting);
    waiting.clear();
    going.forEach(Runnable::run);
  }

  /** Whether no task ends at present. */
  public boolean isHung() {
    return hung;
  }

  /** Runs {@code action} when {@link #recover} is called next. */
  void onRecovery(Runnable action) {
    waiting.add(action);
  }
}
