// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.clowder.api.Limits;
import io.clowder.api.shell.Table;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code clowder bench}: loads the cluster and says what it did, and what that cost. */
@Command(
    name = "bench",
    description = {
      "Loads the running cluster and says what it gives.",
      "From the process of its leader, or of the store's primary; prints operations per second, latencies in ms, CPU seconds of"
          + " all nodes per 100,000 operations, and this machine's limits."
    })
final class BenchCommand implements Callable<Integer> {
  /** What the load is made of. */
  enum Workload {
    /** Writes to the map. */
    put,
    /** Linearizable reads of the map. */
    get,
    /** Acquiring and releasing locks. */
    lock,
    /** Writes to a replicated store. */
    store_put,
    /** Linearizable reads of a replicated store. */
    store_get,
    /** Tasks that do nothing. */
    task;

    @Override
    public String toString() {
      return name().replace('_', '-');
    }
  }

  /** Above the time of the load itself: filling the map, measuring the machine. */
  private static final Duration MARGIN = Duration.ofSeconds(60);

  private static final int WARM_UP_SECONDS_MAX = 3;

  @Mixin private ClusterOption option = new ClusterOption();

  @Option(
      names = "--workload",
      defaultValue = "put",
      paramLabel = "put|get|lock|store-put|store-get|task",
      description = "What to do (default: ${DEFAULT-VALUE}).")
  private Workload workload = Workload.put;

  @Option(
      names = "--store",
      defaultValue = "main",
      paramLabel = "NAME",
      description =
          "Which replicated store, for store-put and store-get (default: ${DEFAULT-VALUE}).")
  private String store = "";

  @Option(
      names = "--outstanding",
      defaultValue = "1,16,256",
      split = ",",
      paramLabel = "COUNT",
      description = "How many at once, one run each (default: ${DEFAULT-VALUE}).")
  private List<Integer> outstanding = List.of();

  @Option(
      names = "--size",
      defaultValue = "100",
      paramLabel = "BYTES",
      description = "The size of a value (default: ${DEFAULT-VALUE}).")
  private int size;

  @Option(
      names = "--keys",
      paramLabel = "COUNT",
      description =
          "How many keys or locks in turn (default: 1000 keys; a lock for each of --outstanding).")
  private @Nullable Integer keys;

  @Option(
      names = "--seconds",
      defaultValue = "10",
      paramLabel = "SECONDS",
      description = "How long a run is (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = {"-o", "--output"},
      defaultValue = "table",
      paramLabel = "table|json",
      description = "How to print it (default: ${DEFAULT-VALUE}).")
  private Format format = Format.table;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, CommandFailure {
    if (keys != null && keys < 1) {
      throw CommandFailure.usage("--keys is at least 1");
    }
    if (seconds < 1 || size < 0 || outstanding.stream().anyMatch(count -> count < 1)) {
      throw CommandFailure.usage("--seconds and --outstanding are at least 1, --size at least 0");
    }
    if (size > Limits.VALUE_BYTES) {
      throw CommandFailure.usage("--size " + size + ": at most " + Limits.VALUE_BYTES);
    }
    Cluster cluster = option.open();
    List<JsonObject> rows = new ArrayList<>();
    for (int count : outstanding) {
      rows.add(run(cluster, count));
    }
    spec.commandLine().getOut().println(format.render(table(rows)));
    return 0;
  }

  private JsonObject run(Cluster cluster, int count) throws IOException, CommandFailure {
    String leader = cluster.isOneNode() ? cluster.nodes().get(0).id().value() : leader(cluster);
    if (leader == null) {
      throw CommandFailure.failed("no node leads; see: clowder status");
    }
    ShellClient shell = cluster.node(leader).shell();
    // Warming up is a run of its own, so that what it costs is not counted.
    load(leader, shell, count, Math.min(WARM_UP_SECONDS_MAX, (seconds + 1) / 2));
    double before = cpuSeconds(cluster);
    ShellClient.Answer answer = load(leader, shell, count, seconds);
    double spent = cpuSeconds(cluster) - before;
    try {
      JsonObject row =
          JsonParser.parseString(answer.out()).getAsJsonArray().get(0).getAsJsonObject();
      double operations = row.get("operations").getAsDouble();
      double per = operations == 0 ? 0 : spent / operations * 100_000;
      row.addProperty("cpu_s_per_100k", Double.valueOf(String.format(Locale.ROOT, "%.2f", per)));
      return row;
    } catch (JsonParseException | IllegalStateException | IndexOutOfBoundsException e) {
      throw CommandFailure.failed(leader + " gave no result: " + answer.out().strip());
    }
  }

  private @Nullable String leader(Cluster cluster) throws IOException {
    ClusterStatus status = ClusterStatus.ask(cluster);
    return workload == Workload.store_put || workload == Workload.store_get
        ? status.primary(store)
        : status.leader("main");
  }

  private ShellClient.Answer load(String leader, ShellClient shell, int count, int time)
      throws IOException, CommandFailure {
    List<String> words =
        new ArrayList<>(List.of("clowder:bench", "--workload", workload.toString()));
    words.addAll(List.of("--store", store, "--outstanding", "" + count, "--size", "" + size));
    words.addAll(List.of("--seconds", "" + time, "--warmup", "0", "-o", "json"));
    if (keys != null) {
      words.addAll(List.of("--keys", "" + keys));
    }
    ShellClient.Answer answer = shell.call(GogoLine.of(words), MARGIN.plusSeconds(2L * time));
    if (answer.status() != 0) {
      throw CommandFailure.failed("the load failed on " + leader + ": " + answer.problem());
    }
    return answer;
  }

  /** What the processes of all nodes have used so far. */
  private static double cpuSeconds(Cluster cluster) throws IOException {
    double sum = 0;
    for (LocalNode node : cluster.nodes()) {
      Optional<Duration> spent = node.process().flatMap(p -> p.info().totalCpuDuration());
      sum += spent.map(Duration::toMillis).orElse(0L) / 1000.0;
    }
    return sum;
  }

  /** The node's own columns, whatever they are, and ours. */
  private static Table table(List<JsonObject> rows) {
    List<String> headings = List.copyOf(rows.get(0).keySet());
    Table table = new Table(headings.toArray(String[]::new));
    for (JsonObject row : rows) {
      List<@Nullable Object> cells = new ArrayList<>();
      for (Map.Entry<String, JsonElement> cell : row.entrySet()) {
        cells.add(cell(cell.getValue()));
      }
      table.row(cells.toArray());
    }
    return table;
  }

  private static @Nullable Object cell(JsonElement value) {
    if (value.isJsonNull()) {
      return null;
    }
    JsonPrimitive primitive = value.getAsJsonPrimitive();
    return primitive.isNumber() ? primitive.getAsNumber() : primitive.getAsString();
  }
}
