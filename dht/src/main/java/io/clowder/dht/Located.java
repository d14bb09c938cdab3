// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.List;

/**
 * What a lookup found.
 *
 * @param owner who owns the key, by its own word
 * @param replicas the members after the owner, nearest first, none twice
 * @param path whom the lookup passed in its last attempt, the owner last; empty if the owner asked
 * @param claims how many of these were asked whether they own the key: one, unless the ring changes
 * @param timeouts how many members did not answer in the last attempt; and one for each attempt
 *     lost
 * @param retries how many attempts came to nothing
 */
record Located(
    Member owner, List<Member> replicas, List<Member> path, int claims, int timeouts, int retries) {
  /** How often the lookup was handed on. */
  int hops() {
    return path.size();
  }

  /** As Chord's papers count: to the member before the key. */
  int hopsToPredecessor() {
    return path.size() - claims;
  }
}
