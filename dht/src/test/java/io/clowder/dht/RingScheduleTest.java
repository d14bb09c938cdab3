// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/**
 * Schedules of joins, failures, leaves and returns: {@code -Ddht.schedules=N} runs so many instead
 * of the usual ones, from {@code -Ddht.schedule=S} on.
 */
class RingScheduleTest {
  private static final long FIRST = Long.getLong("dht.schedule", 1);
  private static final int SCHEDULES = Integer.getInteger("dht.schedules", 300);

  @Test
  void noScheduleViolatesAnInvariantAndEachEndsWithTheRingAsItShouldBe() {
    long joins = 0;
    long failures = 0;
    long leaves = 0;
    long refused = 0;
    long checks = 0;
    for (long seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
      try {
        RingSchedule schedule = new RingSchedule(seed, RingSchedule.OURS).run();
        joins += schedule.joins;
        failures += schedule.failures;
        leaves += schedule.leaves;
        refused += schedule.refused;
        checks += schedule.checks;
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("-Ddht.schedule=" + seed + " -Ddht.schedules=1", e);
      }
    }
    System.out.printf(
        "%d schedules: %d joins, %d failures, %d leaves, %d more that the assumptions forbid, "
            + "%d states checked%n",
        SCHEDULES, joins, failures, leaves, refused, checks);
    assertTrue(failures + leaves > 3L * SCHEDULES, failures + " failures");
    assertTrue(joins > 5L * SCHEDULES, joins + " joins");
  }
}
