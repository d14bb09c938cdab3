// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import org.jspecify.annotations.Nullable;

/** What one node knows of another; {@link SwimTable} changes it. */
final class SwimPeer {
  final NodeId id;

  /** When it became a peer; what others say of it in its first moments is not believed. */
  long sinceNanos;

  SwimIncarnation incarnation = SwimIncarnation.UNKNOWN;

  /** Null unless it is suspected. */
  @Nullable SwimSuspicion suspicion;

  /** Whether it was declared failed. */
  boolean isDead;

  /** Whether it was heard of first hand, or a probe of it came to an end. */
  boolean isKnown;

  /** Whether it gave an answer without gossip: it runs another algorithm, and cannot refute. */
  boolean isMute;

  /** Whether it has sent gossip in this life. */
  boolean hasSpoken;

  /** It gave a sign of life after rumours about this incarnation: they are not believed again, */
  SwimIncarnation outlived = SwimIncarnation.UNKNOWN;

  /** for as long as they may still go round. */
  long outlivedUntil = Long.MIN_VALUE;

  /** What others say of it and this node does not believe; it is to hear it with the next probe. */
  @Nullable SwimClaim rumour;

  SwimPeer(NodeId id, long nanos) {
    this.id = id;
    this.sinceNanos = nanos;
  }

  boolean isAlive() {
    return suspicion == null && !isDead;
  }

  @Override
  public String toString() {
    return id + (isDead ? " dead" : suspicion == null ? " alive" : " suspected");
  }
}
