// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionGoal;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * What {@code chen} is asked for it does, where it says that it can: random goals on links of
 * several kinds, with a peer that keeps to the interval that it is asked for. The time of detection
 * is met in any case, for {@link Heartbeats} caps it; what is counted are mistakes.
 */
final class ChenGoalsTest {
  private static final int GOALS = 20;
  private static final int RECURRENCES = 60;

  private static final long WARM_UP_NANOS = 60_000_000_000L;
  private static final NodeId PEER = new NodeId("peer");

  /** What came of one goal on one link. */
  private record Outcome(boolean isFeasible, boolean isMet) {}

  @Test
  void feasibleGoalsAreMet() {
    RandomGenerator random = WeekTrace.random(3);
    int feasible = 0;
    int met = 0;
    for (int i = 0; i < GOALS; i++) {
      long detection = (long) (200 * Math.pow(15, random.nextDouble()));
      long recurrence = (long) (10_000 * Math.pow(20, random.nextDouble()));
      var goal =
          new DetectionGoal(
              Duration.ofMillis(detection), Duration.ofMillis(recurrence), Duration.ofSeconds(10));
      for (SimpleLink link : SimpleLink.values()) {
        Outcome outcome = run(goal, link, random.nextLong());
        feasible += outcome.isFeasible() ? 1 : 0;
        met += outcome.isFeasible() && outcome.isMet() ? 1 : 0;
      }
    }
    assertTrue(feasible >= GOALS * 4, "only " + feasible + " were feasible");
    assertTrue(met >= 0.95 * feasible, met + " of " + feasible + " were met");
  }

  /** A heartbeat under way. */
  private record Beat(long sequence, long interval, long nanos) {}

  private static Outcome run(DetectionGoal goal, SimpleLink link, long seed) {
    ChenEstimator chen = ChenEstimator.of(goal, 100);
    Heartbeats detector = new Heartbeats(goal, () -> chen);
    detector.peers(new TreeSet<>(List.of(PEER)), 0);
    SimpleLink.Way way = link.new Way(seed);
    var beats = new PriorityQueue<Beat>(Comparator.comparingLong(Beat::nanos));
    long end = WARM_UP_NANOS + RECURRENCES * goal.recurrence().toNanos();
    long mistakes = 0;
    long last = 0;
    long sent = 0;
    for (long sequence = 1; sent < end; sequence++) {
      long interval = detector.intervalNanos(PEER);
      sent += interval;
      double delay = way.delay();
      if (delay >= 0) {
        beats.add(new Beat(sequence, interval, sent + (long) (1e6 * delay)));
      }
      while (!beats.isEmpty() && beats.element().nanos() <= sent) {
        Beat beat = beats.remove();
        long doubtAt = detector.doubtAt(PEER);
        boolean isMistake = doubtAt < beat.nanos() && doubtAt > last;
        mistakes += isMistake && sent > WARM_UP_NANOS ? 1 : 0;
        last = beat.nanos();
        detector.heartbeat(PEER, beat.sequence(), beat.interval(), last);
      }
    }
    var setting = chen.setting();
    boolean isFeasible = setting != null && setting.isFeasible();
    return new Outcome(isFeasible, mistakes <= RECURRENCES);
  }

  @Test
  void lossIsCountedByTheNumbers() {
    ChenEstimator chen = ChenEstimator.withMargin(100, 1e9);
    for (int i = 1; i <= 40_000; i++) {
      if (i % 20 != 0) {
        chen.heartbeat(i, 100, 100L * i);
      }
    }
    assertEquals(0.05, chen.loss(), 0.002);
  }
}
