// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import io.clowder.api.NodeId;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code clowder up}: a cluster on this machine, from nothing or from where it was. */
@Command(
    name = "up",
    description = {
      "Starts a cluster on this machine, or what of it does not run.",
      "On a terminal it then opens n1's shell; leaving the shell leaves the cluster running."
    })
final class UpCommand implements Callable<Integer> {
  private static final int NODES = 3;
  private static final String PROTOCOL = "raft";
  private static final String STORES = "io.clowder.replication";
  private static final String RINGS = "io.clowder.dht";

  @Option(
      names = "--nodes",
      paramLabel = "COUNT",
      description = "How many nodes a new cluster has (default: " + NODES + ").")
  private @Nullable Integer nodes;

  @Option(
      names = "--protocol",
      paramLabel = "NAME",
      description = "What orders a new cluster's commands (default: " + PROTOCOL + ").")
  private @Nullable String protocol;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = {
        "Settings for every node of a new cluster, by PID and key, such as",
        "io.clowder.consensus.group~second.protocol=paxos",
        "Without a store in it (io.clowder.replication~NAME), there is one that is named main;",
        "so with a ring (io.clowder.dht~NAME)."
      })
  private @Nullable Path config;

  @Option(names = "--detach", description = "Open no shell; print the nodes and return.")
  private boolean detach;

  @Mixin private ClusterOption option = new ClusterOption();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure, InterruptedException {
    Distribution distribution = Distribution.current();
    check(distribution);
    Cluster cluster;
    try (FileChannel lock = lock()) {
      cluster = Cluster.exists(option.dir()) ? existing() : created(settings(distribution));
      new ClusterStart(cluster, distribution).startHolding(lock, cluster.nodes());
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(ClusterStatus.ask(cluster).text());
    out.println();
    if (detach || !InteractiveShell.onTerminal()) {
      hints(cluster).forEach(out::println);
      return 0;
    }
    out.println("Try kv:put a 1, lock:acquire job, lb. Leave with exit; the cluster stays up");
    out.println("until: clowder down" + where());
    out.flush();
    return new InteractiveShell(cluster.nodes().get(0), cluster.dir().resolve("history")).run();
  }

  private List<String> hints(Cluster cluster) throws CommandFailure {
    List<LocalNode> nodes = cluster.nodes();
    NodeId other = nodes.get(Math.min(1, nodes.size() - 1)).id();
    return List.of(
        "Try:  clowder sh" + where() + " kv:put a 1",
        "      clowder sh" + where() + " --node " + other + " kv:get a",
        "      clowder kill n1" + where() + "; clowder status" + where());
  }

  /** The option that leads other commands to this cluster, ready to be copied. */
  private String where() throws CommandFailure {
    String dir = option.dir().toString();
    if (dir.equals(".clowder")) {
      return "";
    }
    boolean plain = dir.matches("[A-Za-z0-9_./:@%+=-]+");
    return " --dir " + (plain ? dir : "'" + dir.replace("'", "'\\''") + "'");
  }

  private void check(Distribution distribution) throws IOException, CommandFailure {
    List<String> known = distribution.protocols();
    if (protocol != null && !known.contains(protocol)) {
      throw CommandFailure.usage(
          "--protocol " + protocol + ": this distribution has " + String.join(", ", known));
    }
    if (nodes != null && (nodes < 1 || nodes > Cluster.NODES_MAX)) {
      throw CommandFailure.usage("--nodes " + nodes + ": use 1 to " + Cluster.NODES_MAX);
    }
  }

  private FileChannel lock() throws IOException, CommandFailure {
    Path dir = option.dir();
    try {
      if (!Cluster.exists(dir)) {
        Cluster.requireNew(dir);
      }
      return Cluster.lock(dir.toAbsolutePath().normalize());
    } catch (IOException e) {
      throw CommandFailure.usage(FileProblem.sentence(e));
    }
  }

  /** What is in the file of {@code --config}; refuses what no bundle knows before it is copied. */
  private Properties settings(Distribution distribution) throws IOException, CommandFailure {
    Properties settings = NodeSettings.file(config);
    SettingsCatalog catalog = distribution.settings();
    for (String name : settings.stringPropertyNames()) {
      if (!name.equals("cluster")) {
        catalog.split(name);
      }
    }
    // Without the bundle, these would be settings that nobody knows.
    if (catalog.knows(STORES)) {
      addStore(settings, nodes == null ? NODES : nodes);
    }
    if (catalog.knows(RINGS)) {
      addRing(settings, nodes == null ? NODES : nodes);
    }
    return settings;
  }

  /** Gives a new cluster a store, if its settings name none; of no more copies than nodes. */
  static void addStore(Properties settings, int nodes) {
    if (!names(settings, STORES)) {
      settings.setProperty(STORES + "~main.replicas", Integer.toString(Math.min(3, nodes)));
      settings.setProperty(STORES + "~main.min.insync", Integer.toString(Math.min(2, nodes)));
    }
  }

  /**
   * Gives a new cluster a ring, if its settings name none; it may need no more copies than nodes.
   */
  static void addRing(Properties settings, int nodes) {
    if (!names(settings, RINGS)) {
      settings.setProperty(RINGS + "~main.replicas", Integer.toString(Math.min(3, nodes)));
      settings.setProperty(RINGS + "~main.write.quorum", Integer.toString(Math.min(2, nodes)));
    }
  }

  private static boolean names(Properties settings, String pid) {
    return settings.stringPropertyNames().stream().anyMatch(it -> it.startsWith(pid + "~"));
  }

  private Cluster created(Properties settings) throws IOException, CommandFailure {
    return Cluster.create(
        option.dir(),
        nodes == null ? NODES : nodes,
        protocol == null ? PROTOCOL : protocol,
        settings);
  }

  private Cluster existing() throws IOException, CommandFailure {
    Cluster cluster = option.open();
    int count = cluster.members().size();
    if (config != null) {
      throw CommandFailure.usage(
          "--config %s: the cluster in %s has its settings already; edit %s"
              .formatted(config, option.dir(), cluster.settings()));
    }
    if (nodes != null && nodes != count) {
      throw CommandFailure.usage(
          "--nodes %d: the cluster in %s has %d; use another --dir, or clowder down%s --wipe first"
              .formatted(nodes, option.dir(), count, where()));
    }
    if (protocol != null && !protocol.equals(cluster.protocol())) {
      throw CommandFailure.usage(
          "--protocol %s: the cluster in %s was made with %s; use another --dir"
              .formatted(protocol, option.dir(), cluster.protocol()));
    }
    return cluster;
  }
}
