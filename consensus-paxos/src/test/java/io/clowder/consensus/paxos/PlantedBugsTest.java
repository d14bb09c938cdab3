// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.simulator.planted.Bench;
import io.clowder.simulator.planted.Bug;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Bugs that are planted into Raft, Multi-Paxos and the driver are found. {@code -Dplanted=search}
 * looks for each anew and writes down by what it is found; {@code -Dplanted.bug=NAME} looks at one.
 */
class PlantedBugsTest {
  private static final Path ROOT = Path.of("..");
  private static final Bench BENCH =
      new Bench(
          ROOT,
          Path.of("src/test/resources/planted/bugs.txt"),
          List.of(
              ROOT.resolve(
                  "consensus-raft/src/test/java/io/clowder/consensus/raft/RaftVocabulary.java")));

  @TestFactory
  @Execution(ExecutionMode.CONCURRENT)
  @DisabledIfSystemProperty(named = "planted", matches = "search")
  List<DynamicTest> eachIsFound() throws IOException {
    return BENCH.bugs().stream()
        .map(bug -> DynamicTest.dynamicTest(bug.name(), () -> BENCH.verify(bug)))
        .toList();
  }

  @Test
  void thereAreEnough() throws IOException {
    Set<String> names = new HashSet<>();
    for (Bug bug : BENCH.bugs()) {
      assertTrue(names.add(bug.name()), bug.name() + " is there twice");
      assertTrue(!bug.what().isEmpty() && !bug.rule().isEmpty(), bug.name());
    }
    assertTrue(names.size() >= 16, names.toString());
  }

  @Test
  @EnabledIfSystemProperty(named = "planted", matches = "search")
  void search() throws IOException {
    List<Bug> bugs =
        BENCH.search(
            Long.getLong("planted.seeds", 2_000),
            System.getProperty("planted.bug", ".*"),
            System.out);
    BENCH.write(bugs, ROOT.resolve("simulator/PLANTED.md"));
    assertEquals(
        List.of(), bugs.stream().filter(bug -> bug.found() == null).map(Bug::name).toList());
  }
}
