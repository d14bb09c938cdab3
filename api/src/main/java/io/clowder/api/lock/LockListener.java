// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears what happens to locks, as this node applies it: register one as a service. On another node
 * it may have happened before, or may not have happened yet.
 */
@ConsumerType
public interface LockListener {
  /**
   * Service property: names of locks to hear of, a string or several, with {@code *} for any
   * characters; all if it is missing.
   */
  String NAME = "lock.name";

  /** Service property: the consensus group; {@code main} if it is missing. */
  String GROUP = "consensus.group";

  /**
   * Called in the order of the log, on one thread for all listeners: be quick, and do not wait for
   * locks here.
   */
  void happened(LockEvent event);

  /**
   * Events were left out, because listeners were too slow or this node took over the state as a
   * whole: look anew. Comes before the next event.
   */
  default void missed() {}
}
