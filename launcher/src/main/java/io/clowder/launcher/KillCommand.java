// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code clowder kill}. */
@Command(
    name = "kill",
    description = "Ends a node without warning, as kill -9 does; its data stays.")
final class KillCommand implements Callable<Integer> {
  @Mixin private ClusterOption option = new ClusterOption();

  @Parameters(paramLabel = "NODE", description = "The node's name, such as n1.")
  private String name = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure, InterruptedException {
    LocalNode node = option.open().node(name);
    if (!node.kill()) {
      throw CommandFailure.failed(name + " is not running; start it with: clowder start " + name);
    }
    spec.commandLine().getOut().println(name + " killed");
    return 0;
  }
}
