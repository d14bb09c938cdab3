// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code clowder down}: nothing is left running. */
@Command(name = "down", description = "Stops every node; their data stays unless wiped.")
final class DownCommand implements Callable<Integer> {
  @Mixin private ClusterOption option = new ClusterOption();

  @Option(names = "--wipe", description = "Remove the cluster and all its data as well.")
  private boolean wipe;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    if (!Cluster.exists(option.dir())) {
      if (!NodeSettings.read(new NodeDirectory(option.dir())).isEmpty()) {
        throw CommandFailure.usage(
            option.dir() + " is one node's directory; see: clowder stop --help");
      }
      out.println("there is no cluster in " + option.dir() + "; nothing runs");
      return 0;
    }
    Cluster cluster = option.open();
    try (FileChannel lock = Cluster.lock(cluster.dir())) {
      stop(cluster.nodes());
      int count = cluster.nodes().size();
      out.println(count + (count == 1 ? " node down" : " nodes down"));
      if (wipe && lock.isOpen()) {
        boolean gone = cluster.wipe();
        out.println(
            gone
                ? option.dir() + " removed"
                : option.dir() + ": the cluster is removed; other files are there and stay");
      }
    }
    return 0;
  }

  /** All at once; one that does not stop in time is killed: down means down. */
  private static void stop(List<LocalNode> nodes)
      throws IOException, CommandFailure, InterruptedException {
    // A node takes its pid file away before it ends: whoever was seen running is waited for.
    Map<LocalNode, ProcessHandle> running = new LinkedHashMap<>();
    for (LocalNode node : nodes) {
      node.process().ifPresent(process -> running.put(node, process));
    }
    running.values().forEach(ProcessHandle::destroy);
    for (Map.Entry<LocalNode, ProcessHandle> one : running.entrySet()) {
      try {
        one.getKey().await(one.getValue());
      } catch (CommandFailure e) {
        one.getValue().destroyForcibly();
        one.getKey().await(one.getValue());
      }
    }
  }
}
