// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How long nothing is decided after the leader died, in virtual time and with the default patience.
 * More trials: {@code -Draft.failovers=5000}.
 */
class FailoverTest {
  private static final CoreSetting.Timing TIMING = new CoreSetting.Timing(50_000, 400_000);

  /** How the leader dies. */
  enum Death {
    /** While nothing happens. */
    IDLE,
    /** Amid writes: the survivors' logs often differ. */
    LOADED,
    /** One survivor has heard it longer than another. */
    UNEVEN
  }

  @ParameterizedTest
  @CsvSource({"3, IDLE", "3, LOADED", "3, UNEVEN", "5, IDLE", "5, LOADED", "5, UNEVEN"})
  void aLeaderIsSoonReplaced(int size, Death death) {
    long[] gaps = new long[Integer.getInteger("raft.failovers", 100)];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = gap(new ToyWorld(i + 1, size, TIMING), death);
    }
    Arrays.sort(gaps);
    System.out.printf(
        "%d nodes, %s: ms from the leader's death to the next decision:"
            + " min %d, 10 %% %d, median %d, mean %.0f, 90 %% %d, 99 %% %d, max %d%n",
        size,
        death,
        gaps[0] / 1000,
        gaps[gaps.length / 10] / 1000,
        gaps[gaps.length / 2] / 1000,
        Arrays.stream(gaps).average().orElse(0) / 1000,
        gaps[gaps.length * 9 / 10] / 1000,
        gaps[gaps.length * 99 / 100] / 1000,
        gaps[gaps.length - 1] / 1000);
    assertTrue(gaps[gaps.length / 2] < 2 * TIMING.electionNanos(), "the first try seldom succeeds");
  }

  private static long gap(ToyWorld world, Death death) {
    world.members.forEach(id -> world.node(id).start());
    world.runUntil(10 * TIMING.electionNanos());
    if (death == Death.LOADED) {
      propose(world);
    }
    world.runUntil(world.now + 500_000 + world.random.nextLong(100_000));
    ToyNode dead = world.leader();
    if (death == Death.UNEVEN) {
      for (NodeId id : world.members.subList(0, world.members.size() / 2)) {
        world.cut(dead.id, id);
      }
      world.runUntil(world.now + world.random.nextLong(TIMING.electionNanos()));
    }
    dead.crash();
    long died = world.now;
    // What is on its way may still be decided; a new leader decides an entry of its own.
    while (!isServed(world)) {
      world.runUntil(world.now + 500);
      if (world.now - died > 60_000_000) {
        throw new AssertionError("no leader for a minute");
      }
    }
    return world.now - died;
  }

  private static void propose(ToyWorld world) {
    for (NodeId id : world.members) {
      if (world.node(id).leads()) {
        world.node(id).step(new Event.Propose(0, List.of(world.command())));
      }
    }
    world.after(world.random.nextLong(600), () -> propose(world));
  }

  private static boolean isServed(ToyWorld world) {
    for (NodeId id : world.members) {
      ToyNode node = world.node(id);
      if (node.leads()) {
        Replica replica = node.replica();
        return replica.log.term(replica.commit()) == replica.term();
      }
    }
    return false;
  }
}
