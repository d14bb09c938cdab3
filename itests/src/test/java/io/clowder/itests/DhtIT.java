// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.DhtCluster.SMALL;
import static io.clowder.itests.DhtCluster.and;
import static io.clowder.itests.DhtCluster.within;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Ring;
import io.clowder.itests.probe.Ring.Entry;
import io.clowder.itests.probe.Ring.With;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;

/**
 * Rings of four containers: what they promise to who uses them, on every node. Each test leaves the
 * cluster as it found it, with a ring on three nodes, and has keys or rings of its own.
 */
public class DhtIT extends RingPromises {
  private static final String MAIN = "main";

  private static @Nullable DhtCluster shared;

  @BeforeClass
  public static void start() throws Exception {
    shared = DhtCluster.start(4);
    shared.configure(MAIN, SMALL, "n1", "n2", "n3");
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
  }

  private static DhtCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  @Override
  DhtCluster nodes() {
    return cluster();
  }

  @Override
  Map<String, String> settings() {
    return SMALL;
  }

  @Before
  public void itIsAsItOughtToBe() throws Exception {
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3");
  }

  /** Long before the time that a call may take. */
  @Test
  public void aRingOfOneRefusesWritesAndSaysWhy() throws Exception {
    cluster().configure("alone", and(SMALL, "timeout.millis", "600000"), "n4");
    Ring alone = cluster().ring("n4", "alone");
    String few = "fewer than 3 copies: 1 nodes can keep any";
    assertTrue(within(() -> DhtCluster.faultsOf(alone).toString().contains(few)));
    String why = "ring alone: 2 copies are needed, and there can be 1 now";
    refused("UNAVAILABLE", why, () -> alone.put("a", "1"));
    refused("UNAVAILABLE", why, () -> alone.put(new byte[1], new byte[1], new With("", 0, 1)));
    assertNull(alone.get("a"));
    Ring.Offer offer = alone.offer();
    assertNotNull(offer);
    assertFalse(offer.isIdeal());
    assertTrue(alone.reasonsToStay("n4").toString().contains("the only copy"));
    cluster().unconfigure("alone", "n4");
    assertEquals(3, cluster().ring("n1", MAIN).balance().size());
  }

  @Test
  public void aBadConfigurationIsRefusedByItsKey() throws Exception {
    FelixNode n4 = cluster().node("n4");
    String pid = DhtCluster.BUNDLE + "~bad";
    for (String[] wrong :
        new String[][] {
          {"mode", "foo", "mode is 'foo': use consistent or peer"},
          {"partitions", "100", "partitions is 100: use a power of two, 16 to 65536"},
          {"partitions", "8", "partitions is 8: use a power of two"},
          {"replicas", "9", "replicas is 9: use 1 to 7"},
          {"replicas", "0", "replicas is 0: use 1 to 7"},
          {"hash", "MD4711", "hash is "},
          {"write.quorum", "4", "write.quorum is 4: use 1 to 3"},
          {"weight", "101", "weight is 101: use 1 to 100"},
          {"timeout.millis", "0", "timeout.millis is 0: use 1 to 600000"},
          {"transfer.mebibytes", "0", "transfer.mebibytes is 0: use 1 to 65536"},
          {"domain", "x".repeat(65), "domain is "},
        }) {
      n4.probe().configure(pid, Map.of(wrong[0], wrong[1]));
      awaitMissing(n4, pid + ": " + wrong[2]);
      assertNull(wrong[2], cluster().ring("n4", "bad").offer());
    }
    n4.probe().unconfigure(pid);
    n4.probe().configure(DhtCluster.BUNDLE + "~Bad", Map.of());
    awaitMissing(n4, "the ring's name is 'Bad'");
    n4.probe().unconfigure(DhtCluster.BUNDLE + "~Bad");
    // What only the others can know: the ring was founded otherwise.
    cluster().configure(MAIN, Map.of("partitions", "128"), "n4");
    Ring odd = cluster().ring("n4", MAIN);
    assertTrue(within(() -> DhtCluster.faultsOf(odd).toString().contains("this node cannot join")));
    cluster().unconfigure(MAIN, "n4");
  }

  @Test
  public void itsPropertiesSayWhetherItIsIdealAndSinceWhen() throws Exception {
    Ring n1 = cluster().ring("n1", MAIN);
    Ring.Offer before = n1.offer();
    assertNotNull(before);
    assertEquals(new Ring.Offer("consistent", 3, before.epoch(), true), before);
    assertTrue(before.epoch() > 0);
    assertTrue(within(n1::isLookedAfter));
    cluster().ring("n3", MAIN).leave();
    assertTrue(within(() -> !String.valueOf(n1.offer()).contains("isIdeal=true")));
    assertTrue(within(() -> n1.sight().members().equals(List.of("n1", "n2"))));
    assertFalse(cluster().ring("n3", MAIN).sight().isMember());
    assertTrue(n1.check().toString(), n1.check().toString().contains("fewer than 3 copies"));
    // Who is no member reaches those who are.
    String version = cluster().ring("n3", MAIN).put("left/a", "1");
    assertEquals(new Entry("1", version, -1), cluster().ring("n3", MAIN).get("left/a"));
    assertEquals(new Entry("1", version, -1), n1.get("left/a"));
    cluster().ring("n3", MAIN).join();
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3");
    Ring.Offer after = n1.offer();
    assertNotNull(after);
    assertTrue(after + " after " + before, after.isIdeal() && after.epoch() > before.epoch());
  }

  @Test
  public void copiesAreInDifferentRacks() throws Exception {
    Map<String, String> racks = and(and(SMALL, "replicas", "2"), "hash", "SHA-256");
    cluster().configure("racks", and(racks, "domain", "r1"), "n1", "n2");
    cluster().configure("racks", and(racks, "domain", "r2"), "n3", "n4");
    cluster().awaitIdeal("racks", "n1", "n2", "n3", "n4");
    Ring ring = cluster().ring("n4", "racks");
    List<String> first = List.of("n1", "n2");
    for (Ring.Part part : ring.parts()) {
      assertEquals(part.toString(), 1, part.replicas().size());
      boolean isOwnerInFirst = first.contains(part.owner());
      assertFalse(part.toString(), isOwnerInFirst == first.contains(part.replicas().get(0)));
    }
    for (Ring.Share share : ring.balance()) {
      assertEquals(share.toString(), 0.25, share.share(), 0.0);
    }
    ring.put("a", "1");
    assertTrue(cluster().node("n1").probe().shell("dht:ring --ring racks").contains("r2"));
    cluster().unconfigure("racks", "n1", "n2", "n3", "n4");
  }

  @Test
  public void ringsHaveNothingInCommon() throws Exception {
    cluster().configure("second", SMALL, "n2", "n3", "n4");
    cluster().awaitIdeal("second", "n2", "n3", "n4");
    Ring second = cluster().ring("n4", "second");
    second.put("both/a", "in second");
    cluster().ring("n1", MAIN).put("both/a", "in main");
    for (String node : List.of("n2", "n3")) {
      FelixNode both = cluster().node(node);
      assertEquals("in main", both.probe().shell("dht:get both/a"));
      assertEquals("in second", both.probe().shell("dht:get both/a --ring second"));
    }
    // The only one of a node is meant if none is said.
    assertEquals("in second", cluster().node("n4").probe().shell("dht:get both/a"));
    cluster().ring("n3", "second").leave();
    assertTrue(within(() -> second.sight().members().equals(List.of("n2", "n4"))));
    cluster().awaitIdeal(MAIN, "n1", "n2", "n3");
    cluster().unconfigure("second", "n2", "n3", "n4");
    assertEquals("in main", cluster().node("n2").probe().shell("dht:get both/a"));
  }

  @Test
  public void itsCommandsAnswer() throws Exception {
    FelixNode n1 = cluster().node("n1");
    String version = Rows.one(n1.probe().shell("dht:put shell/a 1 -o json")).get("version");
    String said = n1.probe().shell("dht:put shell/a 2 --if-version " + version + " --copies 3");
    assertTrue(said, said.matches("shell/a = 2 \\(version \\d+\\.[0-9a-f]+\\)"));
    assertEquals("2", n1.probe().shell("dht:get shell/a"));
    assertEquals("2", n1.probe().shell("dht:get 7368656c6c2f61 --hex --any"));
    assertTrue(n1.probe().shell("dht:put shell/b 3 --ttl 1h").startsWith("shell/b = 3"));
    Map<String, String> row = Rows.one(n1.probe().shell("dht:get shell/b -o json"));
    assertTrue(row.toString(), Long.parseLong(row.get("left_ms")) <= 3_600_000);
    assertEquals("shell/b removed", n1.probe().shell("dht:remove shell/b"));
    assertEquals("shell/b was not there", n1.probe().shell("dht:remove shell/b"));

    String owner = n1.probe().shell("dht:owner shell/a");
    assertTrue(owner, owner.matches("owner n\\d, replicas n\\d,n\\d, epoch \\d+"));
    String lookup = n1.probe().shell("dht:lookup shell/a --trace");
    assertTrue(lookup, lookup.contains(owner.substring(0, "owner n1".length()) + ", hops "));
    assertPicture(n1.probe().shell("dht:lookup shell/a --svg"));
    assertPicture(n1.probe().shell("dht:ring --svg"));
    assertEquals(3, Rows.of(n1.probe().shell("dht:ring -o json")).size());
    assertEquals(3, Rows.of(n1.probe().shell("dht:ring --local -o json")).size());
    row = Rows.one(n1.probe().shell("dht:status -o json"));
    assertEquals(
        List.of("main", "3", "true"),
        List.of(row.get("ring"), row.get("members"), row.get("ideal")));
    List<Map<String, String>> own = Rows.of(n1.probe().shell("dht:ranges n1 -o json"));
    assertTrue(own.toString(), own.stream().allMatch(it -> it.get("owner").equals("n1")));
    assertEquals(row.get("ranges"), Integer.toString(own.size()));
    assertTrue(Rows.of(n1.probe().shell("dht:ranges -o json")).size() > own.size());
    String balance = n1.probe().shell("dht:balance");
    assertTrue(balance, balance.contains("max/mean"));
    assertEquals("ok", n1.probe().shell("dht:check"));
    assertEquals("all copies agree", n1.probe().shell("dht:repair"));
    assertEquals("n2 can be stopped safely", n1.probe().shell("dht:safe n2"));
    assertEquals("n1 can be stopped safely", n1.probe().shell("dht:safe"));

    FelixNode n3 = cluster().node("n3");
    row = Rows.one(n3.probe().shell("dht:leave -o json"));
    assertEquals(Map.of("ring", "main", "node", "n3", "member", "false"), row);
    assertTrue(failed(n1, "dht:check").contains("fewer than 3 copies"));
    assertTrue(failed(n1, "dht:check").endsWith("ring main has 2 problems"));
    assertEquals("n3 can be stopped safely", n3.probe().shell("dht:safe"));
    assertEquals("n3 has joined main", n3.probe().shell("dht:join"));
  }

  @Test
  public void wrongWordsGetOneClearLine() throws Exception {
    FelixNode n1 = cluster().node("n1");
    for (String[] wrong :
        new String[][] {
          {"dht:put alone", "VALUE"},
          {"dht:put a 1 --ring none", "no ring 'none' on this node; there are: main"},
          {"dht:put a 1 --ttl soon", "500ms"},
          {"dht:put a 1 --copies 4", "4 copies were asked for; ring main keeps 3"},
          {"dht:put a 1 --copies 0", "use 1 or more"},
          {"dht:put a 1 --if-version one", "'one' is no version"},
          {"dht:put shell/none 1 --if-version 1.1", "no value, not version 1.1"},
          {"dht:put " + "k".repeat(2_000) + " v", "the key has 2000 bytes"},
          {"dht:get nobody", "no such key: nobody"},
          {"dht:get abc --hex", "not hexadecimal"},
          {"dht:lookup", "KEY"},
          {"dht:safe n9", "n9 is not on ring main"},
          {"dht:safe not/a/node", "not/a/node"},
          {"dht:status -o xml", "xml"},
          {"dht:status --ring none", "no ring 'none'"},
          {"dht:ring --nonsense", "--nonsense"},
        }) {
      String refused = failed(n1, wrong[0]);
      String shown = wrong[0].length() > 80 ? wrong[0].substring(0, 80) + "…" : wrong[0];
      assertTrue(shown + ": " + refused, refused.contains(wrong[1]));
      assertEquals(shown + ": " + refused, 1, refused.lines().count());
    }
    String none = failed(cluster().node("n4"), "dht:get a");
    assertEquals("no ring on this node: configure io.clowder.dht~NAME", none);
  }
}
