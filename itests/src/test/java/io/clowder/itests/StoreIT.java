// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.StoreCluster.within;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Store;
import io.clowder.itests.probe.Store.Entry;
import io.clowder.itests.probe.Store.With;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;
import org.junit.function.ThrowingRunnable;

/**
 * A store of three containers: what it promises to who uses it, on every node and through
 * fail-overs. Each test leaves the cluster as it found it, and has keys of its own.
 */
public class StoreIT {
  private static final String MAIN = "main";

  private static @Nullable StoreCluster shared;

  private FelixNode primary = cluster().nodes().get(0);
  private List<Store> stores = List.of();

  @BeforeClass
  public static void start() throws Exception {
    shared = StoreCluster.start(MAIN);
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
  }

  private static StoreCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  @Before
  public void allCopiesAreInSync() throws Exception {
    primary = cluster().awaitInSync(MAIN);
    stores = cluster().stores(MAIN);
  }

  @Test
  public void itHasFoundedItself() throws Exception {
    for (FelixNode node : cluster().nodes()) {
      Store store = StoreCluster.store(node, MAIN);
      assertTrue(store.isLookedAfter());
      assertTrue(store.status().epoch() > 0);
      assertEquals(node == primary ? "primary" : "backup", store.status().role());
      assertTrue(
          node.probe().shell("clowder:why"),
          within(() -> node.probe().shell("clowder:why").equals("nothing holds progress up")));
    }
  }

  @Test
  public void whatOneNodeWasAcknowledgedEachNodeReads() throws Exception {
    long last = 0;
    for (int i = 0; i < 60; i++) {
      long version = stores.get(i % 3).put("read/a", "v" + i);
      assertTrue(version + " after " + last, version > last);
      last = version;
      Entry written = new Entry("read/a", "v" + i, version);
      for (Store store : stores) {
        assertEquals(written, store.get("read/a", "linearizable"));
        Entry bounded = store.get("read/a", "bounded:1000");
        assertTrue(bounded + " after " + written, bounded == null || bounded.version() <= version);
      }
    }
    Entry newest = new Entry("read/a", "v59", last);
    for (Store store : stores) {
      assertTrue(within(() -> newest.equals(store.get("read/a", "local"))));
      assertTrue(within(() -> newest.equals(store.get("read/a", "bounded:1"))));
      assertNull(store.get("read/none", "linearizable"));
    }
  }

  @Test
  public void conditionsHoldWhereverTheyAreAsked() throws Exception {
    Store one = stores.get(0);
    Store two = stores.get(1);
    Store three = stores.get(2);
    long first = one.compareAndSet("cas/a", 0, "1", With.NOTHING);
    refused("cas/a has version " + first, () -> two.compareAndSet("cas/a", 0, "2", With.NOTHING));
    long second = three.compareAndSet("cas/a", first, "2", With.NOTHING);
    refused("has version " + second, () -> one.compareAndSet("cas/a", first, "3", With.NOTHING));
    refused("cas/b is absent", () -> two.compareAndSet("cas/b", 7, "x", With.NOTHING));
    assertTrue(two.delete("cas/a"));
    assertFalse(three.delete("cas/a"));
    assertNull(one.get("cas/a", "linearizable"));

    long batch = two.apply(List.of("put batch/1 x", "put batch/2 y", "cas batch/3 0 z"));
    refused("batch/2 has version", () -> one.apply(List.of("put batch/1 w", "cas batch/2 0 w")));
    List<Entry> all =
        List.of(
            new Entry("batch/1", "x", batch),
            new Entry("batch/2", "y", batch),
            new Entry("batch/3", "z", batch));
    for (Store store : stores) {
      assertEquals(all, store.scan("batch/", null, 100, "linearizable"));
      assertEquals(all.subList(1, 2), store.scan("batch/", "batch/1", 1, "linearizable"));
      assertTrue(within(() -> store.scan("batch/", null, 100, "local").equals(all)));
    }
    long next = three.apply(List.of("delete batch/1", "delete batch/2", "put batch/3 a"));
    for (Store store : stores) {
      assertEquals(
          List.of(new Entry("batch/3", "a", next)),
          store.scan("batch/", null, 100, "linearizable"));
    }
  }

  @Test
  public void aStaleTokenIsRefusedThroughFailOvers() throws Exception {
    stores.get(0).put("fenced", "1", With.fence("account", 5));
    for (int i = 0; i < 2; i++) {
      for (Store store : stores) {
        refused(
            "token 4 is stale: resource account has seen 5",
            () -> store.put("fenced", "stale", With.fence("account", 4)));
        assertEquals("1", value(store, "fenced"));
        store.put("fenced", "1", With.fence("account", 5));
      }
      cluster().failOver(MAIN);
    }
    // What is refused for another reason has shown its token all the same.
    refused(
        "has version",
        () -> stores.get(1).compareAndSet("fenced", 0, "2", With.fence("account", 6)));
    refused("account has seen 6", () -> stores.get(2).put("fenced", "2", With.fence("account", 5)));
    stores.get(2).put("fenced", "2", With.fence("other", 1));
  }

  @Test
  public void aRetryByItsNameIsDoneOnceThroughFailOvers() throws Exception {
    long client = new Random().nextLong() | 1;
    long first = stores.get(0).put("named", "first", With.name(client, 1));
    long swapped = stores.get(1).compareAndSet("named", first, "swapped", With.name(client, 2));
    for (int i = 0; i < 2; i++) {
      for (Store store : stores) {
        assertEquals(first, store.put("named", "again", With.name(client, 1)));
        assertEquals(swapped, store.compareAndSet("named", first, "again", With.name(client, 2)));
        assertEquals(new Entry("named", "swapped", swapped), store.get("named", "linearizable"));
      }
      cluster().failOver(MAIN);
    }
    // From all nodes at once, while the primary's place is handed over.
    for (int number = 3; number < 23; number++) {
      With name = With.name(client, number);
      List<CompletableFuture<Long>> retries = new ArrayList<>();
      for (Store store : stores) {
        retries.add(CompletableFuture.supplyAsync(() -> put(store, name)));
      }
      if (number % 5 == 0) {
        cluster().nodes().get(0).probe().shell("store:switchover");
      }
      long version = retries.get(0).get();
      assertEquals(version, (long) retries.get(1).get());
      assertEquals(version, (long) retries.get(2).get());
      Entry found = stores.get(0).get("named", "linearizable");
      assertEquals(new Entry("named", "by " + number, version), found);
    }
  }

  private static long put(Store store, With name) {
    try {
      return store.put("named", "by " + name.number(), name);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  public void watchesHearAllOnceThroughFailOvers() throws Exception {
    long from = stores.get(0).put("unwatched", "");
    List<Store.Ear> ears = new ArrayList<>();
    for (Store store : stores) {
      ears.add(store.watch("watched/", from));
    }
    List<Store.Change> expected = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 15; j++) {
        Store store = stores.get(j % 3);
        String key = "watched/" + j % 4;
        expected.add(new Store.Change(store.put(key, i + "." + j), key, i + "." + j));
      }
      long batch = stores.get(i % 3).apply(List.of("put watched/b " + i, "put watched/c " + i));
      expected.add(new Store.Change(batch, "watched/b", "" + i));
      expected.add(new Store.Change(batch, "watched/c", "" + i));
      if (i % 2 == 0) {
        cluster().failOver(MAIN);
      } else {
        primary.probe().shell("store:switchover");
      }
    }
    assertTrue(stores.get(1).delete("watched/b"));
    for (Store store : stores) {
      // One that comes late hears the same from the log; and one from the middle, the rest.
      ears.add(store.watch("watched/", from));
    }
    for (Store.Ear ear : ears) {
      boolean isAll = within(() -> ear.changes().size() == expected.size() + 1);
      assertTrue(ear.changes() + " of " + expected, isAll);
      assertEquals(expected, ear.changes().subList(0, expected.size()));
      Store.Change removed = ear.changes().get(expected.size());
      assertEquals(new Store.Change(removed.seq(), "watched/b", null), removed);
      assertEquals("", ear.ended());
      ear.close();
    }
    long middle = expected.get(30).seq();
    Store.Ear late = stores.get(2).watch("watched/", middle);
    assertTrue(within(() -> late.changes().size() == expected.size() + 1 - 30));
    assertEquals(expected.get(30), late.changes().get(0));
    late.close();
  }

  @Test
  public void listenersAndPropertiesFollow() throws Exception {
    List<Store.Roles> all = new ArrayList<>();
    List<Store.Roles> named = new ArrayList<>();
    List<Store.Roles> unnamed = new ArrayList<>();
    for (Store store : stores) {
      all.add(store.listen());
      named.add(store.listen("none", MAIN));
      unnamed.add(store.listen("none"));
    }
    for (FelixNode next : cluster().nodes()) {
      if (next != cluster().awaitInSync(MAIN)) {
        next.probe().shell("store:switchover " + next.id());
      }
      // Until the properties say so.
      assertEquals(next, cluster().awaitInSync(MAIN));
    }
    cluster().failOver(MAIN);
    for (int i = 0; i < 3; i++) {
      Store.Role present = stores.get(i).status();
      for (Store.Roles roles : List.of(all.get(i), named.get(i))) {
        assertTrue(
            roles.heard() + " and then " + present, within(() -> last(roles).equals(present)));
        assertRising(roles.heard());
        roles.close();
      }
      assertTrue(all.get(i).heard().stream().anyMatch(it -> it.role().equals("primary")));
      assertTrue(all.get(i).heard().stream().anyMatch(it -> it.role().equals("backup")));
      Store.Roles roles = unnamed.get(i);
      assertEquals(List.of(), roles.heard());
      roles.rename(MAIN);
      assertTrue(within(() -> !roles.heard().isEmpty() && last(roles).equals(present)));
      roles.close();
    }
  }

  private static Store.Role last(Store.Roles roles) {
    return roles.heard().get(roles.heard().size() - 1);
  }

  private static void assertRising(List<Store.Role> heard) {
    for (int i = 1; i < heard.size(); i++) {
      assertTrue(heard.toString(), heard.get(i).epoch() >= heard.get(i - 1).epoch());
      assertFalse(heard.toString(), heard.get(i).equals(heard.get(i - 1)));
    }
  }

  private static String value(Store store, String key) throws Exception {
    Entry found = store.get(key, "linearizable");
    return found == null ? "" : found.value();
  }

  private static void refused(String part, ThrowingRunnable call) {
    Store.Failure failure = assertThrows(part, Store.Failure.class, call);
    assertEquals("CONFLICT", failure.reason());
    assertEquals("DID_NOT_HAPPEN", failure.outcome());
    String message = String.valueOf(failure.getMessage());
    assertTrue(message, message.contains(part));
  }
}
