// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * What a node knows of a store.
 *
 * @param name the store
 * @param role what the node that says this is
 * @param epoch rises with every primary; 0 before the first
 * @param primary null while none is elected
 * @param minInsync nothing is acknowledged while fewer are in sync
 * @param insync whose copies are in sync, the primary's among them
 * @param eligible who is not in sync but has all that was acknowledged, as nothing was since
 * @param learners whose copies are neither
 * @param removed nodes that were taken out, and do not come back by themselves
 * @param copy this node's copy; null if it has none
 * @param lags of the others, if this node is the primary; else empty
 */
public record StoreStatus(
    String name,
    StoreRole role,
    long epoch,
    @Nullable NodeId primary,
    int minInsync,
    SortedSet<NodeId> insync,
    SortedSet<NodeId> eligible,
    SortedSet<NodeId> learners,
    SortedSet<NodeId> removed,
    @Nullable Copy copy,
    List<Lag> lags) {

  /**
   * A copy.
   *
   * @param oldest first write that is in its log still
   * @param end last write in its log
   * @param persisted all up to here is on disk
   * @param committed all up to here is applied
   * @param entries keys that have a value
   * @param logBytes of the log, in memory
   * @param snapshot the write up to which there is a snapshot on disk; 0 if there is none
   */
  public record Copy(
      long oldest,
      long end,
      long persisted,
      long committed,
      long entries,
      long logBytes,
      long snapshot) {}

  /**
   * How far a copy is behind the primary's.
   *
   * @param acknowledged all up to here is on its disk
   * @param records what it lacks
   * @param bytes of that, about; -1 if the log does not have all of it any more
   * @param millis since when it has not had everything; 0 if it has
   */
  public record Lag(NodeId node, long acknowledged, long records, long bytes, long millis) {}
}
