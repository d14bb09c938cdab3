// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/** Heartbeats that can be played again and again, each time the same. */
interface Trace {
  /** Plays them. */
  void replay(Observer observer);

  /** The time between two heartbeats, as the sender means it. */
  long intervalNanos();

  /** Hears of heartbeats in the order of their arrival. */
  interface Observer {
    /** One came in; {@code nanos} is when. */
    void arrived(long sequence, long sentNanos, long nanos);
  }
}
