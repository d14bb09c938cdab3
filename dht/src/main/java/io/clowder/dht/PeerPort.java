// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/** What the ring of a {@link PeerKeeper} does in the world; nothing of it waits. */
interface PeerPort {
  /** Sends a message of the ring to the node of its target; it may get lost. */
  void send(Envelope envelope);

  /**
   * The predecessor, and so the range, the successors, or what is settled are others than before.
   */
  void changed();
}
