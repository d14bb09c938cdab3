// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * How far this node trusts its own judgement (Lifeguard, section IV-A): a counter from 0, well, to
 * a maximum. Its probes get so much more time, and come so much slower.
 */
final class LifeguardHealth {
  private int score;

  int score() {
    return score;
  }

  /** What a time is to be multiplied by. */
  int factor() {
    return score + 1;
  }

  /** Something happened that says that it is this node that is slow. */
  void worsen(int by, int max) {
    score = Math.max(0, Math.min(max, score + by));
  }

  /** A probe of this node's was answered in time. */
  void better() {
    score = Math.max(0, score - 1);
  }
}
