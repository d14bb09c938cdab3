// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

/** What a query may see. */
public enum ReadConsistency {
  /** Everything that completed anywhere before the query began. Costs a round with a quorum. */
  LINEARIZABLE,
  /**
   * At least everything that this node's own requests completed with, also across a restart of the
   * replica; never goes back.
   */
  SEQUENTIAL,
  /**
   * Whatever this node has applied, at once; may be stale by any amount, but answers without a
   * quorum.
   */
  LOCAL
}
