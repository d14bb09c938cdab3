// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.simulator.trace.Trace;
import io.clowder.simulator.trace.TraceWorld;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The paper's claims, one trace each. {@code -Dtraces.rewrite=true} writes what happens instead.
 */
class RaftTracesTest {
  private static final Path TRACES = Path.of("src/test/resources/traces");
  private static final CoreSetting.Timing TIMING = new CoreSetting.Timing(10, 100);

  @TestFactory
  List<DynamicTest> traces() throws IOException {
    try (Stream<Path> files = Files.list(TRACES)) {
      List<DynamicTest> tests =
          files
              .sorted()
              .map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(f)))
              .toList();
      assertFalse(tests.isEmpty());
      return tests;
    }
  }

  private static void check(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    Trace trace = Trace.parse(lines);
    TraceWorld world = new TraceWorld(new RaftProtocol(), new RaftVocabulary(), TIMING);
    List<List<String>> outcomes = new ArrayList<>();
    for (Trace.Step step : trace.steps()) {
      try {
        outcomes.add(world.run(step));
      } catch (RuntimeException e) {
        throw new AssertionError(file + ":" + step.line() + ": " + e.getMessage(), e);
      }
    }
    List<String> actual = trace.print(outcomes);
    if (Boolean.getBoolean("traces.rewrite")) {
      Files.write(file, actual);
    } else {
      assertEquals(String.join("\n", lines), String.join("\n", actual), file.toString());
    }
  }
}
