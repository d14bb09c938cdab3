// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Starts nodes and waits until they serve, with all that is configured: a node answers before it
 * knows whether each component takes its configuration. One that does not get there leaves the
 * others alone if enough run for a quorum; if not, what was started is stopped again.
 */
final class ClusterStart {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(100);

  /** How long a node may go on saying that its group is down before it is believed. */
  private static final Duration DOUBT = Duration.ofSeconds(3);

  private final Cluster cluster;
  private final Distribution distribution;
  private final Map<LocalNode, Process> started = new LinkedHashMap<>();
  private final Map<LocalNode, CommandFailure> failed = new LinkedHashMap<>();

  /** When a node first said that its group is down: it opens it after it begins to answer. */
  private final Map<LocalNode, Duration> downSince = new HashMap<>();

  /** Over {@link #started} and {@link #brokenOff}: a signal comes in a thread of its own. */
  private final Lock mutex = new ReentrantLock();

  private boolean brokenOff;

  /** For one start. */
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
    Thread signal = new Thread(this::breakOff, "broken-off");
    Runtime.getRuntime().addShutdownHook(signal);
    boolean keep = false;
    try {
      for (LocalNode node : nodes) {
        if (node.process().isEmpty()) {
          startOne(node);
        }
      }
      await();
      keep = failed.isEmpty() || quorumRuns();
    } finally {
      if (!keep) {
        stopAll();
      }
      forget(signal);
    }
    if (!failed.isEmpty()) {
      throw failed.values().iterator().next();
    }
  }

  private void startOne(LocalNode node) throws IOException {
    mutex.lock();
    try {
      if (!brokenOff) {
        started.put(node, node.start(distribution));
      }
    } finally {
      mutex.unlock();
    }
  }

  /** A start that was interrupted, by ^C or SIGTERM, leaves nothing. */
  private void breakOff() {
    mutex.lock();
    try {
      brokenOff = true;
      started.values().forEach(Process::destroy);
    } finally {
      mutex.unlock();
    }
  }

  private void stopAll() throws InterruptedException {
    for (Process process : started.values()) {
      process.destroy();
    }
    for (Process process : started.values()) {
      process.waitFor();
    }
  }

  private static void forget(Thread signal) {
    try {
      Runtime.getRuntime().removeShutdownHook(signal);
    } catch (IllegalStateException e) {
      // The signal is there, and its thread at work.
    }
  }

  private void await() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    List<LocalNode> waiting = new ArrayList<>(started.keySet());
    while (!waiting.isEmpty()) {
      Duration passed = Duration.ofNanos(System.nanoTime() - begin);
      for (LocalNode node : List.copyOf(waiting)) {
        if (isDone(node, passed)) {
          waiting.remove(node);
        }
      }
      Thread.sleep(PAUSE.toMillis());
    }
  }

  /** Whether it serves, or has failed to. */
  private boolean isDone(LocalNode node, Duration passed) throws IOException {
    Process process = started.get(node);
    if (!process.isAlive()) {
      failed.put(
          node,
          CommandFailure.withStatus(
              process.exitValue() == 2 ? 2 : 1, node.id() + " did not start: " + node.lastWords()));
      return true;
    }
    ClusterStatus.View view = ClusterStatus.ask(node).get(0);
    String missing = missing(view);
    if (missing.isEmpty() && !node.directory().hasStarted()) {
      missing = "not all of its components have started";
    }
    boolean down =
        "down".equals(view.text("role"))
            && passed.minus(downSince.computeIfAbsent(node, n -> passed)).compareTo(DOUBT) > 0;
    if (missing.isEmpty() || (!down && passed.compareTo(LIMIT) < 0)) {
      return missing.isEmpty();
    }
    failed.put(
        node,
        CommandFailure.failed(
            "%s does not serve: %s; see %s"
                .formatted(
                    node.id(), missing, node.directory().console().resolveSibling("node.log"))));
    return true;
  }

  /** What keeps a node from serving; empty if it does. */
  private String missing(ClusterStatus.View view) throws IOException {
    if (view.text("group") == null) {
      return view.problem();
    }
    boolean down = "down".equals(view.text("role"));
    if ("removed".equals(view.text("role")) || "joining".equals(view.text("role"))) {
      // It waits for others, who may take their time.
      return "";
    }
    if (!down && (view.text("leader") != null || !quorumRuns())) {
      return "";
    }
    String problems = view.text("problems");
    if (problems != null && !problems.isEmpty()) {
      return problems;
    }
    return down ? "its group is not open" : "it knows no leader";
  }

  private boolean quorumRuns() throws IOException {
    int running = 0;
    for (LocalNode node : cluster.nodes()) {
      running += node.process().isPresent() ? 1 : 0;
    }
    return running > cluster.members().size() / 2;
  }
}
