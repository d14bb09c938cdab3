// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * Counts how well one peer is judged: Chen, Toueg and Aguilera (2002), section 2.2. A mistake is
 * known for one only when it ends, so time under suspicion counts for nothing until then.
 */
final class Quality {
  private long wellNanos;
  private long mistakenNanos;
  private long mistakes;
  private long received;
  private long lost;
  private long roundTripNanos = -1;

  /** When the stretch began that is not counted yet. */
  private long since;

  /** Whether that is one of trust. */
  private boolean trusted;

  /** The peer is trusted for the first time, or anew after a suspicion that was right. */
  void trusted(long now) {
    settle(now);
    trusted = true;
  }

  /** It is suspected. */
  void suspected(long now) {
    settle(now);
    trusted = false;
  }

  /** It was suspected, and well all the time. */
  void mistaken(long now) {
    mistakes++;
    mistakenNanos += now - since;
    trusted(now);
  }

  private void settle(long now) {
    if (trusted) {
      wellNanos += now - since;
    }
    since = now;
  }

  /** A heartbeat came in, so many after the last one. */
  void heartbeat(long missing) {
    received++;
    lost += missing;
  }

  void roundTrip(long nanos) {
    roundTripNanos = nanos;
  }

  long roundTripNanos() {
    return roundTripNanos;
  }

  long heartbeats() {
    return received;
  }

  double lossRate() {
    return received + lost == 0 ? 0 : (double) lost / (received + lost);
  }

  long mistakes() {
    return mistakes;
  }

  /** T_MR. */
  double recurrenceNanos(long now) {
    return mistakes == 0
        ? Double.POSITIVE_INFINITY
        : (double) (trustedNanos(now) + mistakenNanos) / mistakes;
  }

  /** T_M. */
  double durationNanos() {
    return mistakes == 0 ? 0 : (double) mistakenNanos / mistakes;
  }

  /** P_A. */
  double accuracy(long now) {
    double trust = trustedNanos(now);
    return trust + mistakenNanos == 0 ? 1 : trust / (trust + mistakenNanos);
  }

  private long trustedNanos(long now) {
    return wellNanos + (trusted ? now - since : 0);
  }
}
