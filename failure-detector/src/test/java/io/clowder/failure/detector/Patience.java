// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedSet;

/** The plainest detector: bears silence for so long. */
class Patience implements Detector {
  private static final long FAR = Long.MAX_VALUE / 4;

  private final long intervalNanos;
  private final long bearsNanos;
  private final Map<NodeId, Long> heard = new HashMap<>();

  Patience(long intervalNanos, long bearsNanos) {
    this.intervalNanos = intervalNanos;
    this.bearsNanos = bearsNanos;
  }

  @Override
  public void peers(SortedSet<NodeId> peers, long nanos) {
    heard.keySet().retainAll(peers);
  }

  @Override
  public void heartbeat(NodeId peer, long sequence, long interval, long nanos) {
    sign(peer, nanos);
  }

  @Override
  public void sign(NodeId peer, long nanos) {
    heard.merge(peer, nanos, Math::max);
  }

  @Override
  public void restarted(NodeId peer, long incarnation, long nanos) {
    heard.remove(peer);
  }

  @Override
  public long intervalNanos(NodeId peer) {
    return intervalNanos;
  }

  @Override
  public long doubtAt(NodeId peer) {
    Long last = heard.get(peer);
    return last == null ? FAR : last + bearsNanos;
  }

  @Override
  public double level(NodeId peer, long nanos) {
    return doubtAt(peer) <= nanos ? Double.POSITIVE_INFINITY : 0;
  }
}
