// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.planted;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Plants the bugs of a file, one at a time, and has them found.
 *
 * @param root of the modules whose sources are changed
 * @param file the bugs, and how each was found
 * @param support sources that trials need besides
 */
public record Bench(Path root, Path file, List<Path> support) {
  /** After a change of other code another seed may find a bug: so many are tried. */
  private static final long NEIGHBOURS = 40;

  /** Toy worlds are tried up to this one. */
  private static final long WORLDS_MAX = 1_000;

  /**
   * Unit tests of a module.
   *
   * @param folder where they are
   * @param tests a regular expression of those that need no other libraries than there are here
   */
  private record Units(String folder, String tests) {}

  /** By how the names of bugs begin; those of protocols have other tests. */
  private static final Map<String, Units> UNITS =
      Map.of(
          "driver", new Units("consensus/src/test/java/io/clowder/consensus", ".*Test"),
          "runtime", new Units("api/src/test/java/io/clowder/api/runtime", ".*Test"),
          "lock",
              new Units("lock/src/test/java/io/clowder/lock", "LockTableTest|ReplicatedLocksTest"));

  /** The bugs of the file. */
  public List<Bug> bugs() throws IOException {
    return Bug.read(file);
  }

  /**
   * Has a bug found in the way in which it was found last, by the same seed or one of a few others.
   *
   * @throws AssertionError if it is not found, or cannot be planted: the code has changed
   */
  public void verify(Bug bug) throws IOException {
    Bug.Found found = bug.found();
    if (found == null) {
      throw new AssertionError(bug.name() + " was never found: search for it");
    }
    BiFunction<String, Long, @Nullable String> trial = trial(bug, found.way());
    String message = trial.apply(found.way(), found.seed());
    for (long seed = 1; message == null && found.seed() > 0 && seed <= NEIGHBOURS; seed++) {
      message = trial.apply(found.way(), seed);
    }
    if (message == null) {
      throw new AssertionError(
          bug.name() + " is not found any more by " + found + "; search for it anew");
    }
  }

  private BiFunction<String, Long, @Nullable String> trial(Bug bug, String way) throws IOException {
    return Mutant.of(bug, root, way.startsWith("unit") ? unitSources(bug) : support).trial();
  }

  private static Units units(Bug bug) {
    Units units = UNITS.get(module(bug));
    if (units == null) {
      throw new IllegalArgumentException("no unit tests for " + bug.name());
    }
    return units;
  }

  /** Sources of the tests of the bug's module, and of what they need. */
  private List<Path> unitSources(Bug bug) throws IOException {
    Units units = units(bug);
    try (Stream<Path> files = Files.list(root.resolve(units.folder))) {
      return files
          .filter(it -> it.toString().endsWith(".java"))
          .filter(it -> !name(it).endsWith("Test") || name(it).matches(units.tests))
          .sorted()
          .toList();
    }
  }

  private static String name(Path source) {
    return source.getFileName().toString().replace(".java", "");
  }

  /**
   * Looks for bugs in every way that there is.
   *
   * @param seeds of clusters at most, for each bug
   * @param names a regular expression of the names of the bugs to be looked for
   * @return all bugs, with how they were found
   */
  public List<Bug> search(long seeds, String names, PrintStream out) throws IOException {
    List<Bug> searched = new ArrayList<>();
    for (Bug bug : bugs()) {
      if (!bug.name().matches(names)) {
        searched.add(bug);
        continue;
      }
      long began = System.nanoTime();
      Bug.Found found = find(bug, seeds);
      searched.add(bug.with(found));
      out.printf(
          "%s: %s (%d s)%n",
          bug.name(),
          found == null ? "NOT FOUND" : found,
          (System.nanoTime() - began) / 1_000_000_000);
    }
    return searched;
  }

  private static String module(Bug bug) {
    return bug.name().substring(0, bug.name().indexOf('-'));
  }

  private Bug.@Nullable Found find(Bug bug, long seeds) throws IOException {
    BiFunction<String, Long, @Nullable String> trial = trial(bug, "");
    String module = module(bug);
    boolean isCore = !UNITS.containsKey(module);
    Bug.Found found = first(trial, "cluster", seeds);
    if (found == null && isCore) {
      found = first(trial, module + " world", WORLDS_MAX);
    }
    for (String way : isCore ? List.of(module + " kit", module + " traces") : List.<String>of()) {
      if (found == null) {
        String message = trial.apply(way, 0L);
        found = message == null ? null : new Bug.Found(way, 0, shortened(message));
      }
    }
    if (found == null && !isCore) {
      BiFunction<String, Long, @Nullable String> units = trial(bug, "unit");
      for (Path source : unitSources(bug)) {
        String way = "unit " + name(source);
        String message = found == null && way.endsWith("Test") ? units.apply(way, 0L) : null;
        found = message == null ? found : new Bug.Found(way, 0, shortened(message));
      }
    }
    return found;
  }

  private static Bug.@Nullable Found first(
      BiFunction<String, Long, @Nullable String> trial, String way, long last) {
    SortedMap<Long, String> found = new TreeMap<>();
    AtomicLong next = new AtomicLong(1);
    int threads = Integer.getInteger("threads", Runtime.getRuntime().availableProcessors());
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    for (int i = 0; i < threads; i++) {
      pool.execute(
          () -> {
            for (long seed = next.getAndIncrement(); seed <= last; seed = next.getAndIncrement()) {
              synchronized (found) {
                if (!found.isEmpty() && found.firstKey() < seed) {
                  return;
                }
              }
              String message = trial.apply(way, seed);
              synchronized (found) {
                if (message != null) {
                  found.put(seed, shortened(message));
                }
              }
            }
          });
    }
    pool.shutdown();
    try {
      if (!pool.awaitTermination(2, TimeUnit.HOURS)) {
        throw new AssertionError("seeds of " + way + " do not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    return found.isEmpty()
        ? null
        : new Bug.Found(way, found.firstKey(), found.get(found.firstKey()));
  }

  private static String shortened(String message) {
    return message.length() > 110 ? message.substring(0, 110) + "…" : message;
  }

  /** Writes into the file how bugs are found, and a table for people. */
  public void write(List<Bug> bugs, Path table) throws IOException {
    Bug.write(file, bugs);
    List<String> lines = new ArrayList<>();
    lines.add("# Planted bugs");
    lines.add("");
    lines.add(
        "Each was planted into a copy of the production code; the first seed that fails is shown,");
    lines.add("and what it says. Written by the search; see `CONTRIBUTING.md` for the commands.");
    lines.add("");
    lines.add("| bug | rule | what is wrong | found by | seeds | it says |");
    lines.add("|---|---|---|---|---|---|");
    for (Bug bug : bugs) {
      Bug.Found found = bug.found();
      lines.add(
          String.format(
              "| `%s` | %s | %s | %s | %s | %s |",
              bug.name(),
              bug.rule(),
              bug.what(),
              found == null ? "**nothing**" : found.way(),
              found == null || found.seed() == 0 ? "" : found.seed(),
              found == null ? "" : found.message().replace("|", "\\|")));
    }
    Files.write(table, lines);
  }
}
