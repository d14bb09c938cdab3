// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code clowder sh}: a node's Gogo shell. */
@Command(
    name = "sh",
    description = {
      "Runs one command in a node's shell, or opens the shell.",
      "Several words are a command and its arguments, each taken as it is; a single word is a line"
          + " of the shell's language, such as 'lb | grep clowder'.",
      "Exit status 0 if the command was done; one that wrote errors was not."
    })
final class ShellCommand implements Callable<Integer> {
  @Mixin private ClusterOption option = new ClusterOption();

  @Option(
      names = "--node",
      paramLabel = "NODE",
      description = "Whose shell (default: the first node's, n1).")
  private @Nullable String name;

  @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "What to run; try help or lb.")
  private List<String> words = List.of();

  @Override
  public Integer call() throws IOException, CommandFailure {
    Cluster cluster = option.open();
    LocalNode node = name == null ? cluster.nodes().get(0) : cluster.node(name);
    if (node.process().isEmpty()) {
      throw CommandFailure.failed(
          node.id() + " is not running; start it with: clowder start " + node.id());
    }
    if (words.isEmpty()) {
      return new InteractiveShell(node, cluster.dir().resolve("history")).run();
    }
    return node.shell().run(GogoLine.of(words), System.out, System.err, ShellClient.PATIENCE);
  }
}
