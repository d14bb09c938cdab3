// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/**
 * Histories with kills, power losses, pauses, partitions, disks that are lost or damaged, clocks
 * that run wrong, a consensus that is exchanged, operators, and switchovers: {@code
 * -Dreplication.seeds=N} runs so many instead of the usual ones, from {@code -Dreplication.seed=S}
 * on.
 */
class ReplicaSimulationTest {
  private static final long FIRST = Long.getLong("replication.seed", 1);
  private static final int SEEDS = Integer.getInteger("replication.seeds", 200);

  /** Where what a copy had acknowledged was taken for void when it was started once more. */
  @Test
  void whatOnceFailedDoesNotAnyMore() {
    assertTrue(new ReplicaSimulation(53_586).run().operations() > 0);
  }

  @Test
  void nothingAcknowledgedIsLostAndNothingReadIsOld() {
    long operations = 0;
    long faults = 0;
    long wipes = 0;
    long rotten = 0;
    long givenUp = 0;
    long refused = 0;
    long fetched = 0;
    long swaps = 0;
    long operators = 0;
    long glances = 0;
    long switchovers = 0;
    long epochs = 0;
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        ReplicaSimulation simulation = new ReplicaSimulation(seed).run();
        operations += simulation.operations();
        faults += simulation.misfortune.faults;
        wipes += simulation.misfortune.wipes;
        rotten += simulation.misfortune.rotten;
        givenUp += simulation.world.givenUp;
        refused += simulation.world.refused;
        fetched += simulation.world.fetched;
        swaps += simulation.misfortune.swaps;
        operators += simulation.misfortune.operations;
        glances += simulation.clients.stream().mapToLong(it -> it.glances).sum();
        switchovers += simulation.misfortune.switchovers;
        epochs += simulation.world.consensus.config().epoch();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("-Dreplication.seed=" + seed + " -Dreplication.seeds=1", e);
      }
    }
    System.out.printf(
        "%d histories: %d operations, %d reads that may be old, %d faults, %d disks lost, %d bits "
            + "flipped (%d copies given up, %d of %d snapshots refused), %d swaps, %d commands of "
            + "operators, %d switchovers, %d epochs%n",
        SEEDS,
        operations,
        glances,
        faults,
        wipes,
        rotten,
        givenUp,
        refused,
        fetched + refused,
        swaps,
        operators,
        switchovers,
        epochs);
    assertTrue(operations > 200L * SEEDS, operations + " operations");
  }
}
