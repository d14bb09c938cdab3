// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import java.util.ArrayList;
import java.util.List;

/**
 * A trace as text.
 *
 * @param steps in order
 * @param end the comments after the last
 */
public record Trace(List<Step> steps, List<String> end) {
  /**
   * One command.
   *
   * @param line its line number, from 1
   * @param above comments and empty lines above it
   * @param command the words after {@code >}
   * @param more the lines after {@code |}
   * @param outcome what it must print
   */
  public record Step(
      int line, List<String> above, String command, List<String> more, List<String> outcome) {}

  /** Reads the form that {@link #print} writes. */
  public static Trace parse(List<String> lines) {
    List<Step> steps = new ArrayList<>();
    List<String> above = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).stripTrailing();
      if (line.startsWith("> ")) {
        Step step = new Step(i + 1, above, line.substring(2), new ArrayList<>(), new ArrayList<>());
        steps.add(step);
        above = new ArrayList<>();
      } else if (line.isEmpty() || line.startsWith("#")) {
        above.add(line);
      } else if (steps.isEmpty() || !above.isEmpty()) {
        throw new IllegalArgumentException("line " + (i + 1) + " belongs to no command: " + line);
      } else if (line.startsWith("| ")) {
        steps.get(steps.size() - 1).more().add(line.substring(2));
      } else {
        steps.get(steps.size() - 1).outcome().add(line);
      }
    }
    return new Trace(steps, above);
  }

  /** The lines of the trace, with these outcomes instead. */
  public List<String> print(List<List<String>> outcomes) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      lines.addAll(step.above());
      lines.add("> " + step.command());
      step.more().forEach(more -> lines.add("| " + more));
      lines.addAll(outcomes.get(i));
    }
    lines.addAll(end);
    return lines;
  }
}
