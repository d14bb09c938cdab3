// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.election;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Stands in an election as long as it is registered as a service and the locks of its group are
 * there. A change of the properties below has it step down, and stand anew.
 *
 * <p>Called by one thread at a time: {@link #elected}, then {@link #deposed}, once each per term. A
 * method that throws is reported in the log, and counts as called. One that does not return keeps
 * the lock of its own election for as long as this node's session lives, and no other candidate
 * from being called.
 */
@ConsumerType
public interface Candidate {
  /** Service property: the election, 1 to 64 of letters, digits, dots, hyphens, underscores. */
  String ELECTION = "election.name";

  /** Service property: the consensus group that decides; {@code main} if it is missing. */
  String GROUP = "consensus.group";

  /**
   * Service property: an integer from 0 to 9, 0 if it is missing. Of those who wait, the highest
   * leads next; whoever leads is not deposed by it.
   */
  String PRIORITY = "election.priority";

  /**
   * Leads, until {@link Leadership#isLeader} turns false; {@link #deposed} follows then. The
   * services of the term are registered already.
   */
  void elected(Leadership leadership);

  /**
   * Does not lead any more; the services of the term are gone already. Returns soon: unless this
   * node's session has ended, the next one leads only when this has returned, and whoever
   * unregisters the candidate waits for it, some seconds at most.
   */
  void deposed();
}
