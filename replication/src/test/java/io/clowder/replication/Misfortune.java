// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.replication.ConfigCommand.At;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** All that may go wrong, several things at a time, until {@link #end}. */
final class Misfortune {
  private static final long MILLI = ReplicaWorld.MILLI;

  private final ReplicaWorld world;
  private final SplittableRandom random;
  private final Suspecting suspecting;
  private final long pace;
  private boolean isOver;
  int faults;
  int wipes;
  int rotten;
  int swaps;
  int operations;
  int switchovers;

  Misfortune(ReplicaWorld world, Suspecting suspecting, long pace) {
    this.world = world;
    this.random = world.random.split();
    this.suspecting = suspecting;
    this.pace = pace;
    next();
    invite();
  }

  private void next() {
    world.after(
        pace / 2 + random.nextLong(pace),
        () -> {
          if (!isOver) {
            faults++;
            strike();
            next();
          }
        });
  }

  private long span(long most) {
    return (20 + random.nextLong(most)) * MILLI;
  }

  private Box any() {
    return world.boxes.get(random.nextInt(world.boxes.size()));
  }

  /** The primary, more often than not. */
  private Box victim() {
    ReplicaId primary = world.consensus.config().primary();
    return primary != null && random.nextInt(10) < 6 ? world.box(primary.node()) : any();
  }

  private void strike() {
    switch (random.nextInt(30)) {
      case 0, 1 -> kill(victim(), span(600));
      case 2 -> world.boxes.forEach(it -> kill(it, span(300)));
      case 3, 4 -> pause(victim());
      case 5 -> block(any(), any());
      case 6 -> isolate(victim(), true);
      case 7 -> isolate(victim(), false);
      case 8 -> split();
      case 9 -> wipe(victim());
      case 10 -> mistake();
      case 11, 12, 13 -> coup();
      case 14 -> starve();
      case 15 -> forget();
      case 16, 17 -> swap();
      case 18, 19 -> rot(victim());
      case 20, 21 -> fail(victim());
      case 22, 23 -> expel(any());
      case 24 -> force(any());
      case 25, 26 -> hang(victim());
      default -> switchover();
    }
  }

  private void kill(Box box, long nanos) {
    if (box.isUp) {
      box.kill();
      world.after(nanos, () -> restart(box));
    }
  }

  private static void restart(Box box) {
    if (!box.isUp) {
      box.start();
    }
  }

  /** It may be a while until it learns what happened meanwhile. */
  private void pause(Box box) {
    long nanos = span(900);
    box.pause();
    world.after(nanos, box::resume);
    if (random.nextBoolean()) {
      cutConsensus(box, nanos + span(500));
    }
  }

  private void block(Box source, Box target) {
    cut(new ReplicaWorld.Way(source.node, target.node), span(1000));
  }

  private void cut(ReplicaWorld.Way way, long nanos) {
    if (world.blocked.add(way)) {
      world.after(nanos, () -> world.blocked.remove(way));
    }
  }

  private void cutConsensus(Box box, long nanos) {
    box.isCutFromConsensus = true;
    world.after(nanos, () -> box.isCutFromConsensus = false);
  }

  /** Cuts one node from consensus, and from the others or not. */
  private void isolate(Box box, boolean isFromOthers) {
    long nanos = span(1000);
    cutConsensus(box, nanos);
    for (Box other : world.boxes) {
      if (isFromOthers && other != box) {
        cut(new ReplicaWorld.Way(box.node, other.node), nanos);
        cut(new ReplicaWorld.Way(other.node, box.node), nanos);
      }
    }
  }

  /** The primary and some others are cut from consensus and the rest. */
  private void split() {
    long nanos = span(1200);
    List<Box> side = new ArrayList<>(List.of(victim()));
    world.boxes.stream().filter(it -> random.nextInt(3) == 0).forEach(side::add);
    for (Box one : side) {
      cutConsensus(one, nanos);
      for (Box other : world.boxes) {
        if (!side.contains(other)) {
          cut(new ReplicaWorld.Way(one.node, other.node), nanos);
          cut(new ReplicaWorld.Way(other.node, one.node), nanos);
        }
      }
    }
  }

  private void wipe(Box box) {
    if (isExpendable(box)) {
      wipes++;
      box.wipe();
      world.after(span(500), () -> restart(box));
    }
  }

  /** As often as not, it is read soon. */
  private void rot(Box box) {
    if (isExpendable(box) && box.rot()) {
      rotten++;
      if (random.nextBoolean()) {
        world.after(span(300), () -> kill(box, span(200)));
      }
    }
  }

  /**
   * A disk may be lost, if fewer than {@code min.insync} are missing then: what was acknowledged is
   * on so many at least. While only one copy that has all is left, it is not lost either. Damage
   * that nobody has noticed yet counts, also where there is no copy of the store at present.
   */
  private boolean isExpendable(Box box) {
    StoreConfig config = world.consensus.config();
    long missing =
        world.boxes.stream().filter(it -> it == box || !it.isIntact(config.of(it.node))).count();
    return isCopied(box) && missing < config.minInsync();
  }

  /** Whether another copy has all that was acknowledged. */
  private boolean isCopied(Box box) {
    StoreConfig config = world.consensus.config();
    return world.boxes.stream()
        .filter(it -> it != box && config.isElectable(it.id()))
        .anyMatch(it -> it.isIntact(it.id()));
  }

  private void hang(Box box) {
    box.hang(world.timing.lag() + span(800));
  }

  // ---- operators and consensus -----------------------------------------------------------------

  private void swap() {
    swaps++;
    world.consensus.swap(span(280));
  }

  private At at() {
    return At.of(world.consensus.config());
  }

  private void fail(Box box) {
    operations++;
    world.consensus.operate(new ConfigCommand.Fail(at(), box.node), () -> isCopied(box));
  }

  private void expel(Box box) {
    operations++;
    world.consensus.operate(new ConfigCommand.Expel(at(), box.node), () -> isCopied(box));
  }

  /** Of a copy that has all, nothing is lost. */
  private void force(Box box) {
    operations++;
    ReplicaId id = box.id();
    world.consensus.operate(
        new ConfigCommand.Force(at(), id, box.life()),
        () -> world.consensus.config().isElectable(id) && box.isIntact(id));
  }

  /** Whoever was taken away may come back some time later. */
  private void invite() {
    for (NodeId node : world.consensus.config().removed()) {
      world.consensus.operate(new ConfigCommand.Invite(at(), node), () -> true);
    }
    world.after(span(800), this::invite);
  }

  /**
   * Some agree at once that the primary and the rest are gone, while those go on and do not learn
   * of it; the new side may just have restarted, and the primary may stand still for a while.
   */
  private void coup() {
    Box primary = victim();
    long nanos = span(800);
    List<Box> old = new ArrayList<>(List.of(primary));
    world.boxes.stream().filter(it -> it != primary && random.nextInt(4) == 0).forEach(old::add);
    boolean isCut = random.nextBoolean();
    if (random.nextInt(3) == 0) {
      primary.pause();
      world.after(span(600), primary::resume);
    }
    world.after(random.nextLong(5 * MILLI), () -> divide(old, nanos, isCut));
  }

  private void divide(List<Box> old, long nanos, boolean isCut) {
    old.forEach(it -> cutConsensus(it, nanos));
    for (Box other : world.boxes) {
      if (old.contains(other)) {
        continue;
      }
      if (random.nextInt(4) == 0) {
        kill(other, random.nextLong(5 * MILLI));
      }
      for (Box one : old) {
        suspecting.mistake(other.node, one.node, nanos);
        if (isCut) {
          cut(new ReplicaWorld.Way(one.node, other.node), nanos);
          cut(new ReplicaWorld.Way(other.node, one.node), nanos);
        }
      }
    }
  }

  /** The primary hears nobody, and removes everybody; then it is cut off altogether. */
  private void starve() {
    Box primary = victim();
    for (Box other : world.boxes) {
      cut(new ReplicaWorld.Way(other.node, primary.node), span(500) + 1200 * MILLI);
    }
    world.after(
        span(700),
        () -> {
          cutConsensus(primary, span(800) + 300 * MILLI);
          for (Box other : world.boxes) {
            cut(new ReplicaWorld.Way(primary.node, other.node), span(800));
          }
        });
  }

  /** A node restarts at once, and is cut off a little later. */
  private void forget() {
    Box box = any();
    kill(box, MILLI);
    world.after(span(200), () -> isolate(box, true));
  }

  private void mistake() {
    Box target = victim();
    for (Box observer : world.boxes) {
      if (random.nextBoolean()) {
        suspecting.mistake(observer.node, target.node, span(500));
      }
    }
  }

  /** The former primary may be the last to hear that it is done. */
  private void switchover() {
    List<ReplicaId> insync = List.copyOf(world.consensus.config().insync());
    ReplicaId to = insync.isEmpty() ? any().id() : insync.get(random.nextInt(insync.size()));
    long drained = world.timing.granted() + random.nextLong(20 * MILLI);
    boolean isCut = random.nextInt(3) != 0;
    for (Box box : world.boxes) {
      box.happen(
          it -> {
            if (it.isPrimary() && it.handOver(to, box.time())) {
              switchovers++;
              if (isCut) {
                world.after(drained, () -> isolate(box, true));
              }
            }
          });
    }
  }

  /** All is well from now on. */
  void end() {
    isOver = true;
    world.loss = 0;
    world.blocked.clear();
    // A damaged snapshot is in the way of whoever needs one until there is another.
    world.snapshotEvery = Math.min(world.snapshotEvery, 20);
    for (Box box : world.boxes) {
      box.isCutFromConsensus = false;
      box.resume();
      restart(box);
    }
  }
}
