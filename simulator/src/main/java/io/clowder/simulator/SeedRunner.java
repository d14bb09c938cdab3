// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.protocol.ConsensusProtocol;
import java.io.PrintStream;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/** Runs one seed after the other, and says how to run the one that failed again. */
public final class SeedRunner {
  private final SortedMap<String, ConsensusProtocol> protocols;
  private final String command;
  private final PrintStream out;
  private final SortedMap<String, Long> sightings = new TreeMap<>();
  private long events;
  private long operations;
  private long grants;
  private long elections;
  private long swaps;
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
    int failed = 0;
    for (long seed = from; seed <= to; seed++) {
      var simulation = new ClusterSimulation(seed, protocols);
      try {
        if (trace) {
          TraceLog.to(out, simulation.world());
        }
        add(simulation.run());
      } catch (AssertionError | RuntimeException e) {
        failed++;
        out.println("seed " + seed + " failed: " + e.getMessage());
        if (from == to) {
          e.printStackTrace(out);
          simulation
              .world()
              .sightings()
              .forEach((what, count) -> out.println(count + " x " + what));
        }
        out.println("  replay: " + command + seed);
      } finally {
        TraceLog.off();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    out.println(
        String.format(
            Locale.ROOT,
            "%s: %d seeds, %d failed; %d events, %d operations, %d grants, %d swaps, %d elections, %d"
                + " snapshots;"
                + " %.1f s, %.0f events/s; slowest recovery %d ms",
            String.join(" and ", protocols.keySet()),
            to - from + 1,
            failed,
            events,
            operations,
            grants,
            swaps,
            elections,
            snapshots,
            seconds,
            events / seconds,
            slowestMillis));
    if (from == to || trace) {
      sightings.forEach((what, count) -> out.println("  " + count + " x " + what));
    }
    return failed;
  }

  /** How often each rare thing was seen in all runs. */
  public SortedMap<String, Long> sightings() {
    return new TreeMap<>(sightings);
  }

  private void add(ClusterSimulation.Report report) {
    events += report.events();
    operations += report.operations();
    grants += report.grants();
    elections += report.elections();
    swaps += report.swaps();
    snapshots += report.snapshots();
    slowestMillis = Math.max(slowestMillis, report.recoveryMillis());
    report.sightings().forEach((what, count) -> sightings.merge(what, count, Long::sum));
  }
}
