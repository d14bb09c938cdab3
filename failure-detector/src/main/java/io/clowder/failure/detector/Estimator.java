// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * What the heartbeats of one peer say about the next one. Pure: time comes in, never falls, and has
 * any origin; nothing is allocated after the constructor. Heartbeats come in order, see {@link
 * Heartbeats}.
 */
interface Estimator {
  /** A heartbeat came in, later in the sequence than any before. */
  void heartbeat(long sequence, long intervalNanos, long nanos);

  /** Another sign of life: silence counts from here on, but nothing is learnt about heartbeats. */
  void sign(long nanos);

  /** Until when silence is borne; {@link Long#MAX_VALUE} before the first heartbeat. */
  long doubtAt();

  /** Minus the decimal logarithm of the chance of a silence this long, if the peer lives. */
  double level(long nanos);

  /** The time between heartbeats that is wanted, if that follows from what was measured. */
  default long intervalNanos(long otherwise) {
    return otherwise;
  }
}
