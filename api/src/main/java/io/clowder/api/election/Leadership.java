// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.election;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One term of one leader. A service with the properties {@link Candidate#ELECTION}, {@link
 * Candidate#GROUP} and {@link #EPOCH} on the node that leads; the {@code Condition} {@link
 * #CONDITION} has them too, comes after it and goes before it. Thread-safe.
 */
@ProviderType
public interface Leadership {
  /** Service property: {@link #epoch}, a {@link Long}. */
  String EPOCH = "election.epoch";

  /** Identifier of the OSGi condition that is there while this node leads, before the name. */
  String CONDITION = "io.clowder.leader.";

  /** The election. */
  String election();

  /** The number of this term, larger than those of all before it: a fencing token. */
  long epoch();

  /**
   * Whether it surely still leads, by this node's own clock: it has not begun to step down, and
   * holds the election's lock as {@link io.clowder.api.lock.Grant#isHeld} says. Stays false once it
   * is.
   */
  boolean isLeader();

  /** Completes when it does not lead any more; perhaps before the candidate is told. */
  CompletionStage<Void> lost();

  /**
   * Steps down: the services go, the candidate is told, then the next in line leads. It stands
   * again, behind those who wait. Completes when the lock is released, at once if the term is over;
   * fails with {@code TIMEOUT} if the group did not answer in time: it has stepped down all the
   * same, and the next one leads when the group is heard of.
   */
  CompletionStage<Void> resign();
}
