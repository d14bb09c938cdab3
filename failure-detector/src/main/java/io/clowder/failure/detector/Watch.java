// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.Detector;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** What the parts of one {@link Monitor} share. */
final class Watch {
  /** The share of the detection time that is kept for asking whom this node doubts. */
  static final int ASKING_SHARE = 6;

  final NodeId self;
  final Outlet outlet;
  final RandomGenerator random;
  final Verdicts verdicts;
  final SortedMap<NodeId, Peer> peers = new TreeMap<>();
  Detector detector;
  DetectionGoal goal;

  /** A time for which this node did not run counts if it is longer. */
  long stallNanos;

  /** The time of what is happening, in nanoseconds from 0. */
  long now;

  Watch(
      NodeId self,
      DetectionGoal goal,
      long stallNanos,
      Detector detector,
      Outlet outlet,
      RandomGenerator random,
      long now) {
    this.self = self;
    this.goal = goal;
    this.stallNanos = stallNanos;
    this.detector = detector;
    this.outlet = outlet;
    this.random = random;
    this.now = now;
    this.verdicts = new Verdicts(outlet);
  }

  /** A new life of the peer has begun. */
  void restart(Peer peer, long incarnation) {
    verdicts.restart(peer, incarnation, now);
    detector.restarted(peer.id, incarnation, now);
  }

  /** The time T_D that is wanted. */
  long goalNanos() {
    return goal.detection().toNanos();
  }

  /** How long an answer may take that a suspicion depends on. */
  long answerNanos() {
    return goalNanos() / ASKING_SHARE;
  }

  /** How long after a question that was not answered the next one is asked. */
  long againNanos() {
    return goalNanos() / 2;
  }
}
