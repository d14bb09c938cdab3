// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Who takes part. A committed view is an entry of the log of the group {@code main}: the same
 * number means the same view on every node, and each view is the next one's predecessor everywhere.
 * A node is taken out when two others suspect it, and let in again when nobody in the view does.
 *
 * @param number of the view, rising; 0 if there is none
 * @param position of the entry that made it; 0 if there is none
 * @param members the nodes in it
 * @param removed members of the cluster that are out of it
 * @param isCommitted false where no consensus group is there: all that this node knows are members
 *     then
 */
public record ClusterView(
    long number,
    long position,
    SortedSet<NodeId> members,
    SortedSet<NodeId> removed,
    boolean isCommitted) {
  /** Keeps its own copies. */
  public ClusterView {
    members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
    removed = Collections.unmodifiableSortedSet(new TreeSet<>(removed));
  }
}
