// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

/** What a {@link RingNode} does in the world; nothing of it waits. */
interface Outlet {
  /** Sends a message to the node of its target; it may get lost. */
  void send(Envelope envelope);

  /** A lookup was answered. */
  void found(long ticket, Located answer);

  /** A lookup was not answered; it has no effect but this. */
  void failed(long ticket, Failure failure);

  /** The predecessor, and so the range, or the successors are others than before. */
  void changed();
}
