// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/**
 * What each node is to have, by number.
 *
 * @param copies how many partitions it is to hold
 * @param owned how many of them it is to own; may be shifted between nodes as long as each stays
 *     next to its exact share
 * @param exactOwned that share
 */
record Quotas(int[] copies, int[] owned, double[] exactOwned) {
  /** Whether a node may be to own one more. */
  boolean isRaisable(int node) {
    return owned[node] < Shares.ceil(exactOwned[node]);
  }

  /** Whether a node may be to own one less. */
  boolean isLowerable(int node) {
    return owned[node] > Shares.floor(exactOwned[node]);
  }
}
