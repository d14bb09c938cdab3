// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code clowder stop}. */
@Command(name = "stop", description = "Stops a node in good order; its data stays.")
final class StopCommand implements Callable<Integer> {
  @Mixin private ClusterOption option = new ClusterOption();

  @Parameters(paramLabel = "NODE", description = "The node's name, such as n1.")
  private String name = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure, InterruptedException {
    LocalNode node = option.open().node(name);
    boolean ran = node.stop();
    spec.commandLine().getOut().println(name + (ran ? " stopped" : " was not running"));
    return 0;
  }
}
