// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import java.util.Arrays;

/** What a majority agrees on. */
final class Quorum {
  private Quorum() {}

  /** How many of {@code members} are a majority. */
  static int of(int members) {
    return members / 2 + 1;
  }

  /**
   * The largest number that a majority has reached.
   *
   * @param reached one number per member; left sorted
   */
  static long reached(long[] reached) {
    Arrays.sort(reached);
    return reached[reached.length - of(reached.length)];
  }
}
