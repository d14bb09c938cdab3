// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Ring;
import io.clowder.itests.probe.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Nodes in frameworks of this process, on which rings come and go. */
final class DhtCluster {
  static final Duration WAIT = Duration.ofSeconds(40);
  static final String BUNDLE = "io.clowder.dht";

  /** So few that tests do not wait for them. */
  static final Map<String, String> SMALL = Map.of("partitions", "64");

  /** Writes of each load before, during and after a change. */
  private static final int SOME = 20;

  private final Path dir;
  private final UnaryOperator<String> members;
  private final List<FelixNode> nodes = new ArrayList<>();
  private final List<Load> loads = new ArrayList<>();
  private final List<MapLoad> clients = new ArrayList<>();
  private final MapLoad.Witness witness = new MapLoad.Witness();
  private int numbers;

  private DhtCluster(Path dir, UnaryOperator<String> members) {
    this.dir = dir;
    this.members = members;
  }

  /** Starts nodes {@code n1}, {@code n2} and so on, without rings. */
  static DhtCluster start(int count) throws Exception {
    String members = Ports.members(count);
    return start(count, node -> members);
  }

  /**
   * The same.
   *
   * @param members by node, as that is to know them
   */
  static DhtCluster start(int count, UnaryOperator<String> members) throws Exception {
    DhtCluster cluster = new DhtCluster(Files.createTempDirectory("rings"), members);
    try {
      for (int i = 1; i <= count; i++) {
        cluster.nodes.add(cluster.startNode("n" + i));
      }
      for (FelixNode node : cluster.nodes) {
        node.awaitServing();
      }
      return cluster;
    } catch (Exception | AssertionError e) {
      cluster.stop();
      throw e;
    }
  }

  private FelixNode startNode(String id) throws Exception {
    Map<String, Map<String, String>> settings =
        Map.of("io.clowder.consensus.group~main", Map.of(), "io.clowder.fd", Map.of());
    return FelixNode.start(dir, id, members.apply(id), settings, BundleFiles.OWN);
  }

  void stop() throws Exception {
    for (FelixNode node : nodes) {
      node.stop();
    }
    nodes.clear();
  }

  /** Stops a framework. */
  void stop(FelixNode node) throws Exception {
    node.stop();
  }

  /** Starts it again, on the same directory, without rings. */
  FelixNode startAgain(FelixNode node) throws Exception {
    FelixNode again = startNode(node.id());
    nodes.set(nodes.indexOf(node), again);
    return again;
  }

  List<FelixNode> nodes() {
    return List.copyOf(nodes);
  }

  FelixNode node(String id) {
    return nodes.stream().filter(it -> it.id().equals(id)).findFirst().orElseThrow();
  }

  List<FelixNode> nodes(List<String> ids) {
    return ids.stream().map(this::node).toList();
  }

  // ---- rings ---------------------------------------------------------------------------------

  static Ring ring(FelixNode node, String name) throws InterruptedException {
    return node.probe().ring(name);
  }

  Ring ring(String node, String name) throws InterruptedException {
    return ring(node(node), name);
  }

  /** Rings of one name, node by node. */
  List<Ring> rings(String name, String... on) throws InterruptedException {
    List<Ring> rings = new ArrayList<>();
    for (String node : on) {
      rings.add(ring(node, name));
    }
    return rings;
  }

  /** What is set, and something else. */
  static Map<String, String> and(Map<String, String> settings, String key, String value) {
    Map<String, String> all = new HashMap<>(settings);
    all.put(key, value);
    return all;
  }

  /** Configures a ring on nodes. */
  void configure(String name, Map<String, String> settings, String... on) throws Exception {
    for (String node : on) {
      node(node).probe().configure(BUNDLE + "~" + name, settings);
    }
  }

  /** Has a ring leave nodes, for good. */
  void unconfigure(String name, String... on) throws Exception {
    for (String node : on) {
      node(node).probe().unconfigure(BUNDLE + "~" + name);
    }
    for (String node : on) {
      assertTrue(node + " still has it", within(() -> ring(node, name).offer() == null));
    }
  }

  /**
   * Waits until each of these nodes sees the ring as it ought to be: these are its members, each of
   * which owns a part, and everything has all its copies.
   */
  void awaitIdeal(String name, String... on) throws Exception {
    Set<String> all = Set.copyOf(Arrays.asList(on));
    awaitWhole(name, owners -> owners.equals(all), on);
  }

  /** The same, where those own all of it of whom something is true. */
  void awaitWhole(String name, Owners owners, String... on) throws Exception {
    List<String> faults = new ArrayList<>();
    boolean isIdeal =
        within(
            () -> {
              faults.clear();
              Set<Long> epochs = new TreeSet<>();
              for (String node : on) {
                faults.addAll(faults(ring(node, name), owners, on));
                epochs.add(ring(node, name).sight().epoch());
              }
              return faults.isEmpty() && epochs.size() == 1;
            });
    assertTrue(name + ": " + faults, isIdeal);
  }

  /** What is not as it ought to be; that it does not run is of that kind. */
  static List<String> faultsOf(Ring ring) throws Exception {
    if (ring.offer() == null) {
      return List.of("there is no service");
    }
    try {
      return ring.check();
    } catch (Store.Failure e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }

  private static List<String> faults(Ring ring, Owners owners, String... on) throws Exception {
    List<String> faults = new ArrayList<>(faultsOf(ring));
    if (!faults.isEmpty()) {
      return faults;
    }
    List<String> members = ring.sight().members();
    if (!members.equals(Arrays.stream(on).sorted().toList())) {
      faults.add("members " + members);
    }
    List<Ring.Part> parts = ring.parts();
    Set<String> owning = parts.stream().map(Ring.Part::owner).collect(Collectors.toSet());
    if (!owners.are(owning)) {
      faults.add("owners " + owning);
    }
    parts.stream().filter(it -> !it.isWhole()).forEach(it -> faults.add("not whole: " + it));
    Ring.Offer offer = ring.offer();
    if (offer == null || !offer.isIdeal() || offer.epoch() != ring.sight().epoch()) {
      faults.add("offered as " + offer);
    }
    return faults;
  }

  /** Who owns something. */
  interface Owners {
    /** Whether it is as is waited for. */
    boolean are(Set<String> owners);
  }

  // ---- load ----------------------------------------------------------------------------------

  /** Starts, on each of these nodes, a load of keys of its own and clients who share keys. */
  void load(String ring, List<FelixNode> on) throws Exception {
    for (FelixNode node : on) {
      loads.add(ring(node, ring).load("load-" + node.id() + "-" + ++numbers));
      clients.add(new MapLoad(line -> answer(node, line), node.id(), "dht", witness));
    }
    awaitProgress();
  }

  private static Shell.Answer answer(FelixNode node, String line) throws IOException {
    try {
      return new Shell.Answer(0, node.probe().shell(line), "");
    } catch (IllegalStateException e) {
      return new Shell.Answer(1, "", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Waits until all loads have got on. */
  void awaitProgress() throws Exception {
    for (Load load : loads) {
      load.awaitProgress(SOME, WAIT.toMillis());
    }
    for (MapLoad client : clients) {
      client.awaitProgress(SOME, WAIT);
    }
  }

  /** What is done to a node. */
  interface Change {
    void to(FelixNode node) throws Exception;
  }

  /**
   * Something is done to one of the members of a ring, which two others use meanwhile. What it had
   * before it has after.
   */
  void change(String ring, String victim, Change change, String... on) throws Exception {
    Ring own = ring(victim, ring);
    String before = own.put("own", victim);
    List<String> others = new ArrayList<>(Arrays.asList(on));
    others.remove(victim);
    load(ring, nodes(others.subList(0, 2)));
    change.to(node(victim));
    awaitProgress();
    assertEquals(new Ring.Entry(victim, before, -1), ring(victim, ring).get("own"));
    awaitIdeal(ring, on);
    awaitProgress();
    int unknown = endLoads(ring, nodes(Arrays.asList(on)));
    System.out.printf("dht: %d writes of unknown outcome%n", unknown);
  }

  /**
   * Ends all loads. Nothing has failed but what may have happened, which is what becomes of a write
   * whose owner goes; every node reads the newest of what was acknowledged; and what clients saw
   * has an order that explains it. In mode {@code peer}, reads that were stale are left out of that
   * order, which there may be while owners change, but not any more.
   *
   * @return how many failed
   */
  int endLoads(String ring, List<FelixNode> on) throws Exception {
    List<Load.Outcome> outcomes = new ArrayList<>();
    for (Load load : loads) {
      outcomes.add(load.stop());
    }
    loads.clear();
    int failed = Agreement.checkRing(on, ring, outcomes);
    for (MapLoad client : clients) {
      client.end();
    }
    List<String> stale = witness.stale();
    for (MapLoad client : clients) {
      client.readAll();
    }
    clients.clear();
    assertEquals("stale in the end", stale, witness.stale());
    Ring.Offer offer = ring(on.get(0), ring).offer();
    if (offer != null && offer.mode().equals("peer")) {
      System.out.printf("dht: %d stale reads%n", stale.size());
    } else {
      assertEquals("stale", List.of(), stale);
    }
    assertTrue("nothing was asked", witness.done() > SOME);
    assertEquals(List.of(), ring(on.get(0), ring).check());
    return failed;
  }

  /** Ends all loads, whatever became of them. */
  void dropLoads() throws InterruptedException {
    for (Load load : loads) {
      load.stop();
    }
    for (MapLoad client : clients) {
      client.end();
    }
    loads.clear();
    clients.clear();
  }

  static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
