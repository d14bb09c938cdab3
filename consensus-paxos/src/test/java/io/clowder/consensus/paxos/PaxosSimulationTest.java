// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.consensus.raft.RaftProtocol;
import io.clowder.simulator.SeedRunner;
import io.clowder.simulator.kit.ProtocolKit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Multi-Paxos on trial: the kit's checks; then whole clusters in virtual time that go from Paxos to
 * Raft and back, the production driver, journals, map and locks, under a nemesis, their histories
 * checked. Other seeds by {@code -Dseeds=FROM-TO}, one seed with its log by {@code -Dseeds=N
 * -Dtrace=true}.
 */
class PaxosSimulationTest {
  private static final String COMMAND =
      "mvn test -pl consensus-paxos -am -Dtest=PaxosSimulationTest#everySeedPasses"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dtrace=true -Dseeds=";

  @TestFactory
  List<DynamicTest> keepsTheContract() {
    return new ProtocolKit(new PaxosProtocol())
        .checks().stream().map(check -> DynamicTest.dynamicTest(check.name(), check::run)).toList();
  }

  @Test
  void everySeedPasses() {
    SeedRunner runner =
        new SeedRunner(
            new TreeMap<>(Map.of("paxos", new PaxosProtocol(), "raft", new RaftProtocol())),
            COMMAND,
            System.out);
    int failed = runner.run(System.getProperty("seeds", "1-300"), Boolean.getBoolean("trace"));
    assertEquals(0, failed, "failed seeds; the lines above say how to replay each");
    runner.requireSwaps();
  }
}
