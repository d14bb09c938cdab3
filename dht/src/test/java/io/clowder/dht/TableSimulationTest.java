// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Schedules of {@link TableSimulation}. {@code -Ddht.table.schedules=N} of them, from {@code
 * -Ddht.table.schedule=S} on.
 */
class TableSimulationTest {
  @Test
  void nothingAcknowledgedIsLostAndNoReadIsStale() {
    int schedules = Integer.getInteger("dht.table.schedules", 60);
    long first = Long.getLong("dht.table.schedule", 1);
    Map<String, Integer> counts = new TreeMap<>();
    for (long seed = first; seed < first + schedules; seed++) {
      TableSimulation simulation = new TableSimulation(seed);
      try {
        simulation.run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("-Ddht.table.schedule=" + seed + ": " + e.getMessage(), e);
      }
      simulation.counts().forEach((what, count) -> counts.merge(what, count, Integer::sum));
    }
    System.out.println(schedules + " schedules of mode consistent: " + counts);
    assertTrue(counts.getOrDefault("DONE", 0) > 100 * schedules, counts.toString());
  }
}
