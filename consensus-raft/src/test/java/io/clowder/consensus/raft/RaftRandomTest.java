// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.consensus.raft.ToyWorld.Plant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Raft's promises under crashes, lost writes, partitions, pauses and a bad network. More seeds:
 * {@code -Draft.seeds=5000}; one again: {@code -Draft.seed=17}.
 */
class RaftRandomTest {
  private static final long TROUBLE = 3_000_000;

  @Test
  void promisesHold() {
    Long only = Long.getLong("raft.seed");
    long first = only == null ? 1 : only;
    long last = only == null ? Long.getLong("raft.seeds", 300) : only;
    long steps = 0;
    long decided = 0;
    long reads = 0;
    long began = System.nanoTime();
    for (long seed = first; seed <= last; seed++) {
      ToyWorld world = new ToyWorld(seed, Plant.NONE);
      try {
        world.run(TROUBLE);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(
            "seed " + seed + " (again: -Draft.seed=" + seed + "): " + e.getMessage(), e);
      }
      steps += world.steps;
      decided += world.decidedCount();
      reads += world.reads;
    }
    long millis = (System.nanoTime() - began) / 1_000_000;
    System.out.printf(
        "%d seeds, %d steps, %d slots, %d reads in %d ms%n",
        last - first + 1, steps, decided, reads, millis);
    assertTrue(decided > (last - first) * 20, "the world is so bad that nothing is tested");
    assertTrue(reads > (last - first) * 5, "no reads");
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void checksFindPlantedMistakes(Plant plant) {
    String found = null;
    for (long seed = 1; seed <= 2_000 && found == null; seed++) {
      try {
        new ToyWorld(seed, plant).run(TROUBLE);
      } catch (AssertionError | RuntimeException e) {
        found = "seed " + seed + ": " + e.getMessage();
      }
    }
    assertNotNull(found, plant + " was not found");
    System.out.printf("%s found by %.150s%n", plant, found);
  }
}
