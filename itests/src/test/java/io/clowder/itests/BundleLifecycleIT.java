// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Ring;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameters;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;

/**
 * Three nodes; on one of them a bundle is stopped and started, updated, refreshed, while the two
 * others are under load, of the map, of locks, of a replicated store and of tasks. For them nothing
 * fails; the one recovers; all three agree on everything that was acknowledged.
 */
@RunWith(Parameterized.class)
public class BundleLifecycleIT {
  private static final int NODES = 3;
  private static final int WAIT_MILLIS = 20_000;

  /** Writes of each load before, during and after a change. */
  private static final int SOME = 20;

  private static final String STORE = "main";
  private static final String RING = "main";

  /** Values that are on the ring before anything is changed, and are there after everything was. */
  private static final int ON_RING = 20;

  private static final List<FelixNode> cluster = new ArrayList<>();
  private static int loads;

  /** Which test left a cluster that does not serve; the ones after it cannot say anything. */
  private static String broken = "";

  private final String bundle;

  public BundleLifecycleIT(String bundle) {
    this.bundle = bundle;
  }

  @Parameters(name = "{0}")
  public static List<String> bundles() {
    return BundleFiles.OWN;
  }

  @BeforeClass
  public static void start() throws Exception {
    Path dir = Files.createTempDirectory("lifecycle");
    String members = Ports.members(NODES);
    for (int i = 1; i <= NODES; i++) {
      cluster.add(FelixNode.start(dir, "n" + i, members, settings("n" + i), BundleFiles.OWN));
    }
    for (FelixNode node : cluster) {
      node.awaitServing();
    }
    awaitIdealRing();
    for (int i = 0; i < ON_RING; i++) {
      cluster.get(i % NODES).probe().ring(RING).put("before-" + i, "all");
    }
  }

  private static Map<String, Map<String, String>> settings(String node) {
    return Map.of(
        "io.clowder.consensus.group~main",
        Map.of(),
        "io.clowder.replication~" + STORE,
        Map.of(),
        "io.clowder.dht~" + RING,
        Map.of("partitions", "16"),
        "io.clowder.scheduler",
        Map.of("labels", "node=" + node));
  }

  private static void awaitIdealRing() throws Exception {
    for (FelixNode node : cluster) {
      boolean isIdeal =
          Deadline.in(Duration.ofMillis(WAIT_MILLIS))
              .until(() -> DhtCluster.faultsOf(node.probe().ring(RING)).isEmpty());
      assertTrue(node.id() + ": " + DhtCluster.faultsOf(node.probe().ring(RING)), isIdeal);
    }
  }

  /** Nothing of the ring waits for a change before the next one, but nothing is lost by any. */
  private static void checkRing() throws Exception {
    awaitIdealRing();
    for (int i = 0; i < ON_RING; i++) {
      for (FelixNode node : cluster) {
        Ring.Entry found = node.probe().ring(RING).get("before-" + i);
        assertTrue(node.id() + " has " + found, found != null && found.value().equals("all"));
      }
    }
  }

  @AfterClass
  public static void stop() throws Exception {
    try {
      checkRing();
    } finally {
      stopAll();
    }
  }

  private static void stopAll() throws Exception {
    for (FelixNode node : cluster) {
      node.stop();
    }
    cluster.clear();
  }

  @Test
  public void ofTheLeaderIsStoppedAndStarted() throws Exception {
    change(leader(), this::stopAndStart);
  }

  @Test
  public void ofTheLeaderIsUpdated() throws Exception {
    change(leader(), this::update);
  }

  @Test
  public void ofTheLeaderIsRefreshed() throws Exception {
    change(leader(), (node, loads) -> node.refresh(node.bundle(bundle)));
  }

  @Test
  public void ofAFollowerIsStoppedAndStarted() throws Exception {
    change(follower(), this::stopAndStart);
  }

  @Test
  public void ofAFollowerIsUpdated() throws Exception {
    change(follower(), this::update);
  }

  @Test
  public void ofAFollowerIsRefreshed() throws Exception {
    change(follower(), (node, loads) -> node.refresh(node.bundle(bundle)));
  }

  private void stopAndStart(FelixNode node, List<Load> loads) throws Exception {
    Bundle stopped = node.bundle(bundle);
    stopped.stop();
    assertEquals(Bundle.RESOLVED, stopped.getState());
    awaitProgress(loads);
    stopped.start();
  }

  /** From its own file, as a new version would be. */
  private void update(FelixNode node, List<Load> loads) throws Exception {
    Bundle updated = node.bundle(bundle);
    updated.update();
    if (updated.getHeaders().get(Constants.EXPORT_PACKAGE) != null) {
      // Until this, the others use the old classes, and whichever restarts next the new ones.
      node.refresh(updated);
    }
  }

  private void change(FelixNode victim, Change change) throws Exception {
    awaitInSync();
    List<Load> loads = new ArrayList<>();
    List<Load> ofStore = new ArrayList<>();
    List<Load> ofTasks = new ArrayList<>();
    for (FelixNode node : cluster) {
      if (node != victim) {
        String name = node.id() + "-" + ++BundleLifecycleIT.loads;
        loads.add(node.probe().load(name));
        ofStore.add(node.probe().store(STORE).load(name));
        ofTasks.add(node.probe().tasks().load(name, "try/echo"));
      }
    }
    List<Load> all = Stream.of(loads, ofStore, ofTasks).flatMap(List::stream).toList();
    broken = bundle + " on " + victim.id();
    List<Load.Outcome> outcomes = new ArrayList<>();
    List<Load.Outcome> outcomesOfStore = new ArrayList<>();
    List<Load.Outcome> outcomesOfTasks = new ArrayList<>();
    try {
      awaitProgress(all);
      change.to(victim, all);
      awaitProgress(all);
      victim.awaitServing();
      victim.probe().put("from", victim.id());
      victim.probe().lockOnce("own-" + victim.id());
      victim.probe().store(STORE).put("from", victim.id());
      runsTasks(victim);
      broken = "";
    } finally {
      for (Load load : loads) {
        outcomes.add(load.stop());
      }
      for (Load load : ofStore) {
        outcomesOfStore.add(load.stop());
      }
      for (Load load : ofTasks) {
        outcomesOfTasks.add(load.stop());
      }
    }
    for (Load.Outcome outcome : outcomesOfTasks) {
      assertEquals(List.of(), outcome.failures());
    }
    Agreement.check(cluster, outcomes);
    Agreement.checkStore(cluster, STORE, outcomesOfStore);
  }

  /** It is given some again, and submits some. */
  private static void runsTasks(FelixNode node) throws Exception {
    long task = node.probe().tasks().submit("try/echo", "own", null);
    assertEquals("own", node.probe().tasks().result(task).value());
    String line = "task:submit try/echo --label node=" + node.id() + " --wait 20s";
    node.probe().shell(line);
  }

  /** A copy that was away has to be in sync before another one goes, or too few are left. */
  private static void awaitInSync() throws Exception {
    for (FelixNode node : cluster) {
      boolean isInSync =
          Deadline.in(Duration.ofMillis(WAIT_MILLIS))
              .until(() -> node.probe().store(STORE).status().insync().size() == NODES);
      assertTrue(node.id() + ": " + node.probe().store(STORE).status(), isInSync);
    }
  }

  private static void awaitProgress(List<Load> loads) throws InterruptedException {
    for (Load load : loads) {
      load.awaitProgress(SOME, WAIT_MILLIS);
    }
  }

  private static FelixNode leader() throws Exception {
    assertEquals("the cluster does not serve since a change", "", broken);
    List<FelixNode> leading = new ArrayList<>();
    boolean found =
        Deadline.in(Duration.ofMillis(WAIT_MILLIS))
            .until(
                () -> {
                  leading.clear();
                  for (FelixNode node : cluster) {
                    if (node.probe().view().role().equals("leader")) {
                      leading.add(node);
                    }
                  }
                  return leading.size() == 1;
                });
    assertTrue("leaders: " + leading.stream().map(FelixNode::id).toList(), found);
    return leading.get(0);
  }

  private static FelixNode follower() throws Exception {
    FelixNode leader = leader();
    FelixNode follower = cluster.get((cluster.indexOf(leader) + 1) % NODES);
    assertNotNull(follower.probe().view().leader());
    return follower;
  }

  /** What is done to a node under load. */
  private interface Change {
    void to(FelixNode node, List<Load> loads) throws Exception;
  }
}
