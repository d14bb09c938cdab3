// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.StoreCluster.BUNDLE;
import static io.clowder.itests.StoreCluster.within;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;

/**
 * Several stores of three containers, which come, go and change by configuration and from the
 * shell.
 */
public class StoresIT {
  private static final String MAIN = "main";
  private static final String BILLS = "bills";
  private static final String ORDERS = "orders";
  private static final List<String> STORES = List.of(MAIN, BILLS, ORDERS);

  private static @Nullable StoreCluster shared;

  @BeforeClass
  public static void start() throws Exception {
    shared = StoreCluster.start(MAIN, BILLS, ORDERS);
    awaitThatEachNodeLeadsOne();
  }

  /** Whoever has founded all of them leads all of them, and gives two away. */
  private static void awaitThatEachNodeLeadsOne() throws Exception {
    List<String> leading = new ArrayList<>();
    boolean isSpread =
        within(
            () -> {
              leading.clear();
              for (String store : STORES) {
                leading.add(cluster().awaitInSync(store).id());
              }
              return new TreeSet<>(leading).size() == STORES.size();
            });
    assertTrue(leading.toString(), isSpread);
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
  }

  private static StoreCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  @After
  public void nobodyWritesAnyMore() throws Exception {
    cluster().dropLoads();
  }

  @Before
  public void allCopiesAreInSync() throws Exception {
    for (String store : STORES) {
      cluster().awaitInSync(store);
    }
  }

  @Test
  public void storesHaveNothingInCommon() throws Exception {
    FelixNode n1 = cluster().nodes().get(0);
    long version = StoreCluster.store(n1, MAIN).put("a", "in main");
    StoreCluster.store(n1, BILLS).put("a", "in bills");
    for (FelixNode node : cluster().nodes()) {
      assertEquals("in main", node.probe().shell("store:get a"));
      assertEquals("in bills", node.probe().shell("store:get a --store bills"));
      assertNull(StoreCluster.store(node, ORDERS).get("a", "linearizable"));
    }
    Store.Roles bills = StoreCluster.store(n1, BILLS).listen(BILLS, "none");
    cluster().failOver(BILLS);
    assertTrue(within(() -> bills.heard().size() > 1));
    assertTrue(bills.heard().stream().allMatch(it -> it.store().equals(BILLS)));
    bills.close();
    Store.Entry there = new Store.Entry("a", "in main", version);
    assertEquals(there, StoreCluster.store(n1, MAIN).get("a", "linearizable"));
  }

  @Test
  public void aBadConfigurationIsRefusedByItsKeyAndOthersGoOn() throws Exception {
    FelixNode n2 = cluster().nodes().get(1);
    String pid = BUNDLE + "~extra";
    for (String[] wrong :
        new String[][] {
          {"min.insync", "4", "min.insync is 4: use 1 to 3"},
          {"min.insync", "0", "min.insync is 0: use 1 to 3"},
          {"replicas", "33", "replicas is 33: use 1 to 32"},
          {"timeout.millis", "0", "timeout.millis is 0: use 1 to 600000"},
          {"lag.millis", "149", "lag.millis is 149: use 150 to 600000"},
          {"log.mebibytes", "65537", "log.mebibytes is 65537: use 1 to 65536"},
          {"rejoin.mebibytes", "0", "rejoin.mebibytes is 0: use 1 to 65536"},
        }) {
      n2.probe().configure(pid, Map.of(wrong[0], wrong[1]));
      awaitMissing(n2, pid + ": " + wrong[2]);
      assertNull(StoreCluster.store(n2, "extra").offer());
    }
    n2.probe().configure(BUNDLE + "~Bills", Map.of());
    awaitMissing(n2, BUNDLE + "~Bills: the store's name is 'Bills'");
    for (String store : STORES) {
      cluster().awaitInSync(store);
      StoreCluster.store(n2, store).put("others", "go on");
    }
    n2.probe().unconfigure(BUNDLE + "~Bills");
    n2.probe().configure(pid, Map.of("replicas", "1", "min.insync", "1"));
    assertEquals("extra = 1 (version 2)", n2.probe().shell("store:put extra 1 --store extra"));
    n2.probe().unconfigure(pid);
    assertTrue(within(() -> StoreCluster.store(n2, "extra").offer() == null));
  }

  private static void awaitMissing(FelixNode node, String part) throws Exception {
    boolean isThere = within(() -> String.join("\n", node.probe().missing()).contains(part));
    assertTrue(part + " in " + node.probe().missing(), isThere);
  }

  @Test
  public void aStoreGoesWithItsConfigurationAndComesBack() throws Exception {
    String pid = BUNDLE + "~passing";
    for (FelixNode node : cluster().nodes()) {
      node.probe().configure(pid, Map.of());
    }
    FelixNode primary = cluster().awaitInSync("passing");
    FelixNode other = cluster().others(primary).get(0);
    StoreCluster.store(primary, "passing").put("a", "1");
    primary.probe().unconfigure(pid);
    assertTrue(within(() -> StoreCluster.store(primary, "passing").offer() == null));
    assertFalse(StoreCluster.store(primary, "passing").isLookedAfter());
    String refused = refused(primary, "store:get a --store passing");
    assertTrue(refused, refused.contains("no store 'passing' here; there are: bills, main"));
    StoreCluster.store(other, "passing").put("a", "2");
    assertEquals("2", other.probe().shell("store:get a --store passing"));
    primary.probe().configure(pid, Map.of());
    cluster().awaitInSync("passing");
    assertEquals("2", primary.probe().shell("store:get a --store passing --local"));
    for (FelixNode node : cluster().nodes()) {
      node.probe().unconfigure(pid);
    }
    for (FelixNode node : cluster().nodes()) {
      assertTrue(within(() -> StoreCluster.store(node, "passing").offer() == null));
      node.probe().configure(pid, Map.of());
    }
    cluster().awaitInSync("passing");
    assertEquals("2", other.probe().shell("store:get a --store passing"));
    for (FelixNode node : cluster().nodes()) {
      node.probe().unconfigure(pid);
    }
  }

  @Test
  public void copiesAreRemovedAndAdded() throws Exception {
    FelixNode primary = cluster().awaitInSync(MAIN);
    FelixNode removed = cluster().others(primary).get(0);
    Store store = StoreCluster.store(removed, MAIN);
    long version = store.put("kept", "1");
    Store.Ear ear = store.watch("kept", version + 1);
    cluster().load(MAIN, cluster().nodes());
    String said = primary.probe().shell("store:remove " + removed.id());
    assertTrue(said, said.endsWith("removed " + removed.id()));
    List<String> left =
        cluster().nodes().stream()
            .map(FelixNode::id)
            .filter(it -> !it.equals(removed.id()))
            .toList();
    cluster().awaitInSync(MAIN, left);
    assertEquals("client", store.status().role());
    assertEquals(new Store.Entry("kept", "1", version), store.get("kept", "local"));
    assertEquals(
        "client", Rows.one(removed.probe().shell("store:status -o json --store main")).get("role"));
    assertTrue(ear.ended(), within(() -> ear.ended().startsWith("UNAVAILABLE")));
    Store.Failure none = assertThrows(Store.Failure.class, () -> store.watch("kept", 0));
    assertEquals(String.valueOf(none.getMessage()), "UNAVAILABLE", none.reason());
    cluster().awaitProgress();
    cluster().endLoads(MAIN);
    cluster().load(MAIN, cluster().others(removed));
    removed.bundle(BUNDLE).stop();
    removed.bundle(BUNDLE).start();
    cluster().awaitInSync(MAIN, left);
    assertTrue(refused(primary, "store:remove " + left.get(0)).contains(left.get(0)));
    said = removed.probe().shell("store:add " + removed.id());
    assertTrue(said, said.startsWith("main: epoch "));
    cluster().awaitInSync(MAIN);
    assertEquals(new Store.Entry("kept", "1", version), store.get("kept", "local"));
    cluster().awaitProgress();
    assertEqualCopies(primary);
    cluster().endLoads(MAIN);
  }

  /** One line of each for every copy, with nothing wrong. */
  private static void assertEqualCopies(FelixNode node) throws Exception {
    List<Map<String, String>> rows = Rows.of(node.probe().shell("store:verify -o json"));
    assertEquals(3, rows.size());
    assertEquals(rows.toString(), 1, rows.stream().map(it -> it.get("digest")).distinct().count());
    for (Map<String, String> row : rows) {
      assertEquals(rows.toString(), "", row.get("problem"));
      assertFalse(rows.toString(), String.valueOf(row.get("digest")).isEmpty());
    }
  }

  @Test
  public void itsCommandsAnswer() throws Exception {
    FelixNode n1 = cluster().nodes().get(0);
    FelixNode primary = cluster().awaitInSync(MAIN);
    String json = n1.probe().shell("store:put shell/a 1 -o json");
    String version = Rows.one(json).get("version");
    assertEquals("1", Rows.one(json).get("value"));
    json = n1.probe().shell("store:cas shell/a " + version + " 2 --fence door:7 -o json");
    assertEquals("2", Rows.one(json).get("value"));
    String named = n1.probe().shell("store:put shell/b 3 --request 99:1");
    assertEquals(named, primary.probe().shell("store:put shell/b 3 --request 99:1"));
    json = n1.probe().shell("store:scan shell/ -o json");
    assertEquals(List.of("2", "3"), Rows.of(json).stream().map(it -> it.get("value")).toList());
    json = n1.probe().shell("store:get shell/a -o json --consistency bounded:5000");
    assertEquals("shell/a", Rows.one(json).get("key"));
    assertEquals("shell/b deleted", n1.probe().shell("store:delete shell/b"));
    assertEquals("shell/b was not there", n1.probe().shell("store:delete shell/b"));
    json = n1.probe().shell("store:delete shell/b -o json");
    assertEquals("false", Rows.one(json).get("deleted"));

    assertEquals(3, Rows.of(n1.probe().shell("store:status -o json")).size());
    Map<String, String> status = Rows.one(n1.probe().shell("store:status --store main -o json"));
    assertEquals("n1,n2,n3", status.get("in-sync"));
    assertEquals(primary.id(), status.get("primary"));
    assertEquals(2, Rows.of(primary.probe().shell("store:lag -o json")).size());
    List<Map<String, String>> log = Rows.of(primary.probe().shell("store:log -n 3 -o json"));
    assertEquals(3, log.size());
    assertTrue(log.toString(), String.valueOf(log.get(2).get("what")).contains("shell/b"));
    assertEqualCopies(n1);
    String next = cluster().others(primary).get(0).id();
    json = n1.probe().shell("store:switchover " + next + " -o json");
    assertEquals(next, Rows.one(json).get("primary"));
    cluster().awaitInSync(MAIN);
    json = n1.probe().shell("store:fail " + next + " -o json");
    assertFalse(json, String.valueOf(Rows.one(json).get("in-sync")).contains(next));
    cluster().awaitInSync(MAIN);
  }

  @Test
  public void wrongWordsGetOneClearLine() throws Exception {
    FelixNode primary = cluster().awaitInSync(MAIN);
    FelixNode backup = cluster().others(primary).get(0);
    for (String[] wrong :
        new String[][] {
          {"store:put alone", "VALUE"},
          {"store:put a 1 --store none", "no store 'none' here; there are: bills, main, orders"},
          {"store:put a 1 --fence door", "RESOURCE:TOKEN"},
          {"store:put a 1 --request 0:1", "draw a random number"},
          {"store:put " + "k".repeat(70_000) + " v", "the key has 70000 bytes"},
          {"store:get nobody", "no such key: nobody"},
          {"store:get a --consistency bounded:0", "a millisecond to a day"},
          {"store:get a --local --consistency local", "mutually exclusive"},
          {"store:cas shell/none 3 x", "shell/none is absent, not 3"},
          {"store:cas a one x", "one"},
          {"store:scan --limit 0", "use 1 to"},
          {"store:status -o xml", "xml"},
          {"store:lag", "ask there: clowder sh --node " + primary.id() + " store:lag"},
          {"store:log -n 0", "use 1 or more"},
          {"store:switchover " + primary.id(), "is the primary already"},
          {"store:switchover n9", "n9 is not in sync"},
          {"store:fail n9", "n9 is not in sync"},
          {"store:add " + backup.id(), backup.id() + " has a copy already"},
          {"store:remove " + primary.id(), "store:switchover first"},
          {"store:remove n9", "n9 has no copy"},
          {"store:force-promote n9", "n9 has no copy"},
          {"store:force-promote " + backup.id(), "store:switchover loses nothing"},
          {"store:verify --nonsense", "--nonsense"},
        }) {
      String refused = refused(backup, wrong[0]);
      String shown = wrong[0].length() > 80 ? wrong[0].substring(0, 80) + "…" : wrong[0];
      assertTrue(shown + ": " + refused, refused.contains(wrong[1]));
      assertEquals(shown + ": " + refused, 1, refused.lines().count());
    }
  }

  private static String refused(FelixNode node, String line) {
    return String.valueOf(
            assertThrows(line, IllegalStateException.class, () -> node.probe().shell(line))
                .getMessage())
        .strip();
  }
}
