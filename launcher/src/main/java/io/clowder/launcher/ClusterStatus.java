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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
      JsonElement value = view == null ? null : view.get(key);
      return value == null || value.isJsonNull() ? null : value.getAsString();
    }

    @Nullable Long number(String key) {
      JsonElement value = view == null ? null : view.get(key);
      return value == null || value.isJsonNull() ? null : value.getAsLong();
    }
  }

  private static final Duration LIMIT = Duration.ofSeconds(2);
  private static final String QUESTION = "clowder:status -o json";
  private static final String SUSPECTS = "fd:suspects -o json";

  /** What one node said: of itself, and whom it suspects. */
  private record Answer(List<View> views, SortedSet<String> suspects) {}

  private final List<View> views;
  private final SortedMap<String, SortedSet<String>> suspectedBy;

  /**
   * What was found.
   *
   * @param suspectedBy for each node that is suspected, by whom
   */
  ClusterStatus(List<View> views, SortedMap<String, SortedSet<String>> suspectedBy) {
    this.views = List.copyOf(views);
    this.suspectedBy = suspectedBy;
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
                boolean spoke = !own.get(0).health().equals("no answer");
                return new Answer(own, spoke ? suspects(node, process) : new TreeSet<>());
              },
              ClusterStatus::thread));
    }
    List<View> views = new ArrayList<>();
    SortedMap<String, SortedSet<String>> suspectedBy = new TreeMap<>();
    for (int i = 0; i < answers.size(); i++) {
      String observer = cluster.nodes().get(i).id().value();
      try {
        Answer answer = answers.get(i).join();
        views.addAll(answer.views);
        for (String suspect : answer.suspects) {
          suspectedBy.computeIfAbsent(suspect, it -> new TreeSet<>()).add(observer);
        }
      } catch (CompletionException e) {
        throw new AssertionError("a node that fails is a row", e);
      }
    }
    return new ClusterStatus(views, suspectedBy);
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

  /** One row per node and group, for people: what is never there does not widen every line. */
  String text() {
    return table().withoutIfEmpty("transition").withoutIfEmpty("suspected by").toText();
  }

  /** One row per node and group. */
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
            "transition");
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
          view.text("transition"));
    }
    return table;
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

  /** Whom a node suspects; nobody if it does not say. */
  private static SortedSet<String> suspects(LocalNode node, Optional<ProcessHandle> process) {
    SortedSet<String> suspects = new TreeSet<>();
    if (process.isEmpty()) {
      return suspects;
    }
    try {
      ShellClient.Answer answer = node.shell().call(SUSPECTS, LIMIT);
      if (answer.status() == 0) {
        for (JsonElement suspect : JsonParser.parseString(answer.out()).getAsJsonArray()) {
          JsonElement named = suspect.getAsJsonObject().get("node");
          if (named != null) {
            suspects.add(named.getAsString());
          }
        }
      }
    } catch (IOException | JsonParseException | IllegalStateException e) {
      // A node that does not answer has a row that says so.
    }
    return suspects;
  }

  private static String health(JsonObject view) {
    JsonElement problems = view.get("problems");
    boolean ok = problems == null || problems.isJsonNull() || problems.getAsString().isEmpty();
    return ok ? "ok" : "degraded";
  }
}
