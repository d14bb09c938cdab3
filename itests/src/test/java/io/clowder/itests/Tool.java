// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Programs of the system's own, such as {@code ip}. */
final class Tool {
  private Tool() {}

  /** Says what is to be installed, if there is no such program; runs it if there is. */
  static void require(String program, String question) throws InterruptedException {
    try {
      run(program, question);
    } catch (IOException e) {
      throw new AssertionError("needs the program " + program + "; install it", e);
    }
  }

  /**
   * Runs one to its end, and expects it to succeed; what it said.
   *
   * @throws IOException if there is no such program
   */
  static String run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError("failed: " + List.of(command) + ": " + said.strip());
    }
    return said.strip();
  }
}
