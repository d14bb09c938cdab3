// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.consensus.paxos.PaxosProtocol;
import io.clowder.consensus.raft.RaftProtocol;
import io.clowder.simulator.ClusterSimulation;
import io.clowder.simulator.World;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * {@link TaskTenant} in clusters with everything that is ours but the sockets and the disks, where
 * Raft and Multi-Paxos are exchanged for each other under faults: {@code -Dscheduler.clusters=N} of
 * them, {@code -Dscheduler.cluster=S} is the first.
 */
class SwappedClusterTest {
  /** What all came to. */
  private record Sum(long tasks, long attempts, long swaps, long elections, long late) {
    Sum plus(Sum other) {
      return new Sum(
          tasks + other.tasks,
          attempts + other.attempts,
          swaps + other.swaps,
          elections + other.elections,
          late + other.late);
    }
  }

  @Test
  void nothingIsLostAndNothingCountsTwice() {
    long first = Long.getLong("scheduler.cluster", 1);
    int count = Integer.getInteger("scheduler.clusters", 60);
    Sum all =
        LongStream.range(first, first + count)
            .parallel()
            .mapToObj(SwappedClusterTest::run)
            .reduce(new Sum(0, 0, 0, 0, 0), Sum::plus);
    System.out.printf(
        "%,d clusters: %,d tasks, %,d attempts, %,d swaps, %,d elections, %,d late writes refused%n",
        count, all.tasks, all.attempts, all.swaps, all.elections, all.late);
    // In some clusters nobody asks for a swap.
    assertTrue(all.tasks > 0 && (all.swaps > 0 || count < 10), all.toString());
  }

  static Sum run(long seed) {
    SortedMap<String, ConsensusProtocol> protocols =
        new TreeMap<>(Map.of("raft", new RaftProtocol(), "paxos", new PaxosProtocol()));
    AtomicReference<TaskTenant> made = new AtomicReference<>();
    Function<World, TaskTenant> tenant =
        world -> made.updateAndGet(none -> new TaskTenant(seed, world));
    try {
      ClusterSimulation.Report report = new ClusterSimulation(seed, protocols, tenant).run();
      Errands errands = made.get().errands();
      return new Sum(
          errands.tasks(),
          errands.attempts(),
          report.swaps().values().stream().mapToInt(Integer::intValue).sum(),
          report.elections(),
          errands.overlaps);
    } catch (AssertionError e) {
      throw new AssertionError("-Dscheduler.cluster=" + seed + ": " + e.getMessage(), e);
    }
  }
}
