// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A ring of processes that keeps large values, which are known. */
final class DhtProcesses {
  /** Longer than anything takes. */
  static final Duration WAIT = Duration.ofSeconds(90);

  private static final int WRITERS = 4;
  private static final String PADDING = "x".repeat(16 << 10);
  private static final Pattern VERSION = Pattern.compile("\"version\": \"([0-9a-f.]+)\"");

  private final LocalCluster cluster;
  private final Map<String, String> versions = new ConcurrentHashMap<>();

  DhtProcesses(LocalCluster cluster) {
    this.cluster = cluster;
  }

  static String key(int number) {
    return "large-" + number;
  }

  private static String value(String key) {
    return key + ":" + PADDING;
  }

  int count() {
    return versions.size();
  }

  /** Stores so many values, through all nodes. */
  void fill(int values) throws Exception {
    List<Callable<Void>> writers = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      int first = i;
      writers.add(
          () -> {
            for (int number = first; number < values; number += WRITERS) {
              String key = key(number);
              Shell shell = cluster.shell("n" + (1 + number % cluster.nodes().size()));
              versions.put(
                  key, version(shell.done("dht:put " + key + " " + value(key) + " -o json")));
            }
            return null;
          });
    }
    together(writers);
  }

  private static void together(List<Callable<Void>> tasks) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      for (Future<Void> future : threads.invokeAll(tasks)) {
        future.get();
      }
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } finally {
      threads.shutdown();
    }
  }

  /** Each of them is there, as it was acknowledged, on one node after the other. */
  void assertNothingLost() throws Exception {
    List<Callable<Void>> readers = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      int first = i;
      readers.add(
          () -> {
            for (int number = first; number < versions.size(); number += WRITERS) {
              String key = key(number);
              Shell shell = cluster.shell("n" + (1 + (number + 3) % cluster.nodes().size()));
              String json = shell.done("dht:get " + key + " -o json");
              assertEquals(key, versions.get(key), version(json));
              assertTrue(key, json.contains("\"value\": \"" + value(key) + "\""));
            }
            return null;
          });
    }
    together(readers);
  }

  static String version(String json) {
    Matcher matcher = VERSION.matcher(json);
    assertTrue("no version", matcher.find());
    return matcher.group(1);
  }

  // ---- the ring ------------------------------------------------------------------------------

  /** Waits until these nodes, and no others, own the ring, with all copies, and all say so. */
  void awaitIdeal(List<String> members) throws Exception {
    List<String> faults = new ArrayList<>();
    boolean isIdeal =
        Deadline.in(WAIT)
            .until(
                () -> {
                  faults.clear();
                  faults.addAll(faults(members));
                  return faults.isEmpty();
                });
    assertTrue(faults.toString(), isIdeal);
  }

  private List<String> faults(List<String> members) {
    List<String> faults = new ArrayList<>();
    try {
      Set<String> epochs = new TreeSet<>();
      for (String node : members) {
        Map<String, String> status = Rows.one(cluster.shell(node).done("dht:status -o json"));
        epochs.add(String.valueOf(status.get("epoch")));
        if (!"true".equals(status.get("ideal")) || !"true".equals(status.get("member"))) {
          faults.add(node + " " + status);
        }
      }
      if (epochs.size() > 1) {
        faults.add("epochs " + epochs);
      }
      Set<String> owners = new TreeSet<>();
      for (Part part : parts()) {
        owners.add(part.nodes().get(0));
        if (!part.isWhole()) {
          faults.add(part.toString());
        }
      }
      if (!owners.equals(new TreeSet<>(members))) {
        faults.add("owners " + owners);
      }
      Shell.Answer check = cluster.shell("n1").run("dht:check");
      if (!check.out().equals("ok")) {
        faults.add(check.toString());
      }
    } catch (IOException | AssertionError e) {
      faults.add(String.valueOf(e.getMessage()));
    }
    return faults;
  }

  /**
   * A part of the ring.
   *
   * @param nodes who keeps it, the owner first
   */
  record Part(BigInteger after, BigInteger upTo, List<String> nodes, boolean isWhole) {
    boolean contains(BigInteger point) {
      boolean isAfter = point.compareTo(after) > 0;
      boolean isUpTo = point.compareTo(upTo) <= 0;
      return after.compareTo(upTo) < 0 ? isAfter && isUpTo : isAfter || isUpTo;
    }
  }

  /** All parts, as the first node says. */
  List<Part> parts() throws IOException {
    List<Part> parts = new ArrayList<>();
    for (Map<String, String> row : Rows.of(cluster.shell("n1").done("dht:ranges -o json"))) {
      List<String> nodes = new ArrayList<>(List.of(String.valueOf(row.get("owner"))));
      nodes.addAll(List.of(String.valueOf(row.get("replicas")).split(",")));
      parts.add(
          new Part(
              new BigInteger(String.valueOf(row.get("after")), 16),
              new BigInteger(String.valueOf(row.get("up_to")), 16),
              nodes,
              "true".equals(row.get("whole"))));
    }
    return parts;
  }

  /** How many copies of values are on nodes that did not have them before. */
  int moved(List<Part> before, List<Part> after) {
    int moved = 0;
    for (String key : versions.keySet()) {
      BigInteger point = point(key);
      Set<String> now = new LinkedHashSet<>(keepers(after, point));
      now.removeAll(keepers(before, point));
      moved += now.size();
    }
    return moved;
  }

  private static List<String> keepers(List<Part> parts, BigInteger point) {
    return parts.stream().filter(it -> it.contains(point)).findFirst().orElseThrow().nodes();
  }

  private static BigInteger point(String key) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-1").digest(key.getBytes(StandardCharsets.UTF_8));
      return new BigInteger(HexFormat.of().formatHex(hash), 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  String owner(String key) throws IOException {
    return String.valueOf(
        Rows.one(cluster.shell("n1").done("dht:owner " + key + " -o json")).get("owner"));
  }

  /** A key that a node owns. */
  String ownedBy(String node) throws IOException {
    for (int i = 0; ; i++) {
      if (owner("owned-" + i).equals(node)) {
        return "owned-" + i;
      }
    }
  }

  /** Whether a node that is to leave hands over what it has. */
  boolean isHandingOver(String node) throws IOException {
    Shell shell = cluster.shell("n1");
    // Peers compare copies at any time, and who leaves says so; nobody else moves in the other
    // mode.
    return "peer".equals(Rows.one(shell.done("dht:status -o json")).get("mode"))
        ? shell.run("dht:check").toString().contains(node + ": this node is leaving")
        : balance("moving").stream().anyMatch(it -> it > 0);
  }

  /** What each member has, by what. */
  List<Long> balance(String what) throws IOException {
    return Rows.of(cluster.shell("n1").done("dht:balance -o json")).stream()
        .map(it -> Long.parseLong(String.valueOf(it.get(what))))
        .toList();
  }

  /** Waits until there are all copies of everything, and no more; how many values there are. */
  long awaitCopies(int replicas) throws Exception {
    List<String> last = new ArrayList<>();
    boolean isComplete =
        Deadline.in(WAIT)
            .until(
                () -> {
                  long owned = sum(balance("owned"));
                  long keys = sum(balance("keys"));
                  last.clear();
                  last.add(owned + " owned, " + keys + " kept");
                  return owned >= versions.size() && keys == replicas * owned;
                });
    assertTrue(last.toString(), isComplete);
    return sum(balance("owned"));
  }

  private static long sum(List<Long> numbers) {
    return numbers.stream().mapToLong(Long::longValue).sum();
  }
}
