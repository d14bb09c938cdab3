// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.clowder.api.shell.Table;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BinaryOperator;

/**
 * What every node of a cluster says of its rings.
 *
 * @param said by node, a row for each ring
 */
record ClusterRings(SortedMap<String, List<JsonObject>> said) {
  /** What to ask a node. */
  static final String QUESTION = "dht:status -o json";

  /** The later of two nodes' words on one ring; where nobody counts, who knows more members. */
  private static final Comparator<JsonObject> LATER =
      Comparator.comparingLong((JsonObject ring) -> number(ring, "epoch"))
          .thenComparingLong(ring -> number(ring, "members"));

  /** Of nodes that say nothing. */
  static ClusterRings none() {
    return new ClusterRings(new TreeMap<>());
  }

  /** What a node says that it is to its rings. */
  Table of(String node) {
    Table table = new Table("ring", "member", "epoch", "ranges", "ideal");
    for (JsonObject ring : said.getOrDefault(node, List.of())) {
      table.row(
          ClusterStatus.text(ring, "ring"),
          isTrue(ring, "member"),
          number(ring, "epoch"),
          number(ring, "ranges"),
          isTrue(ring, "ideal"));
    }
    return table;
  }

  /** One row per ring, in the words of the node that knows most; and who finds fault with it. */
  Table table() {
    SortedMap<String, JsonObject> latest = new TreeMap<>();
    SortedMap<String, SortedSet<String>> faulted = new TreeMap<>();
    said.forEach(
        (node, rings) -> {
          for (JsonObject ring : rings) {
            String name = String.valueOf(ClusterStatus.text(ring, "ring"));
            latest.merge(name, ring, BinaryOperator.maxBy(LATER));
            if (!isTrue(ring, "ideal")) {
              faulted.computeIfAbsent(name, it -> new TreeSet<>()).add(node);
            }
          }
        });
    Table table = new Table("ring", "mode", "epoch", "members", "replicas", "not ideal for");
    latest.forEach(
        (name, ring) ->
            table.row(
                name,
                ClusterStatus.text(ring, "mode"),
                number(ring, "epoch"),
                number(ring, "members"),
                number(ring, "replicas"),
                String.join(",", faulted.getOrDefault(name, new TreeSet<>()))));
    return table;
  }

  private static long number(JsonObject ring, String key) {
    return Objects.requireNonNullElse(ClusterStatus.number(ring, key), 0L);
  }

  private static boolean isTrue(JsonObject ring, String key) {
    JsonElement value = ring.get(key);
    return value != null && value.isJsonPrimitive() && value.getAsBoolean();
  }
}
