// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.DhtCluster.BUNDLE;
import static io.clowder.itests.DhtCluster.and;
import static io.clowder.itests.DhtCluster.within;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Ring;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;
import org.osgi.framework.Bundle;

/**
 * A ring of mode {@code peer}, founded by three of four containers and joined by the fourth: what
 * it promises to who uses it, and that it goes on when one thing after the other is changed under
 * load. Each test leaves it as it found it.
 */
public class PeerIT extends RingPromises {
  private static final String MAIN = "main";
  private static final String[] ALL = {"n1", "n2", "n3", "n4"};
  private static final Map<String, String> PEER = Map.of("mode", "peer", "founders", "n1,n2,n3");

  private static @Nullable DhtCluster shared;
  private static @Nullable Links links;

  @BeforeClass
  public static void start() throws Exception {
    Links made = new Links(List.of(ALL));
    links = made;
    shared = DhtCluster.start(ALL.length, made::members);
    shared.configure(MAIN, PEER, "n1", "n2", "n3");
    shared.awaitIdeal(MAIN, "n1", "n2", "n3");
    shared.configure(MAIN, PEER, "n4");
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
    links().close();
  }

  private static DhtCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  private static Links links() {
    assertNotNull("no links", links);
    return links;
  }

  @Override
  DhtCluster nodes() {
    return cluster();
  }

  @Override
  Map<String, String> settings() {
    return PEER;
  }

  @Before
  public void itIsAsItOughtToBe() throws Exception {
    cluster().awaitIdeal(MAIN, ALL);
  }

  @After
  public void nobodyWritesAnyMore() throws Exception {
    links().heal();
    cluster().dropLoads();
  }

  private static List<String> without(String node) {
    List<String> others = new ArrayList<>(List.of(ALL));
    others.remove(node);
    return others;
  }

  // ---- the ring ------------------------------------------------------------------------------

  @Test
  public void everyNodeSeesTheSameRing() throws Exception {
    List<Ring.Part> parts = cluster().ring("n1", MAIN).parts();
    assertEquals(ALL.length, parts.size());
    for (int i = 0; i < ALL.length; i++) {
      Ring.Part part = parts.get(i);
      List<String> next = new ArrayList<>();
      for (int j = 1; j <= 2; j++) {
        next.add(parts.get((i + j) % ALL.length).owner());
      }
      assertEquals(next, part.replicas());
      assertEquals(parts.get((i + ALL.length - 1) % ALL.length).upTo(), part.after());
      Ring owner = cluster().ring(part.owner(), MAIN);
      Ring.Sight sight = new Ring.Sight(0, true, List.of(ALL), next);
      boolean isSame =
          within(() -> owner.owned().equals(List.of(part)) && owner.sight().equals(sight));
      assertTrue(owner.owned() + ", " + owner.sight() + " and not " + part, isSame);
    }
    for (String node : ALL) {
      Ring ring = cluster().ring(node, MAIN);
      assertTrue(within(() -> new Ring.Offer("peer", 3, 0, true).equals(ring.offer())));
      assertTrue(within(ring::isLookedAfter));
      assertEquals(parts, ring.parts());
      assertEquals(List.of(), ring.check());
      double sum = 0;
      for (Ring.Share share : ring.balance()) {
        sum += share.share();
      }
      assertEquals(1, sum, 1e-6);
    }
  }

  // ---- changes -------------------------------------------------------------------------------

  /** Something is done to a node, while the others serve. */
  private static void change(String victim, DhtCluster.Change change) throws Exception {
    cluster().change(MAIN, victim, change, ALL);
  }

  /** Nobody hears of it, as in a power failure or when a cable is pulled. */
  private static void cutOff(String victim) throws Exception {
    for (String other : without(victim)) {
      links().cut(victim, other);
      links().cut(other, victim);
    }
    cluster().awaitProgress();
    cluster().awaitIdeal(MAIN, without(victim).toArray(String[]::new));
  }

  @Test
  public void aNodeIsLostAndComesBack() throws Exception {
    change(
        "n2",
        node -> {
          cutOff("n2");
          cluster().stop(node);
          links().heal();
          cluster().startAgain(node);
          cluster().configure(MAIN, PEER, "n2");
        });
  }

  /** It took itself for all that is left, and the others for dead. */
  @Test
  public void aNodeThatWasCutOffIsThereAgain() throws Exception {
    change(
        "n3",
        node -> {
          cutOff("n3");
          links().heal();
        });
  }

  @Test
  public void itsBundleIsStoppedAndStarted() throws Exception {
    change(
        "n4",
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
    change("n1", node -> node.bundle(BUNDLE).update());
  }

  @Test
  public void aNodeLeavesAndItsRangeIsTheOthers() throws Exception {
    Ring leaver = cluster().ring("n3", MAIN);
    Ring other = cluster().ring("n1", MAIN);
    Map<String, Ring.Entry> own = new HashMap<>();
    for (int i = 0; own.size() < 10; i++) {
      String key = "left-" + i;
      if (leaver.keepers(key.getBytes(UTF_8)).get(0).equals("n3")) {
        own.put(key, new Ring.Entry("of n3", leaver.put(key, "of n3"), -1));
      }
    }
    cluster().load(MAIN, cluster().nodes(List.of("n1", "n4")));
    leaver.leave();
    assertFalse(leaver.sight().isMember());
    assertEquals(List.of(), leaver.owned());
    for (String key : own.keySet()) {
      assertEquals(own.get(key), other.get(key));
    }
    refused("UNAVAILABLE", "this node has left the ring (dht:join)", () -> leaver.put("a", "1"));
    cluster().awaitProgress();
    cluster().awaitIdeal(MAIN, without("n3").toArray(String[]::new));
    leaver.join();
    cluster().awaitIdeal(MAIN, ALL);
    cluster().awaitProgress();
    assertEquals("writes fail when a node leaves", 0, cluster().endLoads(MAIN, cluster().nodes()));
    for (String key : own.keySet()) {
      assertEquals("n3", other.keepers(key.getBytes(UTF_8)).get(0));
      assertEquals(own.get(key), leaver.get(key));
    }
  }

  // ---- commands ------------------------------------------------------------------------------

  @Test
  public void itsCommandsAnswer() throws Exception {
    FelixNode n1 = cluster().node("n1");
    String version = Rows.one(n1.probe().shell("dht:put shell/a 1 -o json")).get("version");
    String said = n1.probe().shell("dht:put shell/a 2 --if-version " + version + " --copies 3");
    assertTrue(said, said.matches("shell/a = 2 \\(version \\d+\\.[0-9a-f]+\\)"));
    String owner = n1.probe().shell("dht:owner shell/a").substring("owner ".length());
    assertTrue(owner, owner.matches("n\\d, replicas n\\d,n\\d"));
    String lookup = n1.probe().shell("dht:lookup shell/a --trace");
    assertTrue(lookup, lookup.contains("owner " + owner.substring(0, "n1".length()) + ", hops "));
    assertTrue(lookup, lookup.lines().anyMatch(it -> it.matches(" *0 +n1 +[0-9a-f]{40}")));
    assertPicture(n1.probe().shell("dht:lookup shell/a --svg"));
    assertPicture(n1.probe().shell("dht:ring --svg"));
    assertEquals(4, Rows.of(n1.probe().shell("dht:ring -o json")).size());
    assertEquals(4, Rows.of(n1.probe().shell("dht:ring --local -o json")).size());
    Map<String, String> row = Rows.one(n1.probe().shell("dht:status -o json"));
    assertEquals(
        List.of("main", "peer", "4", "true", "1", "true"),
        List.of(
            row.get("ring"),
            row.get("mode"),
            row.get("members"),
            row.get("member"),
            row.get("ranges"),
            row.get("ideal")));
    List<Map<String, String>> ranges = Rows.of(n1.probe().shell("dht:ranges -o json"));
    assertEquals(4, ranges.size());
    assertTrue(ranges.toString(), ranges.stream().allMatch(it -> it.get("whole").equals("true")));
    assertEquals("n1", Rows.one(n1.probe().shell("dht:ranges n1 -o json")).get("owner"));
    assertEquals("ok", n1.probe().shell("dht:check"));
    assertEquals("all copies agree", n1.probe().shell("dht:repair"));
    assertEquals("n2 can be stopped safely", n1.probe().shell("dht:safe n2"));
    assertEquals("n1 can be stopped safely", n1.probe().shell("dht:safe"));
    assertTrue(failed(n1, "dht:abandon n2 --accept-loss").contains("in mode peer nobody waits"));

    FelixNode n4 = cluster().node("n4");
    row = Rows.one(n4.probe().shell("dht:leave -o json"));
    assertEquals(Map.of("ring", "main", "node", "n4", "member", "false"), row);
    assertTrue(failed(n4, "dht:check").startsWith("n4: this node has left the ring (dht:join)"));
    assertEquals("n4 owns no range", n1.probe().shell("dht:ranges n4"));
    assertEquals("n4 can be stopped safely", n4.probe().shell("dht:safe"));
    assertEquals("n4 has joined main", n4.probe().shell("dht:join"));
  }

  // ---- refusals ------------------------------------------------------------------------------

  @Test
  public void aBadConfigurationIsRefusedByItsKey() throws Exception {
    FelixNode n4 = cluster().node("n4");
    String pid = BUNDLE + "~bad";
    for (String[] wrong :
        new String[][] {
          {"successors", "1", "successors is 1: use at least 2, or 0"},
          {"successors", "65", "successors is 65: use 0 to 64"},
          {"founders", "n1,not/a/node", "founders is "},
          {"founders", "n1,n2", "founders is n1,n2: a ring of 3 replicas and lists of 2"},
          {"replicas", "5", "founders is all members of the cluster, n1,n2,n3,n4: a ring of 5"},
          {"successors", "4", "founders is all members of the cluster, n1,n2,n3,n4: a ring of 3"},
        }) {
      n4.probe().configure(pid, and(Map.of("mode", "peer"), wrong[0], wrong[1]));
      awaitMissing(n4, pid + ": " + wrong[2]);
      assertNull(wrong[2], cluster().ring("n4", "bad").offer());
    }
    n4.probe().unconfigure(pid);
  }

  /** And with whom it cannot be on one ring, before there is one and after. */
  @Test
  public void aNodeSaysForWhomItWaits() throws Exception {
    Map<String, String> patient = and(PEER, "timeout.millis", "500");
    cluster().configure("odd", patient, "n1", "n2");
    Ring n1 = cluster().ring("n1", "odd");
    String waits = "this node is on no ring: it waits for [";
    awaitFault("n1", waits + "n3], to found one with 3 nodes at least");
    refused("UNAVAILABLE", waits, () -> n1.put("a", "1"));
    refused("UNAVAILABLE", waits, () -> n1.get("a"));
    refused("UNAVAILABLE", waits, () -> n1.keepers(new byte[1]));
    String here = "mode peer, successors 2, replicas 3, hash SHA-1";
    for (String[] other :
        new String[][] {
          {"replicas", "2", "mode peer, successors 1, replicas 2, hash SHA-1"},
          {"hash", "SHA-256", "mode peer, successors 2, replicas 3, hash SHA-256"},
          {"mode", "consistent", "mode consistent"},
        }) {
      cluster().configure("odd", and(patient, other[0], other[1]), "n3");
      awaitFault("n1", "n3 has this ring with " + other[2] + ", and this node with " + here);
      String there = other[0].equals("mode") ? "mode peer" : here;
      awaitFault("n3", "n1 has this ring with " + there + ", and this node with " + other[2]);
    }
    cluster().unconfigure("odd", "n3");
    cluster().configure("odd", patient, "n3");
    cluster().awaitIdeal("odd", "n1", "n2", "n3");
    cluster().configure("odd", and(patient, "replicas", "2"), "n4");
    awaitFault("n4", "n1 has this ring with " + here);
    assertTrue(within(() -> n1.check().isEmpty()));
    cluster().unconfigure("odd", ALL);
  }

  private static void awaitFault(String node, String part) throws Exception {
    Ring ring = cluster().ring(node, "odd");
    boolean isThere = within(() -> DhtCluster.faultsOf(ring).toString().contains(part));
    assertTrue(part + " in " + DhtCluster.faultsOf(ring), isThere);
  }
}
