// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.election;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One term of one leader. A service with the properties {@link Candidate#ELECTION}, {@link
 * Candidate#GROUP} and {@link #EPOCH} on the node that leads. Thread-safe.
 */
@ProviderType
public interface Leadership {
  /** Service property: {@link #epoch}. */
  String EPOCH = "election.epoch";

  /** Identifier of the OSGi condition that is there while this node leads, before the name. */
  String CONDITION = "io.clowder.leader.";

  /** The election. */
  String election();

  /** The number of this term, larger than those of all before it: a fencing token. */
  long epoch();

  /** Whether it surely still leads, by this node's own clock; see {@code Grant.isHeld}. */
  boolean isLeader();

  /** Completes when it does not lead any more. */
  CompletionStage<Void> lost();

  /**
   * Steps down: the candidate is told, the services go, then the next in line leads. It stands
   * again, behind those who wait.
   */
  CompletionStage<Void> resign();
}
