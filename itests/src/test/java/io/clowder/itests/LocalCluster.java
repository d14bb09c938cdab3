// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A cluster on this machine, and every process that it ever had. */
final class LocalCluster {
  private static final Pattern ROW =
      Pattern.compile("\"node\": \"(\\w+)\".*?\"role\": (?:\"(\\w+)\"|null)", Pattern.DOTALL);
  private static final int PAGE = 1_000;

  /** Of nodes of which there are many on one machine. */
  private static final String SMALL =
      "CLOWDER_JAVA_OPTS=-Xmx160m -XX:TieredStopAtLevel=1 -XX:CICompilerCount=1";

  private final Path dir;
  private final List<String> nodes;
  private final Map<Long, ProcessHandle> processes = new LinkedHashMap<>();

  /** Whether each has little memory. */
  private boolean isSmall;

  private LocalCluster(Path dir, int nodes) {
    this.dir = dir;
    this.nodes = IntStream.rangeClosed(1, nodes).mapToObj(i -> "n" + i).toList();
  }

  /** A cluster of three. */
  static LocalCluster up(String name) throws Exception {
    return up(name, "");
  }

  /** A cluster of three with these settings, as a file for {@code --config}. */
  static LocalCluster up(String name, String settings) throws Exception {
    return up(name, 3, settings);
  }

  /** The same of so many. */
  static LocalCluster up(String name, int nodes, String settings) throws Exception {
    return up(name, nodes, settings, false);
  }

  /** The same of so many that each has little memory. */
  static LocalCluster upMany(String name, int nodes, String settings) throws Exception {
    return up(name, nodes, settings, true);
  }

  private static LocalCluster up(String name, int nodes, String settings, boolean isSmall)
      throws Exception {
    Path folder = Files.createTempDirectory(name);
    LocalCluster cluster = new LocalCluster(folder.resolve("c"), nodes);
    cluster.isSmall = isSmall;
    Path config = Files.writeString(folder.resolve("config"), settings);
    try {
      cluster.done(
          "up",
          "--detach",
          "--nodes",
          Integer.toString(nodes),
          "--config",
          config.toString(),
          "--dir",
          cluster.dir.toString());
      cluster.remember();
      return cluster;
    } catch (Exception | AssertionError e) {
      cluster.killAll();
      throw e;
    }
  }

  private Distribution.Result run(String... words) throws IOException, InterruptedException {
    return Distribution.startBy(isSmall ? List.of("env", SMALL) : List.of(), words).end();
  }

  private void done(String... words) throws IOException, InterruptedException {
    Distribution.Result result = run(words);
    if (result.status() != 0) {
      throw new AssertionError("failed: " + result);
    }
  }

  /** Nodes that the caller starts, each in the folder of its name in this one. */
  static LocalCluster at(Path dir, int nodes) {
    return new LocalCluster(dir, nodes);
  }

  Path dir() {
    return dir;
  }

  /** Their names. */
  List<String> nodes() {
    return nodes;
  }

  /** One of the others. */
  String other(String than) {
    return nodes.stream().filter(it -> !it.equals(than)).findFirst().orElseThrow();
  }

  Path dir(String node) {
    return dir.resolve(node);
  }

  Shell shell(String node) {
    return new Shell(dir(node));
  }

  /** Runs {@code clowder stop|start|kill NODE}. */
  void order(String what, String node) throws Exception {
    Distribution.done(what, node, "--dir", dir.toString());
    remember();
  }

  /**
   * Starts a node as {@code clowder start} does, but leaves it to the caller how long it may take:
   * on a busy machine the command gives up sooner than the node.
   */
  void start(String node) throws Exception {
    Distribution.Result started = run("start", node, "--dir", dir.toString());
    remember();
    if (started.status() != 0 && !started.err().contains(node + " does not serve")) {
      throw new AssertionError("failed: " + started);
    }
  }

  /** Starts a node in the foreground, as {@code clowder start} does in the background. */
  Distribution.Running foreground(String node) throws IOException {
    return Distribution.start(
        "node",
        "--dir",
        dir(node).toString(),
        "--id",
        node,
        "--listen",
        address(node),
        "--members",
        members(),
        "--config",
        dir.resolve("node.properties").toString());
  }

  /** Where a node listens. */
  String address(String node) throws IOException {
    return members().replaceFirst(".*" + node + "=([^,]*).*", "$1");
  }

  private String members() throws IOException {
    Properties cluster = new Properties();
    try (Reader reader = Files.newBufferedReader(dir.resolve("cluster.properties"))) {
      cluster.load(reader);
    }
    return cluster.getProperty("members");
  }

  /** The node that leads, as soon as one does. */
  String leader() throws Exception {
    List<String> leaders = new ArrayList<>();
    boolean found =
        Deadline.in(Duration.ofSeconds(30))
            .until(
                () -> {
                  leaders.clear();
                  Matcher rows = ROW.matcher(status());
                  while (rows.find()) {
                    if ("leader".equals(rows.group(2))) {
                      leaders.add(rows.group(1));
                    }
                  }
                  return leaders.size() == 1;
                });
    if (!found) {
      throw new AssertionError("leaders " + leaders + " in " + status());
    }
    return leaders.get(0);
  }

  String status() throws IOException, InterruptedException {
    return Distribution.done("status", "--dir", dir.toString(), "-o", "json");
  }

  /** The primary of the store, as soon as all nodes say that all three copies are in sync. */
  String primary(Duration wait) throws Exception {
    List<Map<String, String>> said = new ArrayList<>();
    boolean isSettled =
        Deadline.in(wait)
            .until(
                () -> {
                  said.clear();
                  for (String node : nodes) {
                    said.add(storeStatus(node));
                  }
                  return said.stream().allMatch(it -> "n1,n2,n3".equals(it.get("in-sync")))
                      && said.stream().map(it -> it.get("primary")).distinct().count() == 1
                      && !"null".equals(said.get(0).get("primary"));
                });
    if (!isSettled) {
      throw new AssertionError("not in sync: " + said);
    }
    return String.valueOf(said.get(0).get("primary"));
  }

  /** What a node says of the store that {@code clowder up} makes; nothing if it is not there. */
  Map<String, String> storeStatus(String node) {
    try {
      Shell.Answer answer = shell(node).run("store:status -o json");
      return answer.status() == 0 ? Rows.one(answer.out()) : Map.of();
    } catch (IOException e) {
      return Map.of();
    }
  }

  /** All keys with a prefix and their values, as a node has them once it is up to date. */
  Map<String, String> entries(String node, String prefix) throws Exception {
    Shell shell = shell(node);
    boolean current =
        Deadline.in(Duration.ofSeconds(30))
            .until(() -> shell.run("kv:list nothing --limit 1").status() == 0);
    if (!current) {
      throw new AssertionError(node + " does not serve: " + shell.run("kv:list nothing"));
    }
    Map<String, String> entries = new LinkedHashMap<>();
    String after = "";
    while (true) {
      Shell.Answer page = shell.run("kv:list " + prefix + " --local --limit " + PAGE + after);
      if (page.status() != 0) {
        throw new AssertionError(node + ": " + page.err());
      }
      List<String> rows = page.out().lines().skip(1).toList();
      String last = "";
      for (String row : rows) {
        String[] cells = row.strip().split("\\s+");
        entries.put(cells[0], cells[1]);
        last = cells[0];
      }
      if (rows.size() < PAGE) {
        return entries;
      }
      after = " --after " + last;
    }
  }

  /** Notes which processes the nodes have. */
  void remember() throws IOException {
    for (String node : nodes) {
      Path file = dir(node).resolve("pid");
      if (Files.exists(file)) {
        long pid = Long.parseLong(Files.readString(file).split(" ")[0]);
        ProcessHandle.of(pid).ifPresent(handle -> processes.putIfAbsent(pid, handle));
      }
    }
  }

  /** Kills the process of a node by SIGKILL, and waits until it is gone. */
  void kill(String node) throws IOException {
    long pid = Long.parseLong(Files.readString(dir(node).resolve("pid")).split(" ")[0]);
    ProcessHandle process = processes.get(pid);
    if (process == null || !process.destroyForcibly()) {
      throw new AssertionError(node + ", process " + pid + ", cannot be killed");
    }
    process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
  }

  /** Kills all processes that run at one stroke, as a power failure does, and waits for that. */
  void killTogether() throws Exception {
    List<String> command = new ArrayList<>(List.of("kill", "-KILL"));
    running().forEach(pid -> command.add(pid.toString()));
    Tool.run(command.toArray(String[]::new));
    for (ProcessHandle process : processes.values()) {
      process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
    }
  }

  /** Starts all that do not run, together. */
  void upAgain() throws Exception {
    Distribution.done("up", "--detach", "--dir", dir.toString());
    remember();
  }

  /** Sends a signal to the process of a node, such as STOP. */
  void signal(String signal, String node) throws Exception {
    String pid = Files.readString(dir(node).resolve("pid")).split(" ")[0];
    Tool.run("kill", "-" + signal, pid);
  }

  /** Those of its processes that run. */
  List<Long> running() {
    return processes.values().stream()
        .filter(ProcessHandle::isAlive)
        .map(ProcessHandle::pid)
        .toList();
  }

  /** Whatever happened: nothing runs, and nothing is left on disk. */
  void killAll() throws IOException {
    remember();
    for (ProcessHandle process : processes.values()) {
      // Of one that ended long ago, the number may be somebody else's by now.
      if (process.isAlive()) {
        process.destroyForcibly();
        process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
      }
    }
    if (Files.exists(dir)) {
      try (Stream<Path> all = Files.walk(dir)) {
        for (Path path : all.sorted((one, other) -> other.compareTo(one)).toList()) {
          Files.deleteIfExists(path);
        }
      }
    }
  }
}
