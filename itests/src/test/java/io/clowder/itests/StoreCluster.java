// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Store;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/** Three nodes in frameworks of this process that have stores. */
final class StoreCluster {
  static final Duration WAIT = Duration.ofSeconds(40);
  static final String BUNDLE = "io.clowder.replication";

  /** Writes of each load before, during and after a change. */
  private static final int SOME = 20;

  private static final List<String> ALL = List.of("n1", "n2", "n3");

  private final Path dir;
  private final UnaryOperator<String> members;
  private final Map<String, Map<String, String>> settings;
  private final List<FelixNode> nodes = new ArrayList<>();
  private final List<Load> loads = new ArrayList<>();
  private int numbers;

  private StoreCluster(
      Path dir, UnaryOperator<String> members, Map<String, Map<String, String>> settings) {
    this.dir = dir;
    this.members = members;
    this.settings = settings;
  }

  /** Starts it with stores of these names, and waits until all copies are in sync. */
  static StoreCluster start(String... stores) throws Exception {
    String members = Ports.members(ALL.size());
    return start(node -> members, stores);
  }

  /**
   * The same.
   *
   * @param members by node, as that is to know them
   */
  static StoreCluster start(UnaryOperator<String> members, String... stores) throws Exception {
    Map<String, Map<String, String>> settings = new HashMap<>();
    settings.put("io.clowder.consensus.group~main", Map.of());
    settings.put("io.clowder.fd", Map.of());
    for (String store : stores) {
      settings.put(BUNDLE + "~" + store, Map.of());
    }
    StoreCluster cluster = new StoreCluster(Files.createTempDirectory("stores"), members, settings);
    try {
      for (String id : ALL) {
        cluster.nodes.add(cluster.startNode(id));
      }
      for (String store : stores) {
        cluster.awaitInSync(store);
      }
      return cluster;
    } catch (Exception | AssertionError e) {
      cluster.stop();
      throw e;
    }
  }

  private FelixNode startNode(String id) throws Exception {
    return FelixNode.start(dir, id, members.apply(id), settings, BundleFiles.OWN);
  }

  void stop() throws Exception {
    for (FelixNode node : nodes) {
      node.stop();
    }
    nodes.clear();
  }

  List<FelixNode> nodes() {
    return List.copyOf(nodes);
  }

  FelixNode node(String id) {
    return nodes.stream().filter(it -> it.id().equals(id)).findFirst().orElseThrow();
  }

  List<FelixNode> others(FelixNode than) {
    return nodes.stream().filter(it -> it != than).toList();
  }

  /** Stops a framework. */
  void stop(FelixNode node) throws Exception {
    node.stop();
  }

  /** Starts it again, on the same directory. */
  void startAgain(FelixNode node) throws Exception {
    nodes.set(nodes.indexOf(node), startNode(node.id()));
  }

  static Store store(FelixNode node, String name) throws InterruptedException {
    return node.probe().store(name);
  }

  /** The stores of one name, node by node. */
  List<Store> stores(String name) throws InterruptedException {
    List<Store> stores = new ArrayList<>();
    for (FelixNode node : nodes) {
      stores.add(store(node, name));
    }
    return stores;
  }

  // ---- who holds it --------------------------------------------------------------------------

  /** Waits until every node says that all copies are in sync; the primary as they all say. */
  FelixNode awaitInSync(String store) throws Exception {
    return awaitInSync(store, ALL);
  }

  /** The same of some copies. */
  FelixNode awaitInSync(String store, List<String> insync) throws Exception {
    List<Store.Role> last = new ArrayList<>();
    boolean isSettled =
        within(
            () -> {
              last.clear();
              for (FelixNode node : nodes) {
                last.add(store(node, store).status());
              }
              return isSettled(store, last, insync);
            });
    assertTrue(store + ": " + last, isSettled);
    return node(String.valueOf(last.get(0).primary()));
  }

  private boolean isSettled(String store, List<Store.Role> said, List<String> insync)
      throws Exception {
    String primary = said.get(0).primary();
    boolean isSettled = primary != null && insync.contains(primary);
    for (int i = 0; i < said.size(); i++) {
      Store.Role it = said.get(i);
      String role =
          it.removed().contains(nodes.get(i).id())
              ? "client"
              : nodes.get(i).id().equals(primary) ? "primary" : "backup";
      isSettled &=
          it.role().equals(role)
              && it.insync().equals(insync)
              && it.epoch() == said.get(0).epoch()
              && String.valueOf(primary).equals(it.primary())
              && new Store.Offer(role, it.epoch(), insync)
                  .equals(store(nodes.get(i), store).offer());
    }
    return isSettled;
  }

  /** Takes the primary for failed, as a failure detector would; the next one. */
  FelixNode failOver(String store) throws Exception {
    FelixNode failed = awaitInSync(store);
    long epoch = store(failed, store).status().epoch();
    others(failed).get(0).probe().shell("store:fail " + failed.id() + " --store " + store);
    FelixNode next = awaitInSync(store);
    assertNotEquals(failed.id(), next.id());
    assertTrue(store(next, store).status().epoch() > epoch);
    return next;
  }

  // ---- load ----------------------------------------------------------------------------------

  /** Starts a load of a store on each of these nodes. */
  void load(String store, List<FelixNode> on) throws Exception {
    for (FelixNode node : on) {
      loads.add(store(node, store).load("load-" + node.id() + "-" + ++numbers));
    }
    awaitProgress();
  }

  /** Waits until all loads have got on. */
  void awaitProgress() throws InterruptedException {
    for (Load load : loads) {
      load.awaitProgress(SOME, WAIT.toMillis());
    }
  }

  /** Ends all loads: nothing has failed, and every node has what was acknowledged. */
  void endLoads(String store) throws Exception {
    List<Load.Outcome> outcomes = new ArrayList<>();
    for (Load load : loads) {
      outcomes.add(load.stop());
    }
    loads.clear();
    Agreement.checkStore(nodes, store, outcomes);
  }

  /** Ends all loads, whatever became of them. */
  void dropLoads() throws InterruptedException {
    for (Load load : loads) {
      load.stop();
    }
    loads.clear();
  }

  static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
