// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.LockService;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import io.clowder.api.store.ReplicatedStore;
import io.clowder.api.task.TaskScheduler;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** One run of the benchmark: options, limits of the machine, load, a row for each concurrency. */
@Command(
    name = "clowder:bench",
    description = {
      "Loads the cluster from inside this node and prints what it gives. Latencies are in"
          + " milliseconds; gap_ms is the longest time without a success, as a fail-over makes"
          + " one; sync_ms and roundtrip_ms are this machine's own limits: one durable"
          + " write of 4 KiB, and 100 bytes there and back on loopback. After tasks in a closed loop"
          + " come as many seconds of half as many at a fixed rate, HALF_OPS; start_p50 and start_p99"
          + " are how long these take from their submission until they begin."
    })
final class BenchCommand extends ShellCommand {
  private static final int KEYS = 1_000;
  private static final int KEYS_MAX = 100_000;
  private static final int SECONDS_MAX = 3600;
  private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final BigDecimal WARM_UP_SECONDS_MAX = BigDecimal.valueOf(2);

  /** What to load the cluster with. */
  enum Workload {
    /** Writes of keys in turn. */
    put,
    /** Linearizable reads of keys in turn. */
    get,
    /** Acquire and release. */
    lock,
    /** As {@link #put}, of a replicated store. */
    store_put,
    /** As {@link #get}, of a replicated store. */
    store_get,
    /** Tasks, from their submission to their results. */
    task;

    @Override
    public String toString() {
      return name().replace('_', '-');
    }
  }

  @Option(
      names = "--workload",
      defaultValue = "put",
      paramLabel = "put|get|lock|store-put|store-get|task",
      description =
          "Writes, linearizable reads, or pairs of acquire and release; writes or linearizable"
              + " reads of a replicated store; tasks that do nothing, from their submission to"
              + " their results. Default: put.")
  private Workload workload = Workload.put;

  @Option(
      names = "--store",
      defaultValue = "main",
      paramLabel = "NAME",
      description = "Which replicated store. Default: main.")
  private String store = "";

  @Option(
      names = "--outstanding",
      split = ",",
      defaultValue = "1,16,256",
      paramLabel = "N",
      description = "Operations at a time; several give a row each. Default: 1,16,256.")
  private int[] outstanding = {};

  @Option(
      names = "--size",
      defaultValue = "100",
      paramLabel = "BYTES",
      description = "Bytes of a value. Default: 100.")
  private int size;

  @Option(
      names = "--seconds",
      defaultValue = "10",
      paramLabel = "S",
      description = "How long to measure, after the warm-up. Default: 10.")
  private BigDecimal seconds = BigDecimal.ZERO;

  @Option(
      names = "--warmup",
      paramLabel = "SECONDS",
      description = "How long to load before measuring. Default: half of --seconds, at most 2.")
  private @Nullable BigDecimal warmUp;

  @Option(
      names = "--keys",
      paramLabel = "N",
      description =
          "How many keys, or locks, to use in turn. Default: 1000 keys; a lock for each operation"
              + " at a time.")
  private @Nullable Integer keys;

  private final Supplier<@Nullable KvStore> kv;
  private final Supplier<@Nullable LockService> locks;
  private final Supplier<@Nullable TaskScheduler> tasks;
  private final Function<String, @Nullable ReplicatedStore> stores;
  private final Supplier<@Nullable Long> syncs;
  private final Path folder;
  private final PrintStream notes;

  /**
   * A command for one run.
   *
   * @param kv the map while it is there, else null
   * @param locks the same for the locks
   * @param tasks the same for the tasks
   * @param stores by their names the same for the replicated stores
   * @param syncs how often this node's journal was synced so far, or null while nobody tells
   * @param folder where to measure the disk
   * @param notes what does not belong into the result
   */
  BenchCommand(
      Supplier<@Nullable KvStore> kv,
      Supplier<@Nullable LockService> locks,
      Supplier<@Nullable TaskScheduler> tasks,
      Function<String, @Nullable ReplicatedStore> stores,
      Supplier<@Nullable Long> syncs,
      Path folder,
      PrintStream notes) {
    this.kv = kv;
    this.locks = locks;
    this.tasks = tasks;
    this.stores = stores;
    this.syncs = syncs;
    this.folder = folder;
    this.notes = notes;
  }

  @Override
  protected Table execute() throws Exception {
    requireRanges();
    Load load = load();
    load.requireService();
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "clowder-bench");
              thread.setDaemon(true);
              return thread;
            });
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    try {
      return measure(load, executor);
    } finally {
      executor.shutdown();
    }
  }

  private static InterruptedException stopped(Exception cause) {
    // A channel leaves the thread marked as interrupted, a latch does not; cleaning up has to wait.
    Thread.interrupted();
    InterruptedException stopped = new InterruptedException("the benchmark was stopped");
    stopped.initCause(cause);
    return stopped;
  }

  private void requireRanges() {
    for (int n : outstanding) {
      require("--outstanding", n, 1, Limits.PENDING_REQUESTS);
    }
    require("--size", size, 0, Limits.VALUE_BYTES);
    if (keys != null) {
      require("--keys", keys, 1, KEYS_MAX);
    }
    require("--seconds", seconds, new BigDecimal("0.01"));
    if (warmUp != null) {
      require("--warmup", warmUp, BigDecimal.ZERO);
    }
  }

  private static void require(String option, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          option + " must be from " + min + " to " + max + ", not " + value);
    }
  }

  private static void require(String option, BigDecimal value, BigDecimal min) {
    if (value.compareTo(min) < 0 || value.compareTo(BigDecimal.valueOf(SECONDS_MAX)) > 0) {
      throw new IllegalArgumentException(
          option + " must be from " + min + " to " + SECONDS_MAX + ", not " + value);
    }
  }

  private Load load() {
    if (workload == Workload.lock) {
      return new LockLoad(
          locks,
          keys == null ? Arrays.stream(outstanding).max().orElseThrow() : keys,
          keys != null);
    }
    if (workload == Workload.task) {
      return new TaskLoad(tasks);
    }
    boolean reads = workload == Workload.get || workload == Workload.store_get;
    Keyspace space = isOfStore() ? new Keyspace.OfStore(store, stores) : new Keyspace.OfMap(kv);
    return new KeyLoad(space, reads, keys == null ? KEYS : keys, size);
  }

  private boolean isOfStore() {
    return workload == Workload.store_put || workload == Workload.store_get;
  }

  /** Of the log; a store has a journal of its own, and nobody tells how often that is synced. */
  private @Nullable Long syncs() {
    return isOfStore() ? null : syncs.get();
  }

  private Table measure(Load load, ScheduledExecutorService executor) throws Exception {
    Table table =
        new Table(
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
            "roundtrip_ms",
            "half_ops",
            "start_p50",
            "start_p99");
    try {
      load.prepare(executor);
      for (int n : outstanding) {
        row(table, n, load, executor);
      }
    } catch (ClosedByInterruptException | InterruptedException e) {
      throw stopped(e);
    } finally {
      cleanUp(load, executor);
    }
    return workload == Workload.task
        ? table
        : table.without("half_ops").without("start_p50").without("start_p99");
  }

  private void row(Table table, int n, Load load, ScheduledExecutorService executor)
      throws IOException, InterruptedException {
    BigDecimal sync = millis(MachineLimits.syncNanos(folder));
    BigDecimal roundTrip = millis(MachineLimits.roundTripNanos());
    BigDecimal before =
        warmUp == null ? seconds.divide(BigDecimal.valueOf(2)).min(WARM_UP_SECONDS_MAX) : warmUp;
    ClosedLoop.Plan plan =
        new ClosedLoop.Plan(n, Long.MAX_VALUE, nanos(before), nanos(seconds), DRAIN_NANOS);
    AtomicReference<@Nullable Long> syncsBefore = new AtomicReference<>();
    Future<?> look =
        executor.schedule(() -> syncsBefore.set(syncs()), plan.warmUpNanos(), TimeUnit.NANOSECONDS);
    ClosedLoop.Result result = ClosedLoop.run(load, plan, executor);
    look.cancel(false);
    Long syncsAfter = syncs();
    if (result.operations() == 0) {
      throw new CoordinationException(
          Reason.UNAVAILABLE,
          Outcome.MAY_HAVE_HAPPENED,
          "not one operation succeeded: " + result.because());
    }
    if (result.errors() > 0) {
      notes.println(
          n + " outstanding: first of " + result.errors() + " errors: " + result.because());
    }
    Histogram latencies = result.latencies();
    BigDecimal perSecond =
        BigDecimal.valueOf(result.operations()).divide(seconds, 1, RoundingMode.HALF_UP);
    BigDecimal half = perSecond.divide(BigDecimal.valueOf(2), 1, RoundingMode.HALF_UP);
    Histogram waits = load instanceof TaskLoad its ? waits(its, half, executor) : null;
    table.row(
        workload,
        n,
        workload == Workload.lock || workload == Workload.task ? 0 : size,
        seconds,
        result.operations(),
        perSecond,
        millis(latencies.getValueAtPercentile(50)),
        millis(latencies.getValueAtPercentile(99)),
        millis(latencies.getValueAtPercentile(99.9)),
        millis(result.gapNanos()),
        result.errors(),
        perThousand(syncsBefore.get(), syncsAfter, result.operations()),
        sync,
        roundTrip,
        half,
        waits == null ? null : millis(waits.getValueAtPercentile(50)),
        waits == null ? null : millis(waits.getValueAtPercentile(99)));
  }

  /** How long tasks take to begin when the cluster has half as many to do as it can. */
  private Histogram waits(TaskLoad load, BigDecimal perSecond, ScheduledExecutorService executor)
      throws InterruptedException {
    return Arrivals.run(load, perSecond.doubleValue(), nanos(seconds), DRAIN_NANOS, executor);
  }

  /** Syncs of this node's journal, from the end of the warm-up on, for 1,000 operations. */
  private static @Nullable BigDecimal perThousand(
      @Nullable Long before, @Nullable Long after, long operations) {
    return before == null || after == null || after < before
        ? null
        : BigDecimal.valueOf(1000 * (after - before))
            .divide(BigDecimal.valueOf(operations), 1, RoundingMode.HALF_UP);
  }

  private void cleanUp(Load load, ScheduledExecutorService executor) {
    try {
      load.cleanUp(executor);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      notes.println(
          "not everything under " + Load.PREFIX + " was removed: " + ClosedLoop.sentence(e));
    }
  }

  private static long nanos(BigDecimal seconds) {
    return seconds.movePointRight(9).longValue();
  }

  private static BigDecimal millis(long nanos) {
    return BigDecimal.valueOf(nanos).movePointLeft(6).setScale(3, RoundingMode.HALF_UP);
  }
}
