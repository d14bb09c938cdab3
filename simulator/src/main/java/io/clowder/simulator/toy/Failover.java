// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.toy;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;

/**
 * How long nothing is decided after the leader died, in virtual time and a world without other
 * faults.
 *
 * @param specimen the protocol
 * @param timing how patient its members are
 * @param trials how often a leader dies
 */
public record Failover(Specimen<?> specimen, CoreSetting.Timing timing, int trials) {
  /** How the leader dies. */
  public enum Death {
    /** While nothing happens. */
    IDLE,
    /** Amid writes: the survivors' logs often differ. */
    LOADED,
    /** One survivor has heard it longer than another. */
    UNEVEN
  }

  /** The median of the times from a leader's death to the next decision; prints more of them. */
  public long median(int size, Death death, PrintStream out) {
    long[] gaps = new long[trials];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = gap(new ToyWorld<>(specimen, i + 1, size, timing), death);
    }
    Arrays.sort(gaps);
    out.printf(
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
    return gaps[gaps.length / 2];
  }

  private long gap(ToyWorld<?> world, Death death) {
    world.members.forEach(id -> world.node(id).start());
    world.runUntil(10 * timing.electionNanos());
    if (death == Death.LOADED) {
      proposeOften(world);
    }
    world.runUntil(world.now + 500_000 + world.random.nextLong(100_000));
    ToyNode<?> dead = world.leader();
    if (death == Death.UNEVEN) {
      for (NodeId id : world.members.subList(0, world.members.size() / 2)) {
        world.cut(dead.id, id);
      }
      world.runUntil(world.now + world.random.nextLong(timing.electionNanos()));
    }
    dead.crash();
    long died = world.now;
    // What is on its way may still be decided: only what a new leader was given shows that it
    // leads.
    byte[] probe = world.command();
    ToyNode<?> asked = null;
    while (!world.isDecided(probe)) {
      for (NodeId id : world.members) {
        ToyNode<?> node = world.node(id);
        if (node != asked && node.leads()) {
          asked = node;
          node.step(new Event.Propose(0, List.of(probe)));
        }
      }
      world.runUntil(world.now + 500);
      if (world.now - died > 60_000_000) {
        throw new AssertionError("no leader for a minute");
      }
    }
    return world.now - died;
  }

  private static void proposeOften(ToyWorld<?> world) {
    for (NodeId id : world.members) {
      if (world.node(id).leads()) {
        world.node(id).step(new Event.Propose(0, List.of(world.command())));
      }
    }
    world.after(world.random.nextLong(600), () -> proposeOften(world));
  }
}
