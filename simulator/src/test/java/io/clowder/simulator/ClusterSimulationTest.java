// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.protocol.ConsensusProtocol;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The whole stack on one node; protocols for more run in their own bundles' tests. */
class ClusterSimulationTest {
  private static final long SEEDS = 25;

  @Test
  void aProtocolThatKeepsItsWordPasses() {
    long operations = 0;
    long grants = 0;
    long snapshots = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      var report = simulation(seed, new SoloProtocol(true)).run();
      operations += report.operations();
      grants += report.grants();
      snapshots += report.snapshots();
    }
    assertTrue(operations > 1_000, "operations: " + operations);
    assertTrue(grants > 100, "grants: " + grants);
    assertTrue(snapshots > 20, "snapshots: " + snapshots);
  }

  @Test
  void aProtocolThatDoesNotWaitForTheDiskIsFound() {
    int found = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      try {
        simulation(seed, new SoloProtocol(false)).run();
      } catch (AssertionError expected) {
        found++;
      }
    }
    assertTrue(found > 3, "found in " + found + " of " + SEEDS + " seeds");
  }

  @Test
  void theSameSeedIsTheSameRun() {
    for (long seed = 1; seed <= 5; seed++) {
      var first = simulation(seed, new SoloProtocol(true)).run();
      var second = simulation(seed, new SoloProtocol(true)).run();
      assertEquals(first, second);
      assertNotEquals(
          first.eventHash(), simulation(seed + 100, new SoloProtocol(true)).run().eventHash());
    }
  }

  @Test
  void theRunnerSaysHowToReplay() {
    var bytes = new ByteArrayOutputStream();
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    var runner =
        new SeedRunner(new TreeMap<>(Map.of("solo", new SoloProtocol(true))), "run-it=", out);
    assertThrows(IllegalArgumentException.class, () -> runner.run("x", false));
    // Alone, each of several nodes takes itself for the leader.
    int failed = runner.run("1-12", false);
    assertTrue(failed > 0);
    String said = bytes.toString(StandardCharsets.UTF_8);
    assertTrue(said.contains("replay: run-it="), said);
    assertTrue(said.contains("is decided otherwise at"), said);
  }

  private static ClusterSimulation simulation(long seed, ConsensusProtocol protocol) {
    var drawn = ClusterSetting.drawn(new World(seed).random("setting"), List.of("solo"));
    var alone =
        new ClusterSetting(
            1,
            3,
            drawn.keys(),
            drawn.thinkMillis(),
            5_000,
            drawn.drift(),
            drawn.journalFileBytes(),
            drawn.swapMillis(),
            0,
            false,
            drawn.faults(),
            drawn.group());
    return new ClusterSimulation(seed, alone, new TreeMap<>(Map.of("solo", protocol)));
  }
}
