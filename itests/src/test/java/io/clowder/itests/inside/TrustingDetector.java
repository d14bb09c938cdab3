// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import java.util.SortedSet;

/** Doubts nobody, whatever it hears or does not. */
final class TrustingDetector implements Detector {
  private static final long INTERVAL_NANOS = 250_000_000;

  @Override
  public void peers(SortedSet<NodeId> peers, long nanos) {}

  @Override
  public void heartbeat(NodeId peer, long sequence, long intervalNanos, long nanos) {}

  @Override
  public void sign(NodeId peer, long nanos) {}

  @Override
  public void restarted(NodeId peer, long incarnation, long nanos) {}

  @Override
  public long intervalNanos(NodeId peer) {
    return INTERVAL_NANOS;
  }

  @Override
  public long doubtAt(NodeId peer) {
    return Long.MAX_VALUE;
  }

  @Override
  public double level(NodeId peer, long nanos) {
    return 0;
  }
}
