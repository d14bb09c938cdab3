// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import io.clowder.api.NodeId;
import java.util.List;

/**
 * Who owns a key, and how that was found out.
 *
 * @param identifier where the key is on the ring, 40 hexadecimal digits
 * @param owner by its own word in mode {@code peer}, by the view in mode {@code consistent}
 * @param replicas the other nodes that keep the key, in the order in which they would take over
 * @param path whom the lookup passed, the owner last; empty if this node knew
 * @param timeouts how many of those that were asked did not answer
 * @param retries how many attempts came to nothing before
 * @param epoch of the view; 0 in mode {@code peer}
 */
public record LookupResult(
    String identifier,
    NodeId owner,
    List<NodeId> replicas,
    List<NodeId> path,
    int timeouts,
    int retries,
    long epoch) {
  /** How often the lookup was handed on. */
  public int hops() {
    return path.size();
  }
}
