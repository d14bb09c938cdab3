// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import io.clowder.api.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one node knows of the ring.
 *
 * @param epoch how often the view has changed; 0 in mode {@code peer}, where nobody counts
 * @param hash the function that places keys, such as {@code SHA-1}
 * @param replicas how many nodes keep a value
 * @param isMember whether this node is on the ring
 * @param predecessor the member before this one; null if it knows none
 * @param successors the members after this one, nearest first, none twice
 * @param places of all members that this node knows, in the order of the ring
 */
public record RingView(
    String name,
    Dht.Mode mode,
    long epoch,
    String hash,
    int replicas,
    NodeId self,
    boolean isMember,
    @Nullable NodeId predecessor,
    List<NodeId> successors,
    List<Place> places) {

  /**
   * A member.
   *
   * @param identifier where it is on the ring, 40 hexadecimal digits
   * @param domain what fails with it, such as a rack; in mode {@code consistent}
   * @param share of the key space that it owns, 0 to 1; negative if this node does not know
   * @param state what it is about: {@code member}, {@code joining}, {@code leaving}
   */
  public record Place(NodeId node, String identifier, String domain, double share, String state) {}
}
