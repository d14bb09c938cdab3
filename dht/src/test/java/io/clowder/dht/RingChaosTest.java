// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * All that the proof excludes, at once: partitions, lost messages, members that are slow to the
 * point of being taken for dead, and failures without regard to who is left. Nothing is promised
 * meanwhile but that lookups end in time; in the peace after it, the ring must become one, and what
 * it should be. {@code -Ddht.chaos=N} runs so many seeds, from {@code -Ddht.chaos.seed=S} on.
 */
class RingChaosTest {
  private static final long FIRST = Long.getLong("dht.chaos.seed", 1);
  private static final int SEEDS = Integer.getInteger("dht.chaos", 60);
  private static final int PEACE_SECONDS = 120;

  @Test
  void afterAnyChaosThereIsOneRing() {
    int most = 0;
    int lookups = 0;
    int partitions = 0;
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        Chaos chaos = new Chaos(seed);
        int seconds = chaos.run();
        most = Math.max(most, seconds);
        lookups += chaos.lookups;
        partitions += chaos.partitions;
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("-Ddht.chaos.seed=" + seed + " -Ddht.chaos=1", e);
      }
    }
    System.out.printf(
        "%d times chaos: %d partitions, %d lookups; one ring after at most %d s%n",
        SEEDS, partitions, lookups, most);
    assertTrue(partitions > SEEDS, partitions + " partitions");
  }

  private static final class Chaos {
    private final RingWorld world;
    private final int successors;
    private int nodes;

    /** Who never fails, so that there is always somebody to join by. */
    private final List<Member> seeds;

    private final Map<Long, Member> origins = new HashMap<>();
    int lookups;
    int partitions;

    Chaos(long seed) {
      successors = 2 + Math.floorMod(seed, 5);
      world = new RingWorld(seed, RingSettings.USUAL.withSuccessors(successors));
      nodes = successors + 1 + world.random.nextInt(40);
      world.found(nodes);
      seeds = world.members().stream().limit(2).map(Berth::me).toList();
    }

    int run() {
      for (int i = 0; i < 60; i++) {
        step();
        world.runFor(world.random.nextLong(4 * RingWorld.SECOND));
      }
      world.isCut = (source, target) -> false;
      world.loss = 0;
      world.delaySpread = 20 * RingWorld.MILLI;
      int seconds = world.secondsUntilIdeal(PEACE_SECONDS);
      world.runFor(world.settings.lookupNanos());
      if (world.members().size() < world.seats.size()) {
        throw new AssertionError("some have not joined");
      } else if (world.found.size() + world.failed.size() < lookups - orphans()) {
        throw new AssertionError("some lookups have not ended");
      }
      return seconds;
    }

    private long orphans() {
      return origins.values().stream().filter(it -> !world.lives(it)).count();
    }

    private void step() {
      List<Berth> members = world.members();
      switch (world.random.nextInt(8)) {
        case 0 -> {
          int victims = world.random.nextInt(4) == 0 ? members.size() / 2 : 1;
          for (int i = 0; i < victims; i++) {
            Berth victim = world.any(world.members());
            if (!seeds.contains(victim.me())) {
              world.kill(victim);
            }
          }
        }
        case 1, 2 -> {
          Member me = world.member(nodes++);
          world.join(me, seeds);
        }
        case 3 -> {
          partitions++;
          Set<NodeId> left = new HashSet<>();
          boolean isArc = world.random.nextBoolean();
          Identifier from = world.point();
          Identifier to = world.point();
          for (Berth seat : world.seats.values()) {
            boolean isLeft =
                isArc ? Identifier.between(from, seat.me().id(), to) : world.random.nextInt(3) == 0;
            if (isLeft) {
              left.add(Objects.requireNonNull(seat.me().node()));
            }
          }
          boolean isOneWay = world.random.nextInt(4) == 0;
          world.isCut =
              (source, target) ->
                  left.contains(source)
                      ? !left.contains(target)
                      : !isOneWay && left.contains(target);
        }
        case 4, 5 -> world.isCut = (source, target) -> false;
        case 6 -> world.loss = world.random.nextInt(3) * 0.15;
        default -> world.delaySpread = (1 + world.random.nextInt(400)) * RingWorld.MILLI;
      }
      for (Berth seat : members) {
        if (world.lives(seat) && world.random.nextInt(4) == 0) {
          lookups++;
          origins.put(world.lookup(seat.me(), world.point(), false), seat.me());
        }
      }
    }
  }
}
