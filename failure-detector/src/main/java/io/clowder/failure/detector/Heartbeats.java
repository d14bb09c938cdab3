// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.Detector;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A detector that listens: one {@link Estimator} for each peer. Whatever that one says, no silence
 * is borne for longer than the goal allows, see {@link Budget}: from the first sign of life on, for
 * a peer may fail before it has sent any heartbeat.
 */
final class Heartbeats implements Detector {
  private final Budget budget;
  private final Supplier<Estimator> estimators;
  private final SortedMap<NodeId, Peer> peers = new TreeMap<>();

  Heartbeats(DetectionGoal goal, Supplier<Estimator> estimators) {
    budget = Budget.of(goal);
    this.estimators = estimators;
  }

  /** What is kept about a peer. */
  private static final class Peer {
    private final Estimator estimator;
    private boolean isHeard;
    private long sequence;
    private long heard;

    Peer(Estimator estimator) {
      this.estimator = estimator;
    }

    private void heard(long nanos) {
      isHeard = true;
      heard = nanos;
    }
  }

  @Override
  public void peers(SortedSet<NodeId> nodes, long nanos) {
    peers.keySet().retainAll(nodes);
    for (NodeId node : nodes) {
      peers.computeIfAbsent(node, added -> new Peer(estimators.get()));
    }
  }

  @Override
  public void heartbeat(NodeId node, long sequence, long intervalNanos, long nanos) {
    Peer peer = peers.get(node);
    if (peer == null) {
      return;
    }
    peer.heard(nanos);
    if (sequence > peer.sequence) {
      peer.sequence = sequence;
      peer.estimator.heartbeat(sequence, intervalNanos, nanos);
    } else {
      peer.estimator.sign(nanos);
    }
  }

  @Override
  public void sign(NodeId node, long nanos) {
    Peer peer = peers.get(node);
    if (peer != null) {
      peer.heard(nanos);
      peer.estimator.sign(nanos);
    }
  }

  @Override
  public void restarted(NodeId node, long incarnation, long nanos) {
    Peer peer = peers.computeIfPresent(node, (id, before) -> new Peer(estimators.get()));
    if (peer != null) {
      peer.heard(nanos);
    }
  }

  @Override
  public long intervalNanos(NodeId node) {
    Peer peer = peers.get(node);
    return peer == null ? 0 : peer.estimator.intervalNanos(budget.intervalNanos());
  }

  @Override
  public long doubtAt(NodeId node) {
    Peer peer = peers.get(node);
    return peer == null || !peer.isHeard
        ? Long.MAX_VALUE
        : Math.min(peer.estimator.doubtAt(), peer.heard + budget.silenceNanos());
  }

  @Override
  public double level(NodeId node, long nanos) {
    Peer peer = peers.get(node);
    return peer == null ? 0 : Math.max(0, peer.estimator.level(nanos));
  }
}
