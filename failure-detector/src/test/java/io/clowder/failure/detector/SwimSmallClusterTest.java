// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.failure.detector.SwimCluster.Member;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * Where memberlist has its trap: at three nodes there are no confirmations to wait for, so its
 * suspicions last four seconds flat. Ours keep the goal of three.
 */
class SwimSmallClusterTest {
  private static final long GOAL_NANOS = SwimPaperTest.GOAL.detection().toNanos();
  private static final int SEEDS = 100;

  @Test
  void aCrashIsDeclaredByAllWithinTheGoal() {
    for (int size : new int[] {2, 3, 5, 7}) {
      crashes(size, 0, false);
    }
  }

  @Test
  void alsoWhenFivePercentOfTheMessagesGetLost() {
    for (int size : new int[] {2, 3, 5, 7}) {
      crashes(size, 0.05, false);
    }
  }

  /**
   * Who answers without gossip is not judged by rumour, so each has to find it out by itself: of
   * 3,000 crashes among seven nodes, 41 took longer than the goal. None may take a third longer.
   */
  @Test
  void amongNodesThatRunSomethingElseItTakesLittleLonger() {
    for (int size : new int[] {3, 5, 7}) {
      crashes(size, 0.05, true);
    }
  }

  private static void crashes(int size, double loss, boolean isMixed) {
    long longest = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      longest = Math.max(longest, crash(size, seed, loss, isMixed));
    }
    System.out.printf(
        Locale.ROOT,
        "%d nodes, %.0f %% of messages lost%s: declared by all after at most %.2f s%n",
        size,
        100 * loss,
        isMixed ? ", every second runs something else" : "",
        longest / 1e9);
  }

  private static long crash(int size, int seed, double loss, boolean isMixed) {
    SwimCluster cluster = new SwimCluster(size, SwimPaperTest.PRODUCTION, seed);
    cluster.loss = loss;
    for (int i = 1; isMixed && i < size; i += 2) {
      cluster.members.get(i).mute();
    }
    long at = 10 * SwimCluster.SECONDS + cluster.random().nextLong(SwimCluster.SECONDS);
    cluster.runUntil(at);
    assertEquals(List.of(), cluster.mistakes(), "size " + size + ", seed " + seed);
    Member victim = cluster.members.get(seed % size);
    victim.isCrashed = true;
    cluster.run(2 * GOAL_NANOS);
    long nanos = cluster.declaredNanos(victim, at);
    long limit = isMixed ? GOAL_NANOS * 4 / 3 : GOAL_NANOS;
    assertTrue(
        nanos >= 0 && nanos <= limit,
        "size " + size + ", seed " + seed + ": " + nanos / 1e9 + " s");
    assertEquals(List.of(), cluster.mistakes(), "size " + size + ", seed " + seed);
    return nanos;
  }

  @Test
  void nobodyHealthyIsDeclaredFailedInMinutesOfLoss() {
    for (int size : new int[] {3, 5, 7}) {
      for (int seed = 0; seed < 5; seed++) {
        SwimCluster cluster = new SwimCluster(size, SwimPaperTest.PRODUCTION, seed);
        cluster.loss = 0.05;
        cluster.runUntil(120 * SwimCluster.SECONDS);
        assertEquals(List.of(), cluster.verdicts, "size " + size + ", seed " + seed);
      }
    }
  }

  /** At seven the two that are left cannot confirm each other's five suspicions. */
  @Test
  void confirmationsThatCannotComeAreNotWaitedFor() {
    for (int seed = 0; seed < SEEDS; seed++) {
      SwimCluster cluster = new SwimCluster(7, SwimPaperTest.PRODUCTION, seed);
      long at = 10 * SwimCluster.SECONDS;
      cluster.runUntil(at);
      cluster.members.subList(2, 7).forEach(member -> member.isCrashed = true);
      cluster.run(4 * GOAL_NANOS);
      for (Member victim : cluster.members.subList(2, 7)) {
        long nanos = cluster.declaredNanos(victim, at);
        assertTrue(nanos > 0 && nanos <= 2 * GOAL_NANOS, seed + ": " + nanos / 1e9 + " s");
      }
    }
  }
}
