// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.Detector;
import java.time.Duration;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What holds of each algorithm that listens. */
final class HeartbeatsTest {
  private static final long MS = 1_000_000;
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final DetectionGoal GOAL =
      new DetectionGoal(Duration.ofSeconds(3), Duration.ofHours(24), Duration.ofMinutes(1));
  private static final long MOST = 2_400 * MS;

  private static final List<Supplier<Estimator>> ESTIMATORS =
      List.of(
          () -> new FixedEstimator(60_000 * MS),
          () -> new PhiEstimator(300, 1_000, 1_000 * MS, 60_000 * MS),
          () -> ChenEstimator.of(GOAL, 100),
          () -> ChenEstimator.withMargin(100, 60e9),
          () -> new AdaptiveEstimator(1e-12, 0, 60_000 * MS));

  private static SortedSet<NodeId> both() {
    return new TreeSet<>(List.of(A, B));
  }

  @Test
  void noSilenceIsBorneForLongerThanTheGoalAllows() {
    for (Supplier<Estimator> estimators : ESTIMATORS) {
      var detector = new Heartbeats(GOAL, estimators);
      detector.peers(both(), 0);
      for (int i = 1; i <= 300; i++) {
        long nanos = (500L * i + i % 3) * MS;
        detector.heartbeat(A, i, 500 * MS, nanos);
        assertTrue(detector.doubtAt(A) <= nanos + MOST && detector.doubtAt(A) > nanos);
        detector.sign(A, nanos + 100 * MS);
        assertTrue(detector.doubtAt(A) <= nanos + 100 * MS + MOST);
      }
      assertEquals(Long.MAX_VALUE, detector.doubtAt(B));
    }
  }

  @Test
  void whoHasNotSpokenIsNotDoubtedAndWhoHasIsBorneAsLongAsTheGoalAllows() {
    long silence = Budget.of(GOAL).silenceNanos();
    for (Supplier<Estimator> estimators : ESTIMATORS) {
      var detector = new Heartbeats(GOAL, estimators);
      detector.heartbeat(A, 1, 500 * MS, 0);
      detector.peers(both(), 0);
      assertEquals(Long.MAX_VALUE, detector.doubtAt(A));
      assertEquals(0, detector.level(A, 1L << 60));
      assertEquals(500 * MS, detector.intervalNanos(A));
      detector.sign(A, MS);
      assertEquals(MS + silence, detector.doubtAt(A));
      detector.heartbeat(A, 1, 500 * MS, 2 * MS);
      assertTrue(detector.doubtAt(A) <= 2 * MS + silence);
      detector.restarted(A, 2, 3 * MS);
      assertEquals(3 * MS + silence, detector.doubtAt(A));
      detector.heartbeat(A, 1, 500 * MS, 4 * MS);
      assertTrue(detector.doubtAt(A) <= 4 * MS + silence);
    }
  }

  @Test
  void whoIsNoPeerAnyMoreIsForgotten() {
    Detector detector = new Heartbeats(GOAL, ESTIMATORS.get(0));
    detector.peers(both(), 0);
    detector.heartbeat(A, 1, 500 * MS, 0);
    detector.heartbeat(B, 1, 500 * MS, 0);
    detector.peers(new TreeSet<>(List.of(B)), 1);
    assertEquals(Long.MAX_VALUE, detector.doubtAt(A));
    assertEquals(0, detector.intervalNanos(A));
    assertEquals(MOST, detector.doubtAt(B));
  }

  /** A heartbeat that was overtaken is a sign of life, and no sample. */
  @Test
  void heartbeatsThatWereOvertakenTeachNothing() {
    var phi = new Heartbeats(GOAL, () -> new PhiEstimator(8, 100, MS, MOST));
    phi.peers(both(), 0);
    for (int i = 1; i <= 100; i++) {
      phi.heartbeat(A, i, 100 * MS, 100L * i * MS);
    }
    long silence = phi.doubtAt(A) - 10_000 * MS;
    phi.heartbeat(A, 99, 100 * MS, 10_003 * MS);
    assertEquals(10_003 * MS + silence, phi.doubtAt(A));
    phi.heartbeat(A, 101, 100 * MS, 10_100 * MS);
    assertEquals(10_100 * MS + silence, phi.doubtAt(A));
  }

  @Test
  void theIntervalIsASixthOfTheGoalAndHalfASecondAtMost() {
    var tight =
        new DetectionGoal(Duration.ofMillis(600), Duration.ofHours(24), Duration.ofMinutes(1));
    var detector = new Heartbeats(tight, ESTIMATORS.get(0));
    detector.peers(both(), 0);
    assertEquals(100 * MS, detector.intervalNanos(A));
    detector.heartbeat(A, 1, 100 * MS, 0);
    assertEquals(480 * MS, detector.doubtAt(A));
  }
}
