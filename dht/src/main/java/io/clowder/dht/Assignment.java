// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who keeps one partition. A write is acknowledged when all holders have it, so that each of them
 * has all that was acknowledged, and any may be the next owner.
 *
 * @param version the epoch of the table in which this last changed
 * @param holders those that have all of it, the owner first; empty before the first placement, and
 *     when all is lost
 * @param targets those that are to hold it, the owner first; empty before the first placement
 * @param ownerSince the epoch since which the owner is the owner
 * @param isReleased whether the owner before had stopped serving when this one began, or there was
 *     none; if not, this one must wait until the other's lease is over
 * @param lost the epoch in which its content was last lost for good: copies of before are void; 0
 *     if it never was
 */
record Assignment(
    long version,
    List<NodeId> holders,
    List<NodeId> targets,
    long ownerSince,
    boolean isReleased,
    long lost) {
  /** The most holders: those that are to be, and an owner that is not to be. */
  static final int HOLDERS_MAX = TableSettings.REPLICAS_MAX + 1;

  /** Of a partition that nobody ever had. */
  static final Assignment NONE = new Assignment(0, List.of(), List.of(), 0, true, 0);

  Assignment {
    holders = List.copyOf(holders);
    targets = List.copyOf(targets);
    if (holders.size() > HOLDERS_MAX || targets.size() > TableSettings.REPLICAS_MAX) {
      throw new IllegalArgumentException("too many: holders " + holders + ", targets " + targets);
    }
    if (!isDistinct(holders) || !isDistinct(targets)) {
      throw new IllegalArgumentException("one twice: holders " + holders + ", targets " + targets);
    }
    if (ownerSince < 0 || ownerSince > version || lost < 0) {
      throw new IllegalArgumentException(
          "version " + version + ", owner since " + ownerSince + ", lost " + lost);
    }
  }

  private static boolean isDistinct(List<NodeId> nodes) {
    return nodes.size() < 2 || new HashSet<>(nodes).size() == nodes.size();
  }

  /** Who serves it; null if nobody has it. */
  @Nullable NodeId owner() {
    return holders.isEmpty() ? null : holders.get(0);
  }

  /** Those that are to hold it and do not yet. */
  List<NodeId> joining() {
    return targets.stream().filter(it -> !holders.contains(it)).toList();
  }

  /** Whether nothing is left to be done. */
  boolean isSettled() {
    return holders.equals(targets);
  }

  /** Whether a node has to do with it. */
  boolean concerns(NodeId node) {
    return holders.contains(node) || targets.contains(node);
  }
}
