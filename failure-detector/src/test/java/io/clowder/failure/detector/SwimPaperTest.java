// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.failure.DetectionGoal;
import io.clowder.failure.detector.SwimCluster.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What "SWIM" (DSN 2002) says of itself. */
class SwimPaperTest {
  static final DetectionGoal GOAL =
      new DetectionGoal(Duration.ofSeconds(3), Duration.ofHours(24), Duration.ofSeconds(3));

  /** What {@link SwimAlgorithm} has if nothing is configured. */
  static final SwimSettings PRODUCTION = SwimSettings.forGoal(GOAL, 0, 0, 3, 3, 6, 3, 0);

  private static final long PERIOD = PRODUCTION.periodNanos();

  /** Section 3.1: in the mean it takes e / (e - 1) periods until somebody probes who has failed. */
  @Test
  void firstProbeAfterOnePointFiveEightPeriods() {
    SwimCluster cluster = new SwimCluster(100, PRODUCTION, 1);
    Map<Member, List<Long>> probed = new HashMap<>();
    cluster.pinged =
        (from, to) -> probed.computeIfAbsent(to, m -> new ArrayList<>()).add(cluster.now);
    cluster.runUntil(400 * PERIOD);
    double sum = 0;
    int samples = 0;
    for (List<Long> times : probed.values()) {
      int next = 0;
      for (long crash = 10 * PERIOD; crash < 350 * PERIOD; crash += PERIOD * 7 / 10) {
        while (times.get(next) < crash) {
          next++;
        }
        sum += 1 + (times.get(next) - crash) / PERIOD;
        samples++;
      }
    }
    assertEquals(Math.E / (Math.E - 1), sum / samples, 0.05);
  }

  /** Section 4.3: a member probes each other one within 2n - 1 periods, n others there are. */
  @Test
  void everybodyIsProbedWithinTwoPasses() {
    SwimCluster cluster = new SwimCluster(20, PRODUCTION, 2);
    Map<List<Member>, Long> last = new HashMap<>();
    long[] longest = new long[1];
    cluster.pinged =
        (from, to) -> {
          Long before = last.put(List.of(from, to), cluster.now);
          longest[0] = Math.max(longest[0], before == null ? 0 : cluster.now - before);
        };
    cluster.runUntil(1_000 * PERIOD);
    assertEquals(20 * 19, last.size());
    assertTrue(longest[0] <= (2 * 19 - 1) * PERIOD, "longest " + longest[0] / PERIOD);
    assertTrue(longest[0] > 30 * PERIOD, "it is random at all: " + longest[0] / PERIOD);
  }

  /** Section 5: a member sends about two messages in a period, however many there are. */
  @Test
  void twoMessagesInAPeriodWhateverTheSize() {
    for (int size : new int[] {8, 32, 128}) {
      SwimCluster cluster = new SwimCluster(size, PRODUCTION, 3);
      cluster.runUntil(100 * PERIOD);
      assertEquals(2.0, cluster.messages / 100.0 / size, 0.05, "size " + size);
    }
  }

  /** Section 4.2: who is suspected wrongly says so with a new incarnation. */
  @Test
  void whoIsSuspectedWronglyRefutes() {
    SwimCluster cluster = new SwimCluster(16, PRODUCTION, 4);
    Member victim = cluster.members.get(5);
    // Nobody reaches it for one period; what it says gets through, or it could not refute.
    cluster.runUntil(20 * PERIOD);
    cluster.isCut = (from, to) -> to == victim || from == victim;
    cluster.run(4 * PERIOD);
    List<Member> doubting =
        cluster.members.stream().filter(m -> m.detector.level(victim.id, 0) == 1).toList();
    assertTrue(doubting.size() >= 14, "suspected by " + doubting);
    cluster.isCut = (from, to) -> false;
    cluster.run(15 * PERIOD);
    assertTrue(victim.detector.refutations() > 0);
    for (Member member : cluster.members) {
      assertEquals(0, member.detector.level(victim.id, 0), "at " + member);
    }
    assertEquals(List.of(), cluster.mistakes());
  }

  /** Section 4.1: everybody hears of a failure, though only few have found it out. */
  @Test
  void everybodyHearsOfAFailure() {
    for (int size : new int[] {16, 64, 256}) {
      SwimCluster cluster = new SwimCluster(size, PRODUCTION, 5);
      cluster.runUntil(20 * PERIOD);
      Member victim = cluster.members.get(3);
      victim.isCrashed = true;
      cluster.run(30 * PERIOD);
      long nanos = cluster.declaredNanos(victim, 20 * PERIOD);
      assertTrue(nanos > 0, "size " + size);
      assertTrue(nanos <= GOAL.detection().toNanos(), size + ": " + nanos / 1e9 + " s");
      assertEquals(List.of(), cluster.mistakes());
    }
  }
}
