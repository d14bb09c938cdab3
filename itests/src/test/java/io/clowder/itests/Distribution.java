// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The distribution that was built, used by its command line. */
final class Distribution {
  private static final long LIMIT_SECONDS = 90;
  private static final Path SCRIPT =
      Path.of(System.getProperty("clowder.itests.distribution", "missing"), "bin", "clowder");

  private Distribution() {}

  /** What a command said. */
  record Result(List<String> command, int status, String out, String err) {}

  /** A command that was started, its output in files, so that it never waits for a reader. */
  record Running(List<String> command, Process process, Path folder) {
    /** Waits for its end. */
    Result end() throws IOException, InterruptedException {
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(command + " still runs after " + LIMIT_SECONDS + " s");
      }
      return new Result(command, process.exitValue(), read("out"), read("err"));
    }

    private String read(String name) throws IOException {
      return Files.readString(folder.resolve(name), StandardCharsets.UTF_8).strip();
    }
  }

  /** Runs {@code clowder} with these words and waits for its end. */
  static Result run(String... words) throws IOException, InterruptedException {
    return start(words).end();
  }

  /** Runs it as {@link #run} does, and expects it to succeed; its output. */
  static String done(String... words) throws IOException, InterruptedException {
    Result result = run(words);
    if (result.status() != 0) {
      throw new AssertionError("failed: " + result);
    }
    return result.out();
  }

  static Running start(String... words) throws IOException {
    return startBy(List.of(), words);
  }

  /** Starts it by another command, which takes it as its last words. */
  static Running startBy(List<String> by, String... words) throws IOException {
    if (!Files.isExecutable(SCRIPT)) {
      throw new AssertionError(SCRIPT + " is not there; build the launcher first");
    }
    List<String> command = new ArrayList<>(by);
    command.add(SCRIPT.toString());
    command.addAll(List.of(words));
    Path folder = Files.createTempDirectory("command");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile());
    // A node in the foreground logs to standard error; what is left is what the command has to say.
    builder.environment().put("CLOWDER_CONSOLE", "OFF");
    return new Running(command, builder.start(), folder);
  }
}
