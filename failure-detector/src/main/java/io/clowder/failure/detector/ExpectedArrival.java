// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * When the next heartbeat is expected: EA of the detector NFD-E (Chen, Toueg and Aguilera, "On the
 * Quality of Service of Failure Detectors", 2002, section 6.3), the mean over the last heartbeats
 * of how far each was off a schedule with one beat in each interval. Beats that got lost do not
 * move it, for the numbers tell of them.
 *
 * <p>The paper's senders never leave their schedule. Ours do, when they are paused; heartbeats that
 * are off by more than an interval and yet come one interval after the other start a new schedule.
 */
final class ExpectedArrival {
  /** After so many heartbeats off the schedule in a row, it is the schedule that is wrong. */
  private static final int STRAYS_MAX = 8;

  private final SampleWindow offsets;
  private long anchorSequence;
  private long anchorNanos;
  private long sequence;
  private long intervalNanos;
  private long lastNanos;
  private int strays;
  private double offset;

  ExpectedArrival(int window) {
    offsets = new SampleWindow(window);
  }

  /** Takes a heartbeat; whether it goes on with the schedule, rather than to start a new one. */
  boolean heartbeat(long sequence, long intervalNanos, long nanos) {
    boolean goesOn = offsets.size() > 0 && intervalNanos == this.intervalNanos;
    if (goesOn) {
      offset = (nanos - anchorNanos) - (sequence - anchorSequence) * (double) intervalNanos;
      boolean isStray = Math.abs(offset - offsets.mean()) > intervalNanos;
      boolean isSpaced = nanos - lastNanos > intervalNanos / 2;
      strays = isStray && isSpaced ? strays + 1 : 0;
      goesOn = strays < STRAYS_MAX;
    }
    if (!goesOn) {
      offsets.clear();
      anchorSequence = sequence;
      anchorNanos = nanos;
      offset = 0;
      strays = 0;
    }
    offsets.add(offset);
    this.sequence = sequence;
    this.intervalNanos = intervalNanos;
    lastNanos = nanos;
    return goesOn;
  }

  int samples() {
    return offsets.size();
  }

  /** How much later than the mean the last heartbeat came. */
  double deviation() {
    return offset - offsets.mean();
  }

  /** When the heartbeat after the last one is expected. */
  long next() {
    return anchorNanos
        + (sequence + 1 - anchorSequence) * intervalNanos
        + Math.round(offsets.mean());
  }
}
