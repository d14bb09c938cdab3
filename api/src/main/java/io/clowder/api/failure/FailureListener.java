// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears whom this node suspects: register one as a service. To begin with, nobody is suspected; for
 * each node the events are then SUSPECT, TRUST, SUSPECT and so on. A listener that is slow misses
 * pairs of them, never the last one. When the detector stops, it suspects nobody any more, and says
 * so by a TRUST with the evidence {@link Evidence#NONE}; the next one begins anew, with those whom
 * it suspects. Called by one thread at a time; one that does not return delays nobody but itself.
 */
@ConsumerType
public interface FailureListener {
  /**
   * Service property: the ids of the nodes to hear of, a string or several; all if it is missing.
   */
  String NODES = "fd.nodes";

  /** A node's state changed between suspected and not suspected. */
  void happened(FailureEvent event);

  /** Another view is current. Of several that follow fast only the last may be told. */
  default void viewed(ClusterView view) {}
}
