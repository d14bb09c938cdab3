// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code --dir} and {@code --node}, for the commands that a node of the cluster carries out. */
final class NodeOption {
  @Mixin private ClusterOption cluster = new ClusterOption();

  @Option(
      names = "--node",
      paramLabel = "NODE",
      description = "Which node is asked (default: the first that runs).")
  private @Nullable String name;

  /** Runs a command of the node's shell; its output goes to this process's as it comes. */
  int run(List<String> words) throws IOException, CommandFailure {
    return running().shell().run(GogoLine.of(words), System.out, System.err, ShellClient.PATIENCE);
  }

  private LocalNode running() throws IOException, CommandFailure {
    Cluster open = cluster.open();
    for (LocalNode node : name == null ? open.nodes() : List.of(open.node(name))) {
      if (node.process().isPresent()) {
        return node;
      }
    }
    throw CommandFailure.failed(
        name == null
            ? "no node runs; start them with: clowder up"
            : name + " is not running; start it with: clowder start " + name);
  }
}
