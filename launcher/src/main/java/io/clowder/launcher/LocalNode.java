// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import io.clowder.api.Address;
import io.clowder.api.NodeId;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A node of a cluster on this machine, running or not. */
record LocalNode(NodeId id, Cluster cluster, NodeDirectory directory) {
  /** A node has ten seconds of its own to stop in. */
  private static final Duration STOP_TIME = Duration.ofSeconds(15);

  /**
   * Detaches a process from the terminal: signals for the group that it would get with the command
   * that started it (the keys ^C, ^\ and ^Z, hanging up) do not reach it.
   */
  private static final String DETACH =
      """
      trap '' HUP INT QUIT TSTP TTIN TTOU
      if command -v setsid >/dev/null 2>&1; then exec setsid "$@"; fi
      exec "$@"
      """;

  Address address() {
    return cluster.members().get(id);
  }

  ShellClient shell() {
    return new ShellClient(directory.socket());
  }

  /** Its process, if it runs. */
  Optional<ProcessHandle> process() throws IOException {
    return directory.process();
  }

  /** Starts the process; it outlives this one. */
  Process start(Distribution distribution) throws IOException {
    Files.createDirectories(directory.console().getParent());
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh",
            "-c",
            DETACH,
            "sh",
            distribution.script().toString(),
            "node",
            "--dir",
            directory.root().toString(),
            "--id",
            id.value(),
            "--listen",
            address().toString(),
            "--members",
            NodeSettings.text(cluster.members()),
            "--protocol",
            cluster.protocol(),
            "--config",
            cluster.settings().toString());
    // The log is in a file already.
    builder.environment().put("CLOWDER_CONSOLE", "OFF");
    builder.redirectInput(new File("/dev/null"));
    builder.redirectErrorStream(true);
    builder.redirectOutput(directory.console().toFile());
    return builder.start();
  }

  /** Asks it to stop and waits; false if it was not running. */
  boolean stop() throws IOException, CommandFailure, InterruptedException {
    Optional<ProcessHandle> process = process();
    if (process.isEmpty()) {
      return false;
    }
    process.get().destroy();
    await(process.get());
    return true;
  }

  /** Ends it without any warning and waits; false if it was not running. */
  boolean kill() throws IOException, CommandFailure, InterruptedException {
    Optional<ProcessHandle> process = process();
    if (process.isEmpty()) {
      return false;
    }
    process.get().destroyForcibly();
    await(process.get());
    return true;
  }

  /** The last thing that its process said outside the log; empty if nothing. */
  String lastWords() throws IOException {
    Path console = directory.console();
    if (!Files.exists(console)) {
      return "";
    }
    List<String> lines = Files.readAllLines(console);
    return lines.stream()
        .filter(line -> !line.isBlank())
        .reduce((one, next) -> next)
        .orElse("")
        .replaceFirst("^clowder: ", "");
  }

  /** Waits for a process of this node to end. */
  void await(ProcessHandle process) throws CommandFailure, InterruptedException {
    try {
      process.onExit().get(STOP_TIME.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      throw CommandFailure.failed(
          id
              + " (process "
              + process.pid()
              + ") still runs after "
              + STOP_TIME.toSeconds()
              + " s; end it with: clowder kill "
              + id);
    }
  }
}
