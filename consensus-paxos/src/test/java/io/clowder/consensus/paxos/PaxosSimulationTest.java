// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.simulator.SeedRunner;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Whole clusters on Multi-Paxos in virtual time: the production driver, journals, map and locks,
 * under a nemesis, their histories checked. Other seeds by {@code -Dseeds=FROM-TO}, one seed with
 * its log by {@code -Dseeds=N -Dtrace=true}.
 */
class PaxosSimulationTest {
  private static final String COMMAND =
      "mvn test -pl consensus-paxos -am -Dtest=PaxosSimulationTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dtrace=true -Dseeds=";

  @Test
  void everySeedPasses() {
    SeedRunner runner = new SeedRunner(new TreeMap<>(Map.of("paxos", new PaxosProtocol())), COMMAND, System.out);
    int failed = runner.run(System.getProperty("seeds", "1-300"), Boolean.getBoolean("trace"));
    assertEquals(0, failed, "failed seeds; the lines above say how to replay each");
  }
}
