// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import io.clowder.api.NodeId;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Whiteboard service: says which nodes keep which partition, in mode {@code consistent}. The one
 * with the highest ranking on the node that proposes is asked, instead of our own; nodes need not
 * have the same, as what it says is committed. Called on a thread of the runtime; must not wait.
 */
@ConsumerType
public interface PlacementPolicy {
  /**
   * Distributes the partitions.
   *
   * @return for each partition its nodes, the owner first: as many as {@link Request#replicas}, or
   *     as there are candidates if these are fewer, none twice. What breaks this is refused and
   *     logged, and our own policy is used
   */
  List<List<NodeId>> place(Request request);

  /**
   * What is to be distributed.
   *
   * @param replicas how many nodes keep a partition
   * @param candidates those that may, without those that leave
   * @param present for each partition those that are to keep it now; to move few is up to the
   *     policy
   */
  record Request(int replicas, List<Candidate> candidates, List<List<NodeId>> present) {}

  /**
   * A node that may keep partitions.
   *
   * @param domain what fails with it: replicas ought to be in different ones
   * @param weight how much of the whole it is to have against others, 1 to 100
   */
  record Candidate(NodeId node, String domain, int weight) {}
}
