// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.protocol.ConsensusProtocol;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs seeds, on as many threads as the property {@code threads} says, or else as there are
 * processors; and says how to run those that failed again.
 */
public final class SeedRunner {
  /** In so many runs there are surely some. */
  private static final int SWAPS_FROM_RUNS = 50;

  private final SortedMap<String, ConsensusProtocol> protocols;
  private final String command;
  private final PrintStream out;
  private final SortedMap<String, Long> sightings = new TreeMap<>();
  private long events;
  private long operations;
  private long grants;
  private long elections;
  private final SortedMap<String, Integer> swaps = new TreeMap<>();
  private int swapped;
  private int runs;
  private int failed;
  private long snapshots;
  private long slowestMillis;

  /**
   * A runner.
   *
   * @param protocols by name; a group begins with one of them and may swap to any
   * @param command the command line that runs a seed, up to the seed's number, to be printed for
   *     replay
   */
  public SeedRunner(
      SortedMap<String, ConsensusProtocol> protocols, String command, PrintStream out) {
    this.protocols = new TreeMap<>(protocols);
    this.command = command;
    this.out = out;
  }

  /**
   * Runs seeds.
   *
   * @param seeds one number, or {@code FROM-TO} with both included
   * @param trace whether to print the log of the nodes
   * @return how many failed
   * @throws IllegalArgumentException if that is no range of seeds
   */
  public int run(String seeds, boolean trace) {
    String[] range = seeds.split("-", 2);
    try {
      long from = Long.parseLong(range[0]);
      return run(from, range.length == 1 ? from : Long.parseLong(range[1]), trace);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("seeds '" + seeds + "': write N or FROM-TO", e);
    }
  }

  /** Runs the seeds from one to another, both included; returns how many failed. */
  public int run(long from, long to, boolean trace) {
    long start = System.nanoTime();
    var next = new AtomicLong(from);
    int threads =
        trace ? 1 : Integer.getInteger("threads", Runtime.getRuntime().availableProcessors());
    List<Thread> others = new ArrayList<>();
    Runnable work =
        () -> {
          for (long seed = next.getAndIncrement(); seed <= to; seed = next.getAndIncrement()) {
            run(seed, from == to, trace);
          }
        };
    for (int i = 1; i < Math.min(threads, to - from + 1); i++) {
      var thread = new Thread(work, "seeds " + i);
      others.add(thread);
      thread.start();
    }
    work.run();
    for (var thread : others) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
    sum(from, to, (System.nanoTime() - start) / 1e9);
    return failed;
  }

  private void run(long seed, boolean alone, boolean trace) {
    var simulation = new ClusterSimulation(seed, protocols);
    try {
      if (trace) {
        TraceLog.to(out, simulation.world());
      }
      add(simulation.run());
    } catch (AssertionError | RuntimeException e) {
      failed(seed, e, alone ? simulation.world().sightings() : new TreeMap<>(), alone);
    } finally {
      TraceLog.off();
    }
  }

  private synchronized void failed(
      long seed, Throwable failure, SortedMap<String, Long> seen, boolean alone) {
    failed++;
    out.println("seed " + seed + " failed: " + failure.getMessage());
    if (alone) {
      failure.printStackTrace(out);
      seen.forEach((what, count) -> out.println(count + " x " + what));
    }
    out.println("  replay: " + command + seed);
  }

  private void sum(long from, long to, double seconds) {
    out.println(
        String.format(
            Locale.ROOT,
            "%s: %d seeds, %d failed; %d events, %d operations, %d grants, %d elections, %d snapshots;"
                + " %.1f s, %.0f events/s; slowest recovery %d ms",
            String.join(" and ", protocols.keySet()),
            to - from + 1,
            failed,
            events,
            operations,
            grants,
            elections,
            snapshots,
            seconds,
            events / seconds,
            slowestMillis));
    out.println(
        String.format(
            Locale.ROOT,
            "  swaps in %d seeds (%.0f %%): %s",
            swapped,
            100.0 * swapped / (to - from + 1),
            swaps.isEmpty() ? "none" : String.join(", ", named(swaps))));
    if (from == to) {
      sightings.forEach((what, count) -> out.println("  " + count + " x " + what));
    }
  }

  private static List<String> named(SortedMap<String, Integer> counts) {
    List<String> named = new ArrayList<>();
    counts.forEach((what, count) -> named.add(count + " from " + what));
    return named;
  }

  /**
   * Requires that a fifth of the runs, if they are not just a few, went from one segment to
   * another, and that each protocol was followed by each.
   *
   * @throws AssertionError if they did not
   */
  public void requireSwaps() {
    if (runs < SWAPS_FROM_RUNS) {
      return;
    }
    boolean everyWay = swaps.size() == protocols.size() * protocols.size();
    if (swapped * 5 < runs || !everyWay) {
      throw new AssertionError("swaps in " + swapped + " of " + runs + " runs only: " + swaps);
    }
  }

  /** How often each rare thing was seen in all runs. */
  public SortedMap<String, Long> sightings() {
    return new TreeMap<>(sightings);
  }

  private synchronized void add(ClusterSimulation.Report report) {
    runs++;
    events += report.events();
    operations += report.operations();
    grants += report.grants();
    elections += report.elections();
    report.swaps().forEach((direction, count) -> swaps.merge(direction, count, Integer::sum));
    swapped += report.swaps().isEmpty() ? 0 : 1;
    snapshots += report.snapshots();
    slowestMillis = Math.max(slowestMillis, report.recoveryMillis());
    report.sightings().forEach((what, count) -> sightings.merge(what, count, Long::sum));
  }
}
