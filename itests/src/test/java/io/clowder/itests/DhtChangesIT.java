// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.DhtCluster.BUNDLE;
import static io.clowder.itests.DhtCluster.SMALL;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Ring;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;
import org.osgi.framework.Bundle;

/**
 * A ring of three containers out of four under load, in which one thing after the other is changed:
 * its bundle on one node, who is a member, consensus below it. Nothing that was acknowledged is
 * lost, and every read has an order that explains it.
 */
public class DhtChangesIT {
  private static final String MAIN = "main";
  private static final List<String> ALL = List.of("n1", "n2", "n3", "n4");

  private static @Nullable DhtCluster shared;

  /** The members; the other node waits. */
  private static List<String> members = List.of("n1", "n2", "n3");

  @BeforeClass
  public static void start() throws Exception {
    shared = DhtCluster.start(ALL.size());
    shared.configure(MAIN, SMALL, members());
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
  }

  private static DhtCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  private static String[] members() {
    return members.toArray(String[]::new);
  }

  @Before
  public void itIsAsItOughtToBe() throws Exception {
    cluster().awaitIdeal(MAIN, members());
  }

  @After
  public void nobodyWritesAnyMore() throws Exception {
    cluster().dropLoads();
  }

  @Test
  public void itsBundleIsStoppedAndStarted() throws Exception {
    change(
        members.get(0),
        node -> {
          Bundle stopped = node.bundle(BUNDLE);
          stopped.stop();
          assertEquals(Bundle.RESOLVED, stopped.getState());
          cluster().awaitProgress();
          stopped.start();
        });
  }

  @Test
  public void itsBundleIsUpdated() throws Exception {
    change(members.get(1), node -> node.bundle(BUNDLE).update());
  }

  @Test
  public void itsBundleIsRefreshed() throws Exception {
    change(members.get(2), node -> node.refresh(node.bundle(BUNDLE)));
  }

  private static void change(String victim, DhtCluster.Change change) throws Exception {
    cluster().change(MAIN, victim, change, members());
  }

  private static List<String> without(String victim) {
    List<String> others = new ArrayList<>(members);
    others.remove(victim);
    return others;
  }

  @Test
  public void aNodeLeavesAndJoins() throws Exception {
    cluster().load(MAIN, cluster().nodes(members));
    Ring ring = cluster().ring(members.get(0), MAIN);
    ring.leave();
    assertFalse(ring.sight().isMember());
    cluster().awaitProgress();
    ring.join();
    cluster().awaitIdeal(MAIN, members());
    cluster().awaitProgress();
    assertEquals(
        "writes fail when a node leaves", 0, cluster().endLoads(MAIN, cluster().nodes(members)));
  }

  @Test
  public void aNodeStopsAndAnotherTakesItsPlace() throws Exception {
    List<String> three = members;
    String spare = ALL.stream().filter(it -> !three.contains(it)).findFirst().orElseThrow();
    String victim = three.get(0);
    cluster().load(MAIN, cluster().nodes(without(victim)));
    cluster().stop(cluster().node(victim));
    cluster().awaitProgress();
    cluster().configure(MAIN, SMALL, spare);
    members = without(victim);
    members.add(spare);
    cluster().awaitIdeal(MAIN, members());
    cluster().awaitProgress();
    cluster().endLoads(MAIN, cluster().nodes(members));
    cluster().startAgain(cluster().node(victim)).awaitServing();
  }

  /** What it owns cannot be read meanwhile, as it might not be the owner any more. */
  @Test
  public void withoutConsensusOnOneNodeOthersGoOn() throws Exception {
    String without = members.get(1);
    Bundle consensus = cluster().node(without).bundle("io.clowder.consensus");
    List<String> keys = new ArrayList<>();
    for (int i = 0; keys.size() < 20; i++) {
      byte[] key = ("owned-" + i).getBytes(UTF_8);
      if (!cluster().ring(members.get(0), MAIN).keepers(key).get(0).equals(without)) {
        keys.add("owned-" + i);
      }
    }
    consensus.stop();
    for (String key : keys) {
      for (String node : members) {
        Ring ring = cluster().ring(node, MAIN);
        String version = ring.put(key, node);
        assertEquals(new Ring.Entry(node, version, -1), ring.get(key));
      }
    }
    consensus.start();
    for (FelixNode node : cluster().nodes()) {
      node.awaitServing();
    }
    cluster().load(MAIN, cluster().nodes(members));
    cluster().awaitIdeal(MAIN, members());
    assertEquals(0, cluster().endLoads(MAIN, cluster().nodes(members)));
  }

  @Test
  public void consensusIsSwapped() throws Exception {
    cluster().load(MAIN, cluster().nodes(members));
    for (String protocol : List.of("paxos", "raft")) {
      FelixNode node = cluster().node(members.get(0));
      node.probe().shell("clowder:swap " + protocol);
      String status = node.probe().shell("clowder:status -o json");
      assertTrue(status, status.contains("\"" + protocol + "\""));
      cluster().awaitProgress();
      // And it decides on rings under the next one.
      Ring ring = cluster().ring(members.get(2), MAIN);
      if (ring.sight().isMember()) {
        ring.leave();
      } else {
        ring.join();
      }
    }
    cluster().awaitIdeal(MAIN, members());
    cluster().awaitProgress();
    assertEquals(0, cluster().endLoads(MAIN, cluster().nodes(members)));
  }
}
