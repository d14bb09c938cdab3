// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * When heartbeats come if nothing holds them up: a line through their arrivals that follows most of
 * them and gives little on the few that are far off it. Whereas the mean of a window, as in {@link
 * ExpectedArrival}, is bent for as long as the window remembers a stall.
 */
final class Schedule {
  /** The share of a deviation that the line takes over. */
  private static final double GAIN = 1.0 / 16;

  /** The reach is what one deviation in six exceeds; what is beyond counts as if it were there. */
  private static final double REACH_GROWS = 1.05;

  private static final double REACH_SHRINKS = 0.99;
  private static final double REACH_NANOS_MIN = 50_000;

  /** After so many heartbeats off the schedule in a row, it is the schedule that is wrong. */
  private static final int STRAYS_MAX = 8;

  private boolean started;
  private long nextNanos;
  private double fraction;
  private long sequence;
  private long intervalNanos;
  private long lastNanos;
  private double reach;
  private int strays;

  /** Takes a heartbeat; false if it began a new schedule. */
  boolean heartbeat(long sequence, long intervalNanos, long nanos) {
    boolean goesOn = started && intervalNanos == this.intervalNanos;
    long onTime = nextNanos + (sequence - this.sequence - 1) * intervalNanos;
    double error = nanos - onTime;
    if (goesOn) {
      boolean isSpaced = nanos - lastNanos > intervalNanos / 2;
      strays = Math.abs(error) > intervalNanos && isSpaced ? strays + 1 : 0;
      goesOn = strays < STRAYS_MAX;
    }
    if (goesOn) {
      fraction += GAIN * Math.max(-reach, Math.min(reach, error));
      reach *= Math.abs(error) > reach ? REACH_GROWS : REACH_SHRINKS;
      reach = Math.max(REACH_NANOS_MIN, Math.min(reach, (double) intervalNanos));
      long whole = (long) fraction;
      fraction -= whole;
      nextNanos = onTime + intervalNanos + whole;
    } else {
      started = true;
      nextNanos = nanos + intervalNanos;
      fraction = 0;
      reach = intervalNanos / 8.0;
      strays = 0;
    }
    this.sequence = sequence;
    this.intervalNanos = intervalNanos;
    lastNanos = nanos;
    return goesOn;
  }

  /** When the next heartbeat is due. */
  long next() {
    return nextNanos;
  }
}
