// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import java.util.concurrent.atomic.AtomicLong;

/**
 * When a byte last came from one peer, over all connections with it. The loop's thread writes,
 * without a fence, since that happens at every read; whoever asks sees it a moment later.
 */
final class LastHeard {
  private static final long NEVER = 0;

  private final AtomicLong nanos = new AtomicLong(NEVER);

  /** A byte came at {@code nanoTime}. */
  void at(long nanoTime) {
    // Odd, so that it is not mistaken for NEVER.
    nanos.setOpaque(nanoTime | 1);
  }

  /** How long before {@code nanoTime} a byte last came; -1 if none did. */
  long silentNanos(long nanoTime) {
    long last = nanos.getOpaque();
    return last == NEVER ? -1 : Math.max(0, nanoTime - last);
  }
}
