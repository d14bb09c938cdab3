// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code clowder status}: one row per node. */
@Command(name = "status", description = "Shows every node of the cluster and how far it is.")
final class StatusCommand implements Callable<Integer> {
  @Mixin private ClusterOption cluster = new ClusterOption();

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      paramLabel = "table|json",
      description = "How to print it (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure {
    ClusterStatus status = ClusterStatus.ask(cluster.open());
    spec.commandLine()
        .getOut()
        .println(format == Format.json ? status.table().toJson() : status.text());
    return 0;
  }
}
