// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

/**
 * The time of the round that the group's loop is in, and when its regular work is due next. On the
 * group's thread.
 */
final class Round {
  private long now;
  private long nextTick;

  Round(long now) {
    this.now = now;
    nextTick = now;
  }

  /** A round begins. */
  void begin(long time) {
    now = time;
  }

  /** Nanoseconds of the group's monotonic clock. */
  long now() {
    return now;
  }

  /** When the regular work is due. */
  long nextTick() {
    return nextTick;
  }

  /** Has the regular work done at this time at the latest. */
  void tickBy(long time) {
    nextTick = Math.min(nextTick, time);
  }

  /** Has the regular work done at once: something has changed. */
  void tickNow() {
    nextTick = now;
  }

  /** The regular work is done, and due again after this. */
  void ticked(long nanos) {
    nextTick = now + nanos;
  }
}
