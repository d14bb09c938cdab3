// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ClusterStatusTest {
  @Test
  void lagIsAgainstTheFurthestNode() {
    ClusterStatus status = status(view("n1", "leader", 10, 10), view("n2", "follower", 8, 7));
    JsonArray rows = JsonParser.parseString(status.table().toJson()).getAsJsonArray();
    assertEquals(0, rows.get(0).getAsJsonObject().get("lag").getAsLong());
    assertEquals(3, rows.get(1).getAsJsonObject().get("lag").getAsLong());
    assertEquals("n1", status.leader("main"));
    assertNull(status.leader("other"));
  }

  @Test
  void aNodeThatIsDownIsARowToo() {
    ClusterStatus.View down =
        new ClusterStatus.View("n3", "127.0.0.1:3", null, "down", null, "it does not run");
    JsonObject row =
        JsonParser.parseString(status(down).table().toJson())
            .getAsJsonArray()
            .get(0)
            .getAsJsonObject();
    assertEquals(
        Set.of(
            "node",
            "address",
            "pid",
            "health",
            "group",
            "role",
            "protocol",
            "segment",
            "term",
            "committed",
            "applied",
            "lag",
            "suspected by",
            "transition",
            "stores",
            "rings"),
        row.keySet());
    assertEquals("down", row.get("health").getAsString());
    assertEquals(true, row.get("pid").isJsonNull());
    assertEquals(true, row.get("lag").isJsonNull());
  }

  @Test
  void aSwapUnderWayIsShownAndNoColumnWithoutOne() {
    ClusterStatus.View quiet = view("n1", "leader", 1, 1);
    assertEquals(false, status(quiet).text().contains("TRANSITION"));
    ClusterStatus.View swapping = view("n2", "follower", 1, 1);
    swapping.view().addProperty("transition", "to paxos (segment 1): stand-by 1/3");
    String text = status(quiet, swapping).text();
    assertEquals(true, text.endsWith("to paxos (segment 1): stand-by 1/3"), text);
  }

  @Test
  void whoIsSuspectedSaysByWhom() {
    ClusterStatus.View quiet = view("n1", "leader", 1, 1);
    assertEquals(false, status(quiet).text().contains("SUSPECTED"));
    String text =
        new ClusterStatus(
                List.of(quiet, view("n2", "follower", 1, 1)),
                new TreeMap<>(Map.of("n2", new TreeSet<>(List.of("n3", "n1")))),
                new TreeMap<>(),
                ClusterRings.none())
            .text();
    assertEquals(true, text.contains("SUSPECTED BY"), text);
    assertEquals(true, text.lines().toList().get(2).endsWith("n1,n3"), text);
  }

  @Test
  void aStoreIsARowInTheWordsOfWhoKnowsMost() {
    ClusterStatus status =
        stores(
            Map.of(
                "n1", List.of(store("main", "primary", "n1", 3, 40L)),
                "n2", List.of(store("main", "primary", "n2", 4, 38L)),
                "n3", List.of(store("main", "backup", "n2", 4, 39L)),
                "n4", List.of(store("side", "client", null, 0, null))));
    assertEquals(
        """
        STORE  PRIMARY  EPOCH  IN-SYNC  COMMITTED
        main   n2           4  n2,n3           38
        side   -            0  n2,n3            -\
        """,
        status.text().replaceFirst("(?s).*\n\n", ""));
  }

  @Test
  void withoutStoresThereIsNoTableOfThem() {
    assertEquals(2, status(view("n1", "leader", 1, 1)).text().lines().count());
  }

  @Test
  void whatANodeIsToItsStoresIsInItsRow() {
    String json =
        stores(Map.of("n1", List.of(store("main", "backup", "n2", 4, 39L)))).table().toJson();
    assertEquals(
        true,
        json.contains(
            "\"stores\": [{\"store\": \"main\", \"role\": \"backup\", \"epoch\": 4,"
                + " \"committed\": 39}], \"rings\": []}"),
        json);
    assertEquals(3, json.lines().count());
  }

  @Test
  void aRingIsARowInTheWordsOfWhoKnowsMostAndSaysForWhomItIsNotIdeal() {
    ClusterStatus status =
        rings(
            Map.of(
                "n1", List.of(ring("main", 4, 3, true), ring("peers", 0, 2, true)),
                "n2", List.of(ring("main", 5, 2, true), ring("peers", 0, 9, true))));
    assertEquals(
        """
        RING   MODE  EPOCH  MEMBERS  REPLICAS
        main   peer      5        2         3
        peers  peer      0        9         3\
        """,
        status.text().replaceFirst("(?s).*\n\n", ""));
    status =
        rings(
            Map.of(
                "n1", List.of(ring("main", 4, 3, false)),
                "n2", List.of(ring("main", 5, 2, false)),
                "n3", List.of(ring("main", 5, 2, true))));
    assertEquals(true, status.text().endsWith("3  n1,n2"), status.text());
  }

  @Test
  void whatANodeIsToItsRingsIsInItsRow() {
    String json = rings(Map.of("n1", List.of(ring("main", 4, 3, true)))).table().toJson();
    assertEquals(
        true,
        json.contains(
            "\"rings\": [{\"ring\": \"main\", \"member\": true, \"epoch\": 4, \"ranges\": 1,"
                + " \"ideal\": true}]}"),
        json);
  }

  private static ClusterStatus rings(Map<String, List<JsonObject>> said) {
    return new ClusterStatus(
        List.of(view("n1", "leader", 1, 1)),
        new TreeMap<>(),
        new TreeMap<>(),
        new ClusterRings(new TreeMap<>(said)));
  }

  private static JsonObject ring(String name, long epoch, int members, boolean isIdeal) {
    JsonObject said = new JsonObject();
    said.addProperty("ring", name);
    said.addProperty("mode", "peer");
    said.addProperty("epoch", epoch);
    said.addProperty("members", members);
    said.addProperty("replicas", 3);
    said.addProperty("member", true);
    said.addProperty("ranges", 1);
    said.addProperty("ideal", isIdeal);
    return said;
  }

  private static ClusterStatus stores(Map<String, List<JsonObject>> said) {
    return new ClusterStatus(
        List.of(view("n1", "leader", 1, 1)),
        new TreeMap<>(),
        new TreeMap<>(said),
        ClusterRings.none());
  }

  private static JsonObject store(
      String name, String role, @Nullable String primary, long epoch, @Nullable Long committed) {
    JsonObject said = new JsonObject();
    said.addProperty("store", name);
    said.addProperty("role", role);
    said.addProperty("primary", primary);
    said.addProperty("epoch", epoch);
    said.addProperty("in-sync", "n2,n3");
    said.addProperty("learners", "");
    said.addProperty("committed", committed);
    return said;
  }

  private static ClusterStatus status(ClusterStatus.View... views) {
    return new ClusterStatus(List.of(views), new TreeMap<>(), new TreeMap<>(), ClusterRings.none());
  }

  private static ClusterStatus.View view(String node, String role, long committed, long applied) {
    JsonObject said = new JsonObject();
    said.addProperty("group", "main");
    said.addProperty("role", role);
    said.addProperty("segment", 0);
    said.addProperty("committed", committed);
    said.addProperty("applied", applied);
    return new ClusterStatus.View(node, "127.0.0.1:1", 1L, "ok", said, "");
  }
}
