// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.election;

import org.osgi.annotation.versioning.ConsumerType;

/** Stands in an election as long as it is registered as a service. */
@ConsumerType
public interface Candidate {
  /** Service property: the election, 1 to 64 of letters, digits, dots, hyphens, underscores. */
  String ELECTION = "election.name";

  /** Service property: the consensus group that decides; {@code main} if it is missing. */
  String GROUP = "consensus.group";

  /** Service property: an integer from 0 to 9; the highest waits least. 0 if it is missing. */
  String PRIORITY = "election.priority";

  /** Leads from now on, until {@link #deposed} or {@link Leadership#resign}. */
  void elected(Leadership leadership);

  /**
   * Does not lead any more; stands in the election again. Returns soon: others are kept from
   * leading only for as long as this node's session lives.
   */
  void deposed();
}
