// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Starts nodes and waits until they serve; what does not get there is stopped again. */
final class ClusterStart {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final Cluster cluster;
  private final Distribution distribution;

  ClusterStart(Cluster cluster, Distribution distribution) {
    this.cluster = cluster;
    this.distribution = distribution;
  }

  /**
   * Starts those of the nodes that do not run, and waits until each of them knows a leader; with
   * too few nodes running for one, until each of them answers.
   */
  void start(List<LocalNode> nodes) throws IOException, CommandFailure, InterruptedException {
    try (FileChannel lock = Cluster.lock(cluster.dir())) {
      startHolding(lock, nodes);
    }
  }

  /** As {@link #start}, by a caller that has the cluster's lock. */
  void startHolding(FileChannel lock, List<LocalNode> nodes)
      throws IOException, CommandFailure, InterruptedException {
    if (!lock.isOpen()) {
      throw new AssertionError("starting without the lock");
    }
    Map<LocalNode, Process> started = new LinkedHashMap<>();
    try {
      for (LocalNode node : nodes) {
        if (node.process().isEmpty()) {
          started.put(node, node.start(distribution));
        }
      }
      await(started);
    } catch (IOException | CommandFailure | InterruptedException e) {
      for (Process process : started.values()) {
        process.destroy();
      }
      for (Process process : started.values()) {
        process.waitFor();
      }
      throw e;
    }
  }

  private void await(Map<LocalNode, Process> started)
      throws IOException, CommandFailure, InterruptedException {
    long end = System.nanoTime() + LIMIT.toNanos();
    List<LocalNode> waiting = new ArrayList<>(started.keySet());
    Map<LocalNode, String> last = new LinkedHashMap<>();
    while (!waiting.isEmpty()) {
      for (LocalNode node : List.copyOf(waiting)) {
        Process process = started.get(node);
        if (!process.isAlive()) {
          throw CommandFailure.withStatus(
              process.exitValue() == 2 ? 2 : 1, node.id() + " did not start: " + node.lastWords());
        }
        String missing = missing(node);
        if (missing.isEmpty()) {
          waiting.remove(node);
        } else {
          last.put(node, missing);
        }
      }
      if (!waiting.isEmpty() && System.nanoTime() > end) {
        LocalNode node = waiting.get(0);
        throw CommandFailure.failed(
            "%s does not serve after %d s: %s; see %s"
                .formatted(
                    node.id(),
                    LIMIT.toSeconds(),
                    last.get(node),
                    node.directory().console().resolveSibling("node.log")));
      }
      Thread.sleep(PAUSE.toMillis());
    }
  }

  /** What keeps a node from serving; empty if it does. */
  private String missing(LocalNode node) throws IOException {
    ClusterStatus.View view = ClusterStatus.ask(node).get(0);
    if (view.text("group") == null) {
      return view.problem();
    }
    return view.text("leader") != null || !quorumRuns() ? "" : "it knows no leader";
  }

  private boolean quorumRuns() throws IOException {
    int running = 0;
    for (LocalNode node : cluster.nodes()) {
      running += node.process().isPresent() ? 1 : 0;
    }
    return running > cluster.members().size() / 2;
  }
}
