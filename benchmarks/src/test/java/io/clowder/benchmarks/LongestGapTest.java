// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class LongestGapTest {
  @Test
  void isBetweenTwoCompletions() {
    LongestGap gap = gap(1_000, 1_010, 1_090, 1_095);
    assertEquals(80, gap.until(1_100));
  }

  @Test
  void isBeforeTheFirstCompletion() {
    assertEquals(40, gap(1_000, 1_040, 1_050).until(1_060));
  }

  @Test
  void isAfterTheLastCompletion() {
    assertEquals(900, gap(1_000, 1_040, 1_100).until(2_000));
  }

  @Test
  void isEverythingIfNothingWasCompleted() {
    assertEquals(500, gap(1_000).until(1_500));
    assertEquals(0, gap(1_000).until(900));
  }

  @Test
  void timesMayBeNegativeAndLate() {
    // The completion at 10 is told of after the one at 40.
    assertEquals(50, gap(-10, 40, 10, 60).until(60));
    assertEquals(5, gap(Long.MAX_VALUE - 2, Long.MIN_VALUE + 2).until(Long.MIN_VALUE + 3));
  }

  @Test
  @Timeout(60)
  void isFoundAmongThreads() throws Exception {
    LongestGap gap = new LongestGap(0);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> ends = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        int first = thread;
        ends.add(
            threads.submit(
                () -> {
                  for (int at = first; at < 100_000; at += 4) {
                    gap.completed(at);
                  }
                }));
      }
      for (Future<?> end : ends) {
        end.get(30, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
    gap.completed(300_000);
    assertEquals(200_001, gap.until(300_010));
  }

  private static LongestGap gap(long from, long... completions) {
    LongestGap gap = new LongestGap(from);
    for (long completion : completions) {
      gap.completed(completion);
    }
    return gap;
  }
}
