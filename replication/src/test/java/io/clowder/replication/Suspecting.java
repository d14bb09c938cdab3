// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import java.util.HashMap;
import java.util.Map;

/** A crude failure detector on every node, which is late, and wrong at times. */
final class Suspecting {
  private static final long ROUND = 10 * ReplicaWorld.MILLI;

  private final ReplicaWorld world;
  private final long patienceMillis;

  /** Until when a node is silent for another to notice, or taken for silent by mistake. */
  private final Map<ReplicaWorld.Way, Long> silentSince = new HashMap<>();

  private final Map<ReplicaWorld.Way, Long> mistakenUntil = new HashMap<>();
  private final Map<ReplicaWorld.Way, Long> patience = new HashMap<>();

  Suspecting(ReplicaWorld world, long patienceMillis) {
    this.world = world;
    this.patienceMillis = patienceMillis;
    round();
  }

  /** One node suspects another for a while, for no reason. */
  void mistake(NodeId observer, NodeId target, long nanos) {
    mistakenUntil.put(new ReplicaWorld.Way(observer, target), world.now() + nanos);
  }

  private void round() {
    for (Box observer : world.boxes) {
      for (Box target : world.boxes) {
        if (observer != target && observer.isUp && !observer.isPaused) {
          judge(observer, target);
        }
      }
    }
    world.after(ROUND, this::round);
  }

  private void judge(Box observer, Box target) {
    ReplicaWorld.Way way = new ReplicaWorld.Way(observer.node, target.node);
    boolean isSilent =
        !target.isUp || target.isPaused || world.isBlocked(target.node, observer.node);
    if (isSilent) {
      silentSince.putIfAbsent(way, world.now());
      patience.computeIfAbsent(
          way,
          it -> (patienceMillis / 4 + world.random.nextLong(patienceMillis)) * ReplicaWorld.MILLI);
    } else {
      silentSince.remove(way);
      patience.remove(way);
    }
    boolean isMistaken = mistakenUntil.getOrDefault(way, 0L) > world.now();
    boolean isSuspect =
        isMistaken || (isSilent && world.now() - silentSince.get(way) > patience.get(way));
    observer.suspect(target.node, isSuspect);
  }
}
