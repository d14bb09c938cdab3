// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/**
 * Random lives of a cluster, see {@link SchedulerSimulation}: {@code -Dscheduler.schedules=N} of
 * them, {@code -Dscheduler.schedule=S} is the first.
 */
class SchedulerSimulationTest {
  @Test
  void nothingIsLostAndNothingCountsTwice() {
    long first = Long.getLong("scheduler.schedule", 1);
    int count = Integer.getInteger("scheduler.schedules", 60);
    long tasks = 0;
    long attempts = 0;
    long faults = 0;
    long overlaps = 0;
    for (long seed = first; seed < first + count; seed++) {
      SchedulerSimulation life = new SchedulerSimulation(seed).run();
      tasks += life.errands().tasks();
      attempts += life.errands().attempts();
      faults += life.faults;
      overlaps += life.errands().overlaps;
    }
    System.out.printf(
        "%,d lives: %,d tasks, %,d attempts, %,d faults, %,d late writes refused%n",
        count, tasks, attempts, faults, overlaps);
    assertTrue(tasks > 0);
  }
}
