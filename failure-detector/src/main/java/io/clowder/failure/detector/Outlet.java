// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.FailureEvent;

/** What a {@link Monitor} does in the world; nothing of it waits. */
interface Outlet {
  /** Sends a signal, which may get lost; to this node itself, too. */
  boolean send(NodeId to, Signal signal);

  /** How long ago anything at all came from a peer over the network; -1 if nothing ever did. */
  long silentNanos(NodeId peer);

  /** This node's wall clock, in milliseconds since 1970. */
  long millis();

  /** A peer is suspected, or not any more. */
  void happened(FailureEvent event);
}
