// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.consensus.ConsensusService;

/**
 * How long a session lives, and for how long its owner may believe so (Gray and Cheriton, "Leases",
 * SOSP 1989, section 5: the owner's time is shorter by what clocks may differ).
 *
 * @param ttlMillis how long a node may be out of touch before its session ends; 1,000 or more
 * @param renewMillis how often the owner renews it
 * @param driftPpm how much faster one clock may run than another, in millionths
 * @param marginMillis how long before the end the owner gives up besides, for what happens between
 *     looking at the clock and acting
 */
public record Lease(int ttlMillis, int renewMillis, int driftPpm, int marginMillis) {
  /** Renewed ten times in its time; one percent of drift, and two of margin. */
  public static Lease of(int ttlMillis) {
    return new Lease(ttlMillis, ttlMillis / 10, 10_000, ttlMillis / 50);
  }

  /**
   * A session as its owner may see it.
   *
   * @param since when the owner last sent a renewal, or its opening, that was confirmed
   * @param sinceMillis the same by the wall clock
   */
  ConsensusService.Session session(long id, long since, long sinceMillis) {
    long nanos = ttlMillis * (1_000_000L - driftPpm) - marginMillis * 1_000_000L;
    return new ConsensusService.Session(id, since + nanos, sinceMillis + nanos / 1_000_000);
  }
}
