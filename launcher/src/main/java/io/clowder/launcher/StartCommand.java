// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code clowder start}. */
@Command(name = "start", description = "Starts a node again on the same data.")
final class StartCommand implements Callable<Integer> {
  @Mixin private ClusterOption option = new ClusterOption();

  @Parameters(paramLabel = "NODE", description = "The node's name, such as n1.")
  private String name = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure, InterruptedException {
    Cluster cluster = option.open();
    LocalNode node = cluster.node(name);
    if (cluster.isOneNode()) {
      throw CommandFailure.usage(name + " is not of clowder up; start it with: clowder node");
    }
    new ClusterStart(cluster, Distribution.current()).start(List.of(node));
    spec.commandLine().getOut().println(name + " runs");
    return 0;
  }
}
