// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static io.clowder.failure.detector.Near.assertNear;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class ScheduleTest {
  private static final long MS = 1_000_000;

  private final Schedule schedule = new Schedule();

  private void beats(int from, int to, long shift) {
    RandomGenerator random = WeekTrace.random(from);
    for (int i = from; i <= to; i++) {
      if (i % 10 != 0) {
        long jitter = (long) (MS * random.nextDouble());
        schedule.heartbeat(i, 100 * MS, 100 * MS * i + jitter + shift);
      }
    }
  }

  @Test
  void isInTheMiddleOfTheJitterWhateverIsLost() {
    beats(1, 10_001, 0);
    assertNear(100 * MS * 10_002 + MS / 2, schedule.next(), MS / 3);
  }

  @Test
  void aStallHardlyBendsIt() {
    beats(1, 1_001, 0);
    for (int i = 1_002; i <= 1_060; i++) {
      schedule.heartbeat(i, 100 * MS, 100 * MS * 1_060);
    }
    beats(1_061, 1_101, 0);
    assertNear(100 * MS * 1_102, schedule.next(), 5 * MS);
  }

  @Test
  void aSenderThatPausedHasANewOne() {
    beats(1, 1_001, 0);
    beats(1_002, 1_021, 10_000 * MS);
    assertNear(100 * MS * 1_022 + 10_000 * MS, schedule.next(), 2 * MS);
  }

  @Test
  void followsAClockThatRunsFast() {
    long now = 0;
    for (int i = 1; i <= 5_000; i++) {
      now += 99 * MS;
      schedule.heartbeat(i, 100 * MS, now);
    }
    assertTrue(Math.abs(schedule.next() - now - 99 * MS) < 20 * MS);
  }
}
