// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Schedules of {@link PeerSimulation}: {@code -Ddht.peer.schedules=N} of them, from {@code
 * -Ddht.peer.schedule=S} on; and of {@link PeerPartition}, {@code -Ddht.peer.partitions=N}, from
 * {@code -Ddht.peer.partition=S} on.
 */
class PeerSimulationTest {
  @Test
  void nothingAcknowledgedIsLostAndEverythingIsWhereItIsToBe() {
    int schedules = Integer.getInteger("dht.peer.schedules", 40);
    long first = Long.getLong("dht.peer.schedule", 1);
    Map<String, Integer> counts = new TreeMap<>();
    for (long seed = first; seed < first + schedules; seed++) {
      PeerSimulation simulation = new PeerSimulation(seed);
      try {
        simulation.run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("-Ddht.peer.schedule=" + seed + ": " + e.getMessage(), e);
      }
      simulation.counts().forEach((what, count) -> counts.merge(what, count, Integer::sum));
    }
    System.out.println(schedules + " schedules of mode peer: " + counts);
    assertTrue(counts.getOrDefault("writes", 0) > 300 * schedules, counts.toString());
  }

  @Test
  void halvesBecomeOneWithinAMinuteAndTheNewestStays() {
    int schedules = Integer.getInteger("dht.peer.partitions", 3);
    long first = Long.getLong("dht.peer.partition", 1);
    int most = 0;
    long together = 0;
    for (long seed = first; seed < first + schedules; seed++) {
      PeerPartition partition = new PeerPartition(seed);
      try {
        int seconds = partition.run();
        most = Math.max(most, seconds);
        together += seconds;
        int writes = partition.counts().getOrDefault("writes", 0);
        assertTrue(writes > 1_000, writes + " writes");
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("-Ddht.peer.partition=" + seed + ": " + e.getMessage(), e);
      }
    }
    System.out.printf(
        "%d partitions: all well after %d s, at most %d%n",
        schedules, together / Math.max(1, schedules), most);
  }
}
