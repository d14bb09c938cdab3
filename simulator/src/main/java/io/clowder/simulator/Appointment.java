// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import org.jspecify.annotations.Nullable;

/** Something that is going to happen in a {@link World}, unless it is cancelled before. */
public final class Appointment implements Comparable<Appointment> {
  private final long time;
  private final long number;
  private final @Nullable SimulatedProcess process;
  private final int incarnation;
  private final String label;
  private final Runnable action;
  private boolean cancelled;

  Appointment(
      long time,
      long number,
      @Nullable SimulatedProcess process,
      int incarnation,
      String label,
      Runnable action) {
    this.time = time;
    this.number = number;
    this.process = process;
    this.incarnation = incarnation;
    this.label = label;
    this.action = action;
  }

  /** It will not happen, if it has not yet. */
  public void cancel() {
    cancelled = true;
  }

  boolean isCancelled() {
    return cancelled || (process != null && process.incarnation() != incarnation);
  }

  long time() {
    return time;
  }

  String label() {
    return label;
  }

  long owner() {
    return process == null ? 0 : process.number();
  }

  String ownerName() {
    return process == null ? "world" : process.name();
  }

  void happen() {
    if (process == null) {
      action.run();
    } else {
      process.live(this);
    }
  }

  void act() {
    action.run();
  }

  void actUnlessCancelled() {
    if (!isCancelled()) {
      action.run();
    }
  }

  /** By time; what was made first happens first at equal times. */
  @Override
  public int compareTo(Appointment other) {
    int byTime = Long.compare(time, other.time);
    return byTime != 0 ? byTime : Long.compare(number, other.number);
  }
}
