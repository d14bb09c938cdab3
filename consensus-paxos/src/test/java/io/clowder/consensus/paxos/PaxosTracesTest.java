// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.clowder.api.protocol.CoreSetting;
import io.clowder.simulator.trace.TraceFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The papers' claims, one trace each. {@code -Dtraces.rewrite=true} writes what happens instead.
 */
class PaxosTracesTest {
  private static final Path TRACES = Path.of("src/test/resources/traces");
  private static final CoreSetting.Timing TIMING = new CoreSetting.Timing(10, 100);

  @TestFactory
  List<DynamicTest> traces() throws IOException {
    List<TraceFile> files = TraceFile.in(TRACES);
    assertFalse(files.isEmpty());
    return files.stream()
        .map(file -> DynamicTest.dynamicTest(file.name(), () -> check(file)))
        .toList();
  }

  private static void check(TraceFile file) throws IOException {
    String expected = file.expected();
    String actual = file.actual(new PaxosProtocol(), new PaxosVocabulary(), TIMING);
    if (!Boolean.getBoolean("traces.rewrite")) {
      assertEquals(expected, actual, file.toString());
    }
  }
}
