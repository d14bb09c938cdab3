// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import java.lang.annotation.Annotation;
import org.junit.jupiter.api.Test;

/** The parts of Lifeguard by themselves, and the figures that all of it runs by. */
class LifeguardTest {
  private static final SwimSettings SETTINGS = SwimPaperTest.PRODUCTION;
  private static final NodeId A = new NodeId("a");

  @Test
  void theHealthStaysWithinItsBounds() {
    LifeguardHealth health = new LifeguardHealth();
    health.better();
    assertEquals(1, health.factor());
    health.worsen(3, 8);
    assertEquals(4, health.factor());
    health.worsen(100, 8);
    assertEquals(9, health.factor());
    health.better();
    assertEquals(7, health.score());
    health.worsen(1, 0);
    assertEquals(0, health.score());
  }

  /** Section IV-B: max(Min, Max - (Max - Min) log(C + 1) / log(K + 1)). */
  @Test
  void aSuspicionGetsShorterWithEachConfirmation() {
    SwimSuspicion suspicion = new SwimSuspicion(A, 0);
    long min = SETTINGS.suspicionNanosMin(128);
    long max = SETTINGS.suspicionNanosMax(128);
    assertEquals(6 * min, max);
    assertEquals(max, suspicion.deadline(SETTINGS, 128));
    assertFalse(suspicion.confirm(A, 3));
    assertTrue(suspicion.confirm(new NodeId("b"), 3));
    assertEquals((max + min) / 2, suspicion.deadline(SETTINGS, 128));
    assertTrue(suspicion.confirm(new NodeId("c"), 3));
    assertTrue(suspicion.confirm(new NodeId("d"), 3));
    assertEquals(min, suspicion.deadline(SETTINGS, 128));
    assertFalse(suspicion.confirm(new NodeId("e"), 3));
    suspicion.shift(1_000, 0);
    assertEquals(min + 1_000, suspicion.deadline(SETTINGS, 128));
  }

  @Test
  void inASmallClusterTheGoalLimitsTheSuspicion() {
    for (int members = 2; members <= 7; members++) {
      assertEquals(1_200_000_000, SETTINGS.suspicionNanosMax(members));
      assertEquals(600_000_000, SETTINGS.suspicionNanosMin(members));
    }
    assertEquals(0, SETTINGS.confirmationsWanted(2));
    assertEquals(1, SETTINGS.confirmationsWanted(3));
    assertEquals(3, SETTINGS.confirmationsWanted(7));
    assertEquals(8, SETTINGS.retransmissions(7));
    assertEquals(12, SETTINGS.retransmissions(1_000));
  }

  @Test
  void whatIsNotConfiguredFollowsFromTheGoal() {
    SwimSettings settings = new SwimAlgorithm(new Settings(0, 3, 3)).settings(SwimPaperTest.GOAL);
    assertEquals(SETTINGS, settings);
    assertEquals(200_000_000, settings.periodNanos());
    assertEquals(100_000_000, settings.gossipNanos());
  }

  @Test
  void whatMakesNoSenseIsRefusedByItsKey() {
    assertRefused(new Settings(4, 3, 3), "period.millis is 4: use 5 to 60000");
    assertRefused(new Settings(60_001, 3, 3), "period.millis is 60001: use 5 to 60000");
    assertRefused(new Settings(0, 17, 3), "indirect.probes is 17: use 0 to 16");
    assertRefused(new Settings(0, 0, 0), "suspicion.min is 0: use 1 to 20");
    SwimAlgorithm slow = new SwimAlgorithm(new Settings(1_000, 0, 20));
    assertEquals(20_000_000_000L, slow.settings(SwimPaperTest.GOAL).suspicionNanosMin(7));
  }

  private static void assertRefused(Settings settings, String message) {
    var refused = assertThrows(IllegalArgumentException.class, () -> new SwimAlgorithm(settings));
    assertEquals("io.clowder.fd.swim: " + message, refused.getMessage());
  }

  /** The defaults, some of which may be changed. */
  @SuppressWarnings("BadAnnotationImplementation")
  private record Settings(int period_millis, int indirect_probes, int suspicion_min)
      implements SwimAlgorithm.Config {
    @Override
    public int probe_timeout_millis() {
      return 0;
    }

    @Override
    public int suspicion_max() {
      return 6;
    }

    @Override
    public int gossip_fanout() {
      return 3;
    }

    @Override
    public int gossip_interval_millis() {
      return 0;
    }

    @Override
    public Class<? extends Annotation> annotationType() {
      return SwimAlgorithm.Config.class;
    }
  }
}
