// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A trace in a file. {@code -Dtraces.rewrite=true} writes what happens instead. */
public record TraceFile(Path file) {
  /** The traces of a folder, in the order of their names. */
  public static List<TraceFile> in(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().map(TraceFile::new).toList();
    }
  }

  /** The file's own name. */
  public String name() {
    return file.getName(file.getNameCount() - 1).toString();
  }

  /** The lines as they are. */
  public String expected() throws IOException {
    return Files.readString(file);
  }

  /** The lines as they should be: what happens now. */
  public String actual(ConsensusProtocol protocol, Vocabulary vocabulary, CoreSetting.Timing timing)
      throws IOException {
    Trace trace = Trace.parse(Files.readAllLines(file));
    TraceWorld world = new TraceWorld(protocol, vocabulary, timing);
    List<List<String>> outcomes = new ArrayList<>();
    for (Trace.Step step : trace.steps()) {
      try {
        outcomes.add(world.run(step));
      } catch (RuntimeException e) {
        throw new AssertionError(file + ":" + step.line() + ": " + e.getMessage(), e);
      }
    }
    String actual = String.join("\n", trace.print(outcomes)) + "\n";
    if (Boolean.getBoolean("traces.rewrite")) {
      Files.writeString(file, actual);
    }
    return actual;
  }
}
