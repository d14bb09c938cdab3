// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.toy;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** One toy world after the other, each from its seed. */
public final class RandomRuns {
  private static final long TROUBLE = 3_000_000;

  private final String name;
  private final Specimen<?> specimen;
  private final PrintStream out;

  /**
   * Runs of one protocol.
   *
   * @param name the system properties {@code NAME.seed} and {@code NAME.seeds} say which
   */
  public RandomRuns(String name, Specimen<?> specimen, PrintStream out) {
    this.name = name;
    this.specimen = specimen;
    this.out = out;
  }

  /**
   * The protocol's promises hold, under crashes, lost writes, partitions, pauses and a bad network.
   *
   * @param seeds how many, from 1 on, if no property says otherwise
   * @throws AssertionError with the seed, if they do not
   */
  public void mustHold(long seeds) {
    Long only = Long.getLong(name + ".seed");
    long first = only == null ? 1 : only;
    long last = only == null ? Long.getLong(name + ".seeds", seeds) : only;
    long steps = 0;
    long decided = 0;
    long reads = 0;
    long began = System.nanoTime();
    for (long seed = first; seed <= last; seed++) {
      ToyWorld<?> world = new ToyWorld<>(specimen, seed, Plant.NONE);
      try {
        world.run(TROUBLE);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(
            "seed %d (again: -D%s.seed=%d): %s".formatted(seed, name, seed, e.getMessage()), e);
      }
      steps += world.steps;
      decided += world.decidedAnywhere();
      reads += world.reads;
    }
    long millis = (System.nanoTime() - began) / 1_000_000;
    out.printf(
        "%s: %d seeds, %d steps, %d slots, %d reads in %d ms%n",
        name, last - first + 1, steps, decided, reads, millis);
    if (decided <= (last - first) * 20 || reads <= (last - first) * 5) {
      throw new AssertionError("the world is so bad that nothing is tested");
    }
  }

  /** How a planted mistake was found, or null if it was not. */
  public @Nullable String find(Plant plant) {
    for (long seed = 1; seed <= 2_000; seed++) {
      try {
        new ToyWorld<>(specimen, seed, plant).run(TROUBLE);
      } catch (AssertionError | RuntimeException e) {
        String found = "seed " + seed + ": " + e.getMessage();
        out.printf("%s: %s found by %.150s%n", name, plant, found);
        return found;
      }
    }
    return null;
  }
}
