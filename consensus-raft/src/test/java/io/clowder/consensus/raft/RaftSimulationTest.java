// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.simulator.SeedRunner;
import io.clowder.simulator.kit.ProtocolKit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Raft on trial: the kit's checks; then whole clusters on Raft, from one segment to the next, in
 * virtual time: the production driver, journals, map and locks, under a nemesis, their histories
 * checked. Other seeds by {@code -Dseeds=FROM-TO}, one seed with its log by {@code -Dseeds=N
 * -Dtrace=true}.
 */
class RaftSimulationTest {
  private static final String COMMAND =
      "mvn test -pl consensus-raft -am -Dtest=RaftSimulationTest#everySeedPasses"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dtrace=true -Dseeds=";

  @TestFactory
  List<DynamicTest> keepsTheContract() {
    return new ProtocolKit(new RaftProtocol())
        .checks().stream().map(check -> DynamicTest.dynamicTest(check.name(), check::run)).toList();
  }

  @Test
  void everySeedPasses() {
    SeedRunner runner =
        new SeedRunner(new TreeMap<>(Map.of("raft", new RaftProtocol())), COMMAND, System.out);
    int failed = runner.run(System.getProperty("seeds", "1-200"), Boolean.getBoolean("trace"));
    assertEquals(0, failed, "failed seeds; the lines above say how to replay each");
    runner.requireSwaps();
  }
}
