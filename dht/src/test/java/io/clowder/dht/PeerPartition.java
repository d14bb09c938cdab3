// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A ring is cut in halves for ten minutes, in which both go on writing; then there is one ring
 * again, and the newest of everything where it is to be, within a minute.
 */
final class PeerPartition {
  private static final int LIMIT_SECONDS = 60;

  private final PeerWorld peers;
  private final KeeperWorld world;
  private final PeerLoad load;
  private final Map<NodeId, Integer> sides = new HashMap<>();

  PeerPartition(long seed) {
    Random shape = new Random(seed * 31 + 7);
    int nodes = 10 + shape.nextInt(7);
    KeeperSettings usual = KeeperSettings.USUAL;
    peers =
        new PeerWorld(
            seed,
            RingSettings.USUAL.withSuccessors(4 + shape.nextInt(5)),
            usual,
            shape.nextBoolean());
    world = peers.world;
    load = new PeerLoad(peers, 60);
    load.isParted = true;
    load.pauseNanos = 4 * KeeperWorld.SECOND;
    peers.found(nodes);
    // By chance, or everything on one half of the ring.
    boolean isArc = shape.nextBoolean();
    Founders circle = peers.circle();
    int from = shape.nextInt(nodes);
    for (int i = 0; i < nodes; i++) {
      NodeId node = isArc ? circle.get(from + i).node() : PeerWorld.node(i + 1);
      if (node != null && i < nodes / 2) {
        sides.put(node, 1);
      }
    }
  }

  Map<String, Integer> counts() {
    return load.counts();
  }

  /** Runs it; returns after how many seconds all was well. */
  int run() {
    world.run(2 * KeeperWorld.SECOND);
    load.fill();
    peers.nodes().forEach(it -> load.begin(it.computer.node()));
    world.run(20 * KeeperWorld.SECOND);
    world.part(sides);
    world.run(600 * KeeperWorld.SECOND);
    world.heal();
    load.isOver = true;
    int seconds = 0;
    for (String flaw = flaw(); flaw != null; flaw = flaw()) {
      if (seconds == LIMIT_SECONDS) {
        throw new AssertionError("after " + seconds + " s: " + flaw);
      }
      seconds++;
      world.run(KeeperWorld.SECOND);
    }
    load.checkReads();
    return seconds;
  }

  private @Nullable String flaw() {
    String flaw = peers.ringFlaw();
    if (flaw == null) {
      flaw = load.loss();
    }
    return flaw == null ? peers.copiesFlaw(false) : flaw;
  }
}
