// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.clowder.api.shell.Table;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/** What every node of a cluster says of itself, side by side. */
final class ClusterStatus {
  /**
   * One node's view of one group, or a node that gave none.
   *
   * @param pid null if it does not run
   * @param health {@code ok}, {@code degraded}, {@code down} or {@code no answer}
   * @param view what it said; null if it said nothing
   * @param problem why there is no view; empty if there is one
   */
  record View(
      String node,
      String address,
      @Nullable Long pid,
      String health,
      @Nullable JsonObject view,
      String problem) {
    @Nullable String text(String key) {
      return ClusterStatus.text(view, key);
    }

    @Nullable Long number(String key) {
      return ClusterStatus.number(view, key);
    }
  }

  private static final Duration LIMIT = Duration.ofSeconds(2);
  private static final String QUESTION = "clowder:status -o json";
  private static final String SUSPECTS = "fd:suspects -o json";
  private static final String STORES = "store:status -o json";

  /** The later of two nodes' words on one store: nobody knows more of an epoch than its primary. */
  private static final Comparator<JsonObject> LATER =
      Comparator.comparingLong(
              (JsonObject store) -> Objects.requireNonNullElse(number(store, "epoch"), 0L))
          .thenComparing(store -> "primary".equals(text(store, "role")))
          .thenComparingLong(store -> Objects.requireNonNullElse(number(store, "committed"), 0L));

  /** What one node said: of itself, whom it suspects, and of its stores and rings. */
  private record Answer(
      List<View> views,
      List<JsonObject> suspects,
      List<JsonObject> stores,
      List<JsonObject> rings) {}

  private final List<View> views;
  private final SortedMap<String, SortedSet<String>> suspectedBy;
  private final SortedMap<String, List<JsonObject>> storesOf;
  private final ClusterRings rings;

  /**
   * What was found.
   *
   * @param suspectedBy for each node that is suspected, by whom
   * @param storesOf what each node said of its stores
   * @param rings what they said of their rings
   */
  ClusterStatus(
      List<View> views,
      SortedMap<String, SortedSet<String>> suspectedBy,
      SortedMap<String, List<JsonObject>> storesOf,
      ClusterRings rings) {
    this.views = List.copyOf(views);
    this.suspectedBy = suspectedBy;
    this.storesOf = storesOf;
    this.rings = rings;
  }

  /** Asks all nodes at once; one that does not answer in time is in the result all the same. */
  static ClusterStatus ask(Cluster cluster) throws IOException {
    List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (LocalNode node : cluster.nodes()) {
      Optional<ProcessHandle> process = node.process();
      answers.add(
          CompletableFuture.supplyAsync(
              () -> {
                List<View> own = ask(node, process);
                boolean spoke = process.isPresent() && !own.get(0).health().equals("no answer");
                return new Answer(
                    own,
                    spoke ? rows(node, SUSPECTS) : List.of(),
                    spoke ? rows(node, STORES) : List.of(),
                    spoke ? rows(node, ClusterRings.QUESTION) : List.of());
              },
              ClusterStatus::thread));
    }
    List<View> views = new ArrayList<>();
    SortedMap<String, SortedSet<String>> suspectedBy = new TreeMap<>();
    SortedMap<String, List<JsonObject>> storesOf = new TreeMap<>();
    SortedMap<String, List<JsonObject>> ringsOf = new TreeMap<>();
    for (int i = 0; i < answers.size(); i++) {
      String observer = cluster.nodes().get(i).id().value();
      try {
        Answer answer = answers.get(i).join();
        views.addAll(answer.views);
        storesOf.put(observer, answer.stores);
        ringsOf.put(observer, answer.rings);
        for (JsonObject suspect : answer.suspects) {
          suspectedBy
              .computeIfAbsent(String.valueOf(text(suspect, "node")), it -> new TreeSet<>())
              .add(observer);
        }
      } catch (CompletionException e) {
        throw new AssertionError("a node that fails is a row", e);
      }
    }
    return new ClusterStatus(views, suspectedBy, storesOf, new ClusterRings(ringsOf));
  }

  /** Asks one node. */
  static List<View> ask(LocalNode node) throws IOException {
    return ask(node, node.process());
  }

  List<View> views() {
    return views;
  }

  /** The node that leads a group, as most nodes' own words have it; null if none says so. */
  @Nullable String leader(String group) {
    for (View view : views) {
      if ("leader".equals(view.text("role")) && group.equals(view.text("group"))) {
        return view.node();
      }
    }
    return null;
  }

  /** For people: a row per node and group, and below one per store and ring, if there are any. */
  String text() {
    Table nodes = table().without("stores").without("rings");
    StringBuilder text = new StringBuilder();
    text.append(nodes.withoutIfEmpty("transition").withoutIfEmpty("suspected by").toText());
    Table stores = stores();
    if (!stores.isEmpty()) {
      text.append("\n\n").append(stores.withoutIfEmpty("learners").toText());
    }
    Table ofRings = rings.table();
    if (!ofRings.isEmpty()) {
      text.append("\n\n").append(ofRings.withoutIfEmpty("not ideal for").toText());
    }
    return text.toString();
  }

  /** One row per node and group, with what the node itself says of its stores and rings. */
  Table table() {
    Map<String, Long> committed = new HashMap<>();
    for (View view : views) {
      Long position = view.number("committed");
      if (position != null) {
        committed.merge(String.valueOf(view.text("group")), position, Math::max);
      }
    }
    Table table =
        new Table(
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
            "rings");
    for (View view : views) {
      Long applied = view.number("applied");
      Long most = committed.get(String.valueOf(view.text("group")));
      table.row(
          view.node(),
          view.address(),
          view.pid(),
          view.health(),
          view.text("group"),
          view.text("role"),
          view.text("protocol"),
          view.number("segment"),
          view.number("term"),
          view.number("committed"),
          applied,
          applied == null || most == null ? null : Math.max(0, most - applied),
          String.join(",", suspectedBy.getOrDefault(view.node(), new TreeSet<>())),
          view.text("transition"),
          ownStores(view.node()),
          rings.of(view.node()));
    }
    return table;
  }

  /** What a node says that it is to its stores. */
  private Table ownStores(String node) {
    Table table = new Table("store", "role", "epoch", "committed");
    for (JsonObject store : storesOf.getOrDefault(node, List.of())) {
      table.row(
          text(store, "store"),
          text(store, "role"),
          number(store, "epoch"),
          number(store, "committed"));
    }
    return table;
  }

  /** The node that is the primary of a store; null if there is none. */
  @Nullable String primary(String store) {
    return text(latest().get(store), "primary");
  }

  /** What is known of each store, in the words of the node that knows most of it. */
  private SortedMap<String, JsonObject> latest() {
    SortedMap<String, JsonObject> latest = new TreeMap<>();
    for (List<JsonObject> said : storesOf.values()) {
      for (JsonObject store : said) {
        latest.merge(String.valueOf(text(store, "store")), store, BinaryOperator.maxBy(LATER));
      }
    }
    return latest;
  }

  /** One row per store. */
  Table stores() {
    Table table = new Table("store", "primary", "epoch", "in-sync", "learners", "committed");
    latest()
        .forEach(
            (name, store) ->
                table.row(
                    name,
                    text(store, "primary"),
                    number(store, "epoch"),
                    text(store, "in-sync"),
                    text(store, "learners"),
                    number(store, "committed")));
    return table;
  }

  static @Nullable String text(@Nullable JsonObject said, String key) {
    JsonElement value = said == null ? null : said.get(key);
    return value == null || value.isJsonNull() ? null : value.getAsString();
  }

  static @Nullable Long number(@Nullable JsonObject said, String key) {
    JsonElement value = said == null ? null : said.get(key);
    return value == null || value.isJsonNull() ? null : value.getAsLong();
  }

  private static void thread(Runnable task) {
    Thread thread = new Thread(task, "status");
    thread.setDaemon(true);
    thread.start();
  }

  private static List<View> ask(LocalNode node, Optional<ProcessHandle> process) {
    String name = node.id().value();
    String address = node.address().toString();
    if (process.isEmpty()) {
      return List.of(new View(name, address, null, "down", null, "it does not run"));
    }
    Long pid = process.get().pid();
    try {
      ShellClient.Answer answer = node.shell().call(QUESTION, LIMIT);
      if (answer.status() != 0) {
        // It runs, but the bundle that knows of groups does not.
        return List.of(new View(name, address, pid, "degraded", null, answer.problem()));
      }
      List<View> views = new ArrayList<>();
      for (JsonElement group : JsonParser.parseString(answer.out()).getAsJsonArray()) {
        JsonObject view = group.getAsJsonObject();
        views.add(new View(name, address, pid, health(view), view, ""));
      }
      return views.isEmpty()
          ? List.of(new View(name, address, pid, "degraded", null, "no group is open"))
          : views;
    } catch (IOException | JsonParseException | IllegalStateException e) {
      String problem = String.valueOf(e.getMessage());
      return List.of(new View(name, address, pid, "no answer", null, problem));
    }
  }

  /** What a node answers; nothing if it does not, or if the bundle that could is not there. */
  private static List<JsonObject> rows(LocalNode node, String question) {
    List<JsonObject> rows = new ArrayList<>();
    try {
      ShellClient.Answer answer = node.shell().call(question, LIMIT);
      if (answer.status() == 0) {
        for (JsonElement row : JsonParser.parseString(answer.out()).getAsJsonArray()) {
          rows.add(row.getAsJsonObject());
        }
      }
    } catch (IOException | JsonParseException | IllegalStateException e) {
      // A node that does not answer has a row that says so.
    }
    return rows;
  }

  private static String health(JsonObject view) {
    JsonElement problems = view.get("problems");
    boolean ok = problems == null || problems.isJsonNull() || problems.getAsString().isEmpty();
    return ok ? "ok" : "degraded";
  }
}
