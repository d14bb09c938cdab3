// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.dht.KeeperWorld.Computer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One schedule of a ring in mode {@code peer}: nodes are killed, with and without their disks,
 * leave, join and come back in new lives, also in the midst of handing over, while clients read and
 * write; at the end there is one ring, nothing that was acknowledged is lost, and every value is on
 * the nodes on which it is to be and on no other.
 *
 * <p>Between two repairs, which are seen from outside, at most one node less than there are copies
 * is killed, and at most one less than a write waits for loses what it has.
 */
final class PeerSimulation {
  private static final int NODES_MAX = 14;
  private static final long CALM = 75 * KeeperWorld.SECOND;

  private final PeerWorld peers;
  private final KeeperWorld world;
  private final Random random;
  private final PeerLoad load;
  private final boolean isLossy;

  /**
   * Whether a kill counts as a loss even if the disk remains: then one that has a value is always
   * there, and no read may be stale.
   */
  private final boolean isStrict;

  /** Who was killed since the ring was as it should be. */
  private final Set<NodeId> killed = new HashSet<>();

  private final Set<NodeId> leaving = new HashSet<>();

  PeerSimulation(long seed) {
    Random shape = new Random(seed * 31 + 7);
    int nodes = 6 + shape.nextInt(7);
    int successors = 4 + shape.nextInt(Math.min(5, nodes - 4));
    isLossy = shape.nextInt(4) == 0;
    isStrict = !isLossy && shape.nextInt(3) > 0;
    KeeperSettings settings =
        new KeeperSettings(
            PeerWorld.REPLICAS,
            2,
            KeeperWorld.SECOND,
            200 * KeeperWorld.MILLI,
            1_000,
            1 << 20,
            shape.nextBoolean() ? 5_000 : 1 << 20,
            30 * 60_000,
            6 * KeeperWorld.SECOND);
    peers =
        new PeerWorld(
            seed, RingSettings.USUAL.withSuccessors(successors), settings, shape.nextInt(3) > 0);
    world = peers.world;
    random = world.random;
    load = new PeerLoad(peers, 30 + shape.nextInt(150));
    load.isStrict = isStrict;
    load.written = this::written;
    peers.lossPerMille = shape.nextBoolean() ? 0 : shape.nextInt(400);
    peers.found(nodes);
  }

  /** What happened, for people. */
  Map<String, Integer> counts() {
    return load.counts();
  }

  void run() {
    world.run(2 * KeeperWorld.SECOND);
    load.fill();
    look();
    for (PeerWorld.Node node : peers.nodes()) {
      load.begin(node.computer.node());
    }
    world.run(2 * KeeperWorld.SECOND);
    int misfortunes = 10 + random.nextInt(20);
    for (int i = 0; i < misfortunes; i++) {
      world.run(random.nextLong(4 * KeeperWorld.SECOND));
      misfortune();
    }
    world.heal();
    peers.lossPerMille = 0;
    world.run(10 * KeeperWorld.SECOND);
    load.isOver = true;
    world.computers().values().stream().filter(it -> !it.isUp()).forEach(Computer::start);
    calm();
    load.checkReads();
  }

  /** Waits until all is as it should be, and complains if that takes too long. */
  private void calm() {
    long begun = world.now();
    String flaw = flaw();
    while (flaw != null && world.now() - begun < CALM) {
      world.run(KeeperWorld.SECOND);
      flaw = flaw();
    }
    if (flaw != null) {
      throw new AssertionError("after " + CALM / KeeperWorld.SECOND + " s of calm: " + flaw);
    }
    int seconds = (int) ((world.now() - begun) / KeeperWorld.SECOND);
    load.counts().merge("calm after s, together", seconds, Integer::sum);
    load.counts().merge("stray" + (seconds / 10) + "0 s", 1, Integer::sum);
  }

  private @Nullable String flaw() {
    String flaw = peers.ringFlaw();
    if (flaw == null) {
      flaw = load.loss();
    }
    return flaw == null ? peers.copiesFlaw(true) : flaw;
  }

  // ---- misfortunes ---------------------------------------------------------------------------

  private void misfortune() {
    List<Computer> all = List.copyOf(world.computers().values());
    Computer one = all.get(random.nextInt(all.size()));
    int what = random.nextInt(10);
    if (what < 4) {
      kill(one);
    } else if (what < 6) {
      leave(one);
    } else if (what < 9) {
      join(one);
    } else if (isLossy) {
      world.lose(random.nextInt(40));
      load.count("lossy", 1);
    }
  }

  /** Somebody new, or who was away. */
  private void join(Computer one) {
    Computer joiner = one;
    if (one.isUp() && world.computers().size() < NODES_MAX) {
      joiner = peers.add(PeerWorld.node(world.computers().size() + 1));
      load.begin(joiner.node());
    }
    if (!joiner.isUp()) {
      joiner.start();
      load.count("joins", 1);
      killSomebodyNear(joiner.node());
    }
  }

  private void leave(Computer one) {
    if (!(one.machine() instanceof PeerWorld.Node node)
        || peers.members().size() - leaving.size() <= PeerWorld.REPLICAS + 1
        || !leaving.add(one.node())) {
      return;
    }
    long deadline = world.now() + 30 * KeeperWorld.SECOND;
    one.onIt(
        0,
        () ->
            node.keeper.leave(
                deadline,
                problem -> {
                  leaving.remove(one.node());
                  load.count(problem == null ? "leaves" : "leaves in vain", 1);
                  if (problem == null) {
                    world.at(0, () -> left(one, node));
                  }
                },
                world.now()));
    killSomebodyNear(one.node());
  }

  private void left(Computer one, PeerWorld.Node node) {
    if (one.machine() != node) {
      return;
    } else if (random.nextBoolean()) {
      one.kill();
    } else {
      one.wipe();
    }
    if (random.nextBoolean()) {
      comeBack(one);
    }
    if (random.nextBoolean()) {
      killNear(one.node());
    }
  }

  private void comeBack(Computer one) {
    world.at(
        random.nextLong((random.nextInt(3) == 0 ? 40 : 8) * KeeperWorld.SECOND),
        () -> {
          if (!one.isUp()) {
            one.start();
          }
        });
  }

  /** While it takes over from its neighbours, or they from it. */
  private void killSomebodyNear(NodeId node) {
    if (random.nextBoolean()) {
      return;
    }
    world.at(random.nextLong(2 * KeeperWorld.SECOND), () -> killNear(node));
  }

  private void kill(Computer one) {
    boolean isLoss = !peers.hasDisk || random.nextInt(3) == 0;
    if (!one.isUp() || !mayKill(one.node(), isLoss)) {
      return;
    } else if (isLoss) {
      one.wipe();
      load.count("kills with the disk", 1);
    } else {
      one.kill();
      load.count("kills", 1);
    }
    leaving.remove(one.node());
    peers.disconnect(one.node());
    comeBack(one);
  }

  /** Now and then, one of those that keep what was just written is gone at once. */
  private void written(String key) {
    if (!load.isOver && random.nextInt(100) == 0) {
      List<PeerWorld.Node> keepers = peers.keepers(PeerLoad.id(key));
      Computer victim = keepers.get(random.nextInt(5) > 0 ? 0 : 1).computer;
      world.at(random.nextLong(5 * KeeperWorld.MILLI), () -> kill(victim));
    }
  }

  /** One of those who had what the leaver had, too. */
  private void killNear(NodeId node) {
    Founders circle = peers.circle();
    int place = circle.placeFrom(PeerWorld.id(node)) - 2 + random.nextInt(5);
    NodeId victim = circle.get(place).node();
    if (victim != null) {
      kill(world.computer(victim));
    }
  }

  private boolean mayKill(NodeId node, boolean isLoss) {
    if (peers.ringFlaw() == null) {
      killed.clear();
    }
    int count = killed.size() + (killed.contains(node) ? 0 : 1);
    if (count >= PeerWorld.REPLICAS
        || ((isLoss || isStrict) && !load.isSound())
        || peers.members().size() <= PeerWorld.REPLICAS + 1) {
      return false;
    }
    killed.add(node);
    if (isLoss || isStrict) {
      load.lost();
    }
    return true;
  }

  /** Sees from outside what is repaired. */
  private void look() {
    if (!load.isOver) {
      load.look();
      world.at(KeeperWorld.SECOND / 2, this::look);
    }
  }
}
