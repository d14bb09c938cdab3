// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.LockService;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class BenchCommandTest {
  private static final List<String> KEYS =
      List.of(
          "workload",
          "outstanding",
          "size",
          "seconds",
          "operations",
          "ops",
          "p50",
          "p99",
          "p999",
          "gap_ms",
          "errors",
          "syncs_per_1000",
          "sync_ms",
          "roundtrip_ms");
  private static final Pattern CELL = Pattern.compile("\"(\\w+)\": (\"[^\"]*\"|[^,}]+)");

  private final ExecutorService service = Executors.newFixedThreadPool(2);
  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private final AtomicLong syncs = new AtomicLong();
  private final ByteArrayOutputStream notes = new ByteArrayOutputStream();
  private Set<Thread> before = Set.of();
  @TempDir private Path folder;

  @BeforeEach
  void rememberThreads() {
    before = Thread.getAllStackTraces().keySet();
  }

  @AfterEach
  void noThreadIsLeft() throws InterruptedException {
    service.shutdownNow();
    executor.shutdownNow();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (!before.contains(thread) && thread.getName().startsWith("clowder-bench")) {
        thread.join(10_000);
        assertFalse(thread.isAlive(), thread + " is left");
      }
    }
  }

  @Test
  void putsAreCountedAndTheirKeysRemoved() throws Exception {
    MapStore store = new MapStore(service, call -> false);
    List<Map<String, String>> rows =
        rows(store, null, "--outstanding", "1,8", "--size", "10", "--seconds", "0.10");
    assertEquals(2, rows.size());
    long operations = 0;
    for (Map<String, String> row : rows) {
      assertEquals(KEYS, List.copyOf(row.keySet()));
      assertEquals("\"put\"", row.get("workload"));
      assertEquals("10", row.get("size"));
      assertEquals("0.10", row.get("seconds"));
      assertEquals("0", row.get("errors"));
      // The counter rises by one from look to look.
      assertEquals(
          1000.0 / Long.parseLong(row.get("operations")),
          Double.parseDouble(row.get("syncs_per_1000")),
          0.051);
      operations += number(row, "operations");
      assertEquals(number(row, "operations") * 10, number(row, "ops"));
      assertSane(row);
    }
    assertEquals("1", rows.get(0).get("outstanding"));
    assertEquals("8", rows.get(1).get("outstanding"));
    assertTrue(operations > 0 && operations < store.puts.get(), operations + " of " + store.puts);
    assertTrue(store.entries.isEmpty(), "left: " + store.entries.keySet());
    assertEquals("", notes());
  }

  @Test
  void getsReadWhatWasWrittenBefore() throws Exception {
    MapStore store = new MapStore(service, call -> false);
    Map<String, String> row =
        rows(store, null, "--workload", "get", "--outstanding", "4", "--seconds", "0.1").get(0);
    assertEquals(1_000, store.puts.get());
    assertEquals("0", row.get("errors"));
    assertTrue(number(row, "operations") <= store.gets.get());
    assertSane(row);
    assertTrue(store.entries.isEmpty(), "left: " + store.entries.keySet());
  }

  @Test
  void failuresAreCountedAndTheFirstIsToldBeside() throws Exception {
    MapStore store = new MapStore(service, call -> call % 20 == 19);
    Map<String, String> row =
        rows(store, null, "--outstanding", "4", "--seconds", "0.2", "--warmup", "0").get(0);
    long errors = number(row, "errors");
    assertTrue(errors > 0, row.toString());
    assertTrue(errors <= store.puts.get() / 19 + 1, errors + " beside " + store.puts);
    assertTrue(notes().contains("first of " + errors + " errors: too much at once"), () -> notes());
    // Deletes fail in the same way, and that is told too.
    assertTrue(notes().contains("not everything under bench/ was removed: "), () -> notes());
  }

  @Test
  void locksAreAcquiredAndReleased() throws Exception {
    TableLocks locks = new TableLocks(service, call -> false);
    Map<String, String> row =
        rows(null, locks, "--workload", "lock", "--outstanding", "8", "--seconds", "0.1").get(0);
    assertEquals("0", row.get("errors"));
    assertEquals("0", row.get("size"));
    assertTrue(number(row, "operations") <= locks.tokens.get());
    assertSane(row);
    assertTrue(locks.held.isEmpty(), "held: " + locks.held);
  }

  @Test
  void locksWhoseReleaseFailedAreReleasedAtTheEnd() throws Exception {
    TableLocks locks = new TableLocks(service, call -> call >= 100 && call < 105);
    Map<String, String> row =
        rows(
                null,
                locks,
                "--workload",
                "lock",
                "--outstanding",
                "8",
                "--seconds",
                "0.2",
                "--warmup",
                "0")
            .get(0);
    assertTrue(number(row, "errors") >= 5, row.toString());
    assertTrue(locks.releases.get() >= 105, "" + locks.releases);
    assertTrue(locks.held.isEmpty(), "held: " + locks.held);
  }

  @Test
  void aStoreIsWrittenAndItsKeysRemoved() throws Exception {
    MapStore map = new MapStore(service, call -> false);
    Map<String, String> row =
        row(
            new CopiedStore("main", map),
            "--workload",
            "store-put",
            "--outstanding",
            "4",
            "--size",
            "10",
            "--keys",
            "7");
    assertEquals("\"store-put\"", row.get("workload"));
    assertEquals("10", row.get("size"));
    assertEquals("0", row.get("errors"));
    assertEquals("null", row.get("syncs_per_1000"), "those of the log say nothing here");
    assertTrue(number(row, "operations") <= map.puts.get());
    assertEquals(0, map.gets.get());
    assertSane(row);
    assertTrue(map.entries.isEmpty(), "left: " + map.entries.keySet());
  }

  @Test
  void aStoreIsReadThatHasAnotherName() throws Exception {
    MapStore map = new MapStore(service, call -> false);
    Map<String, String> row =
        row(new CopiedStore("other", map), "--workload", "store-get", "--store", "other");
    assertEquals("\"store-get\"", row.get("workload"));
    assertEquals("0", row.get("errors"));
    assertEquals(1_000, map.puts.get());
    assertTrue(number(row, "operations") <= map.gets.get());
    assertSane(row);
    assertTrue(map.entries.isEmpty(), "left: " + map.entries.keySet());
  }

  @Test
  void tasksAreSubmittedAndTheirResultsAwaited() throws Exception {
    QueuedTasks tasks = new QueuedTasks(service, new EmptyTasks(), task -> false);
    Map<String, String> row = row(tasks, "--outstanding", "4", "--seconds", "0.2");
    List<String> keys = new ArrayList<>(KEYS);
    keys.addAll(List.of("half_ops", "start_p50", "start_p99"));
    assertEquals(keys, List.copyOf(row.keySet()));
    assertEquals("\"task\"", row.get("workload"));
    assertEquals("0", row.get("size"));
    assertEquals("0", row.get("errors"));
    assertSane(row);
    assertEquals(
        Double.parseDouble(row.get("ops")) / 2, Double.parseDouble(row.get("half_ops")), 0.1);
    double p50 = Double.parseDouble(row.get("start_p50"));
    double p99 = Double.parseDouble(row.get("start_p99"));
    assertTrue(0 <= p50 && p50 <= p99 && 0 < p99, row.toString());
    // All of the closed loop, and as many at the fixed rate as are half of those counted.
    assertTrue(tasks.submitted.get() > number(row, "operations") * 14 / 10, row.toString());
    assertTrue(tasks.ends.isEmpty(), "not awaited: " + tasks.ends.keySet());
  }

  @Test
  void tasksThatDoNotSucceedAreErrors() throws Exception {
    QueuedTasks tasks = new QueuedTasks(service, new EmptyTasks(), task -> task % 20 == 0);
    Map<String, String> row = row(tasks, "--outstanding", "4", "--seconds", "0.2");
    assertTrue(number(row, "errors") > 0, row.toString());
    assertTrue(notes().contains("a task did not succeed: "), () -> notes());
    QueuedTasks none = new QueuedTasks(service, new EmptyTasks(), task -> true);
    CoordinationException e =
        assertThrows(CoordinationException.class, () -> row(none, "--seconds", "0.05"));
    assertTrue(e.getMessage().startsWith("not one operation succeeded: "), e.getMessage());
  }

  @Test
  void tasksThatCannotBeSubmittedAtARateForAMomentAreNotWaitedFor() throws Exception {
    QueuedTasks tasks = new QueuedTasks(service, new EmptyTasks(), task -> false);
    AtomicLong asked = new AtomicLong();
    Histogram waits =
        Arrivals.run(
            new TaskLoad(() -> asked.getAndIncrement() % 2 == 0 ? tasks : null),
            1_000,
            TimeUnit.MILLISECONDS.toNanos(200),
            TimeUnit.SECONDS.toNanos(30),
            executor);
    assertEquals(100, waits.getTotalCount());
    assertEquals(100, tasks.submitted.get());
  }

  @Test
  void whenNothingSucceedsThereIsNoRow() {
    MapStore store = new MapStore(service, call -> true);
    CoordinationException e =
        assertThrows(CoordinationException.class, () -> rows(store, null, "--seconds", "0.05"));
    assertEquals("not one operation succeeded: too much at once", e.getMessage());
    e = assertThrows(CoordinationException.class, () -> rows(store, null, "--workload", "get"));
    assertEquals(
        "writing the keys that will be read came to 0 of 1000: too much at once", e.getMessage());
  }

  @Test
  void aMissingServiceIsNamed() {
    CoordinationException e =
        assertThrows(CoordinationException.class, () -> rows(null, null, "--workload", "put"));
    assertEquals(CoordinationException.Reason.UNAVAILABLE, e.reason());
    assertTrue(e.getMessage().contains("io.clowder.kv"), e.getMessage());
    e = assertThrows(CoordinationException.class, () -> rows(null, null, "--workload", "lock"));
    assertTrue(e.getMessage().contains("io.clowder.lock"), e.getMessage());
    e = assertThrows(CoordinationException.class, () -> rows(null, null, "--workload", "task"));
    assertTrue(e.getMessage().contains("io.clowder.scheduler"), e.getMessage());
    CopiedStore store = new CopiedStore("main", new MapStore(service, call -> false));
    e =
        assertThrows(
            CoordinationException.class,
            () -> row(store, "--workload", "store-put", "--store", "other"));
    assertEquals(CoordinationException.Reason.UNAVAILABLE, e.reason());
    assertTrue(e.getMessage().startsWith("no store 'other' on this node"), e.getMessage());
    assertEquals("", notes());
  }

  @Test
  void aServiceThatComesBackIsUsedAgain() throws Exception {
    MapStore store = new MapStore(service, call -> false);
    AtomicLong asked = new AtomicLong();
    Supplier<@Nullable KvStore> stores =
        () -> {
          long call = asked.incrementAndGet();
          return call > 100 && call <= 103 ? null : store;
        };
    String json =
        new BenchCommand(stores, () -> null, () -> null, name -> null, () -> null, folder, stream())
            .run("--outstanding", "2", "--seconds", "0.2", "--warmup", "0", "-o", "json");
    Map<String, String> row = parse(json).get(0);
    assertEquals("3", row.get("errors"));
    assertTrue(store.puts.get() > 103, "" + store.puts);
    assertTrue(notes().contains("no map on this node"), () -> notes());
  }

  @Test
  void anInterruptionEndsItAndItsKeysAreRemoved() {
    Thread caller = Thread.currentThread();
    MapStore store =
        new MapStore(
            service,
            call -> {
              if (call == 2_000) {
                caller.interrupt();
              }
              return false;
            });
    InterruptedException e =
        assertThrows(
            InterruptedException.class,
            () -> rows(store, null, "--outstanding", "8", "--seconds", "3600"));
    assertEquals("the benchmark was stopped", e.getMessage());
    assertFalse(Thread.interrupted());
    assertTrue(store.puts.get() > 1_900, "" + store.puts);
    assertTrue(store.entries.isEmpty(), "left: " + store.entries.keySet());
  }

  @Test
  void valuesOutOfRangeAreRefusedByName() {
    refused("--outstanding must be from 1 to 16384, not 0", "--outstanding", "4,0");
    refused("--size must be from 0 to 1048576, not -1", "--size", "-1");
    refused("--keys must be from 1 to 100000, not 0", "--keys", "0");
    refused("--seconds must be from 0.01 to 3600, not 0", "--seconds", "0");
    refused("--warmup must be from 0 to 3600, not 9999", "--warmup", "9999");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> rows(null, null, "--workload", "swim"));
    assertTrue(e.getMessage().contains("swim"), e.getMessage());
  }

  @Test
  void helpNamesTheOptions() throws Exception {
    String help =
        new BenchCommand(
                () -> null, () -> null, () -> null, name -> null, () -> null, folder, stream())
            .run("--help");
    for (String option :
        List.of("--workload", "--store", "--outstanding", "--size", "--warmup", "--keys")) {
      assertTrue(help.contains(option), help);
    }
  }

  private void refused(String message, String... words) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> rows(null, null, words));
    assertEquals(message, e.getMessage());
  }

  private List<Map<String, String>> rows(
      @Nullable KvStore kv, @Nullable LockService locks, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("-o", "json"));
    return parse(
        new BenchCommand(
                () -> kv,
                () -> locks,
                () -> null,
                name -> null,
                syncs::incrementAndGet,
                folder,
                stream())
            .run(all.toArray(String[]::new)));
  }

  /** Of a store, of a tenth of a second with one row. */
  private Map<String, String> row(CopiedStore store, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("--outstanding", "1", "--seconds", "0.1"));
    all.addAll(List.of(words));
    all.addAll(List.of("-o", "json"));
    String json =
        new BenchCommand(
                () -> null,
                () -> null,
                () -> null,
                name -> name.equals(store.name()) ? store : null,
                syncs::incrementAndGet,
                folder,
                stream())
            .run(all.toArray(String[]::new));
    return parse(json).get(0);
  }

  /** Of tasks. */
  private Map<String, String> row(QueuedTasks tasks, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("--workload", "task", "-o", "json"));
    all.addAll(List.of(words));
    String json =
        new BenchCommand(
                () -> null,
                () -> null,
                () -> tasks,
                name -> null,
                syncs::incrementAndGet,
                folder,
                stream())
            .run(all.toArray(String[]::new));
    return parse(json).get(0);
  }

  private PrintStream stream() {
    return new PrintStream(notes, true, StandardCharsets.UTF_8);
  }

  private String notes() {
    return notes.toString(StandardCharsets.UTF_8);
  }

  /** Rows as they are printed: a line each, values as their JSON text. */
  private static List<Map<String, String>> parse(String json) {
    List<Map<String, String>> rows = new ArrayList<>();
    for (String line : json.lines().filter(text -> text.contains("{")).toList()) {
      Map<String, String> row = new LinkedHashMap<>();
      Matcher cells = CELL.matcher(line);
      while (cells.find()) {
        row.put(cells.group(1), cells.group(2));
      }
      rows.add(row);
    }
    return rows;
  }

  private static long number(Map<String, String> row, String key) {
    return (long) Double.parseDouble(row.get(key));
  }

  private static void assertSane(Map<String, String> row) {
    double p50 = Double.parseDouble(row.get("p50"));
    double p99 = Double.parseDouble(row.get("p99"));
    double p999 = Double.parseDouble(row.get("p999"));
    // In memory, half of the answers may be there within half a microsecond, which is 0.000 ms.
    assertTrue(p50 <= p99 && p99 <= p999 && 0 < p999 && p999 < 10_000, row.toString());
    for (String key : List.of("p50", "p99", "p999", "gap_ms", "sync_ms", "roundtrip_ms")) {
      assertTrue(row.get(key).matches("\\d+\\.\\d{3}"), key + " is " + row.get(key));
    }
    double gap = Double.parseDouble(row.get("gap_ms"));
    assertTrue(gap > 0 && gap <= 1000 * Double.parseDouble(row.get("seconds")), row.toString());
    assertTrue(Double.parseDouble(row.get("sync_ms")) > 0, row.toString());
    assertTrue(Double.parseDouble(row.get("roundtrip_ms")) > 0, row.toString());
  }
}
