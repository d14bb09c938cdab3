// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

/**
 * The times that replicas agree on, in nanoseconds. Who relies on a lease counts it short and who
 * granted it counts it long, so that clocks may run wrong by a hundredth each. A copy to which a
 * message goes and comes back in more than a lease cannot be in sync.
 *
 * @param lease how long a lease lasts, from the sending of the request by the one who relies on it
 * @param heartbeat how often a primary sends at least
 * @param lag how long a backup may make no progress before it is removed
 * @param retry how long to wait for the configuration before proposing again
 */
record Timing(long lease, long heartbeat, long lag, long retry) {
  /** One part in so many by which a clock may run wrong. */
  static final int DRIFT = 100;

  private static final long MILLI = 1_000_000;

  static final Timing USUAL = new Timing(120 * MILLI, 40 * MILLI, 1_000 * MILLI, 100 * MILLI);

  Timing {
    if (heartbeat <= 0 || retry <= 0 || lease < 3 * heartbeat || lag < 3 * heartbeat) {
      throw new IllegalArgumentException("three heartbeats do not fit into a lease, or the lag");
    }
  }

  /** How long the one who relies on a lease may, by its own clock. */
  long relied() {
    return lease - lease / DRIFT;
  }

  /** How long the one who granted a lease must think that it is in use, by its own clock. */
  long granted() {
    return lease + lease / DRIFT + 1;
  }
}
