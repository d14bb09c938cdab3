// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The same schedules with the published Chord, which the same checks must find wrong. */
class PublishedChordTest {
  private static final int SCHEDULES = 100;

  @Test
  void heldToOursItIsWrongInMostSchedules() {
    SortedMap<String, Integer> violations = violations(PublishedChord.HELD_TO_OURS);
    int failed = violations.values().stream().mapToInt(it -> it).sum();
    assertTrue(failed > SCHEDULES / 2, failed + " of " + SCHEDULES);
    assertTrue(violations.containsKey("SufficientPrincipals"), violations.toString());
  }

  /** None of what it is said to keep is what Zave's invariant adds. */
  @Test
  void heldToItsOwnItIsWrongToo() {
    SortedMap<String, Integer> violations = violations(PublishedChord.HELD_TO_ITS_OWN);
    assertTrue(violations.size() > 1, violations.toString());
  }

  private static SortedMap<String, Integer> violations(RingSchedule.Kind kind) {
    SortedMap<String, Integer> violations = new TreeMap<>();
    for (long seed = 1; seed <= SCHEDULES; seed++) {
      try {
        new RingSchedule(seed, kind).run();
      } catch (AssertionError e) {
        violations.merge(
            e.getMessage().replaceAll("^at \\d+ ns: |[:;] .*|^after.*", ""), 1, Integer::sum);
      }
    }
    System.out.printf(
        "the published Chord, %s, is wrong in %d of %d schedules: %s%n",
        kind, violations.values().stream().mapToInt(it -> it).sum(), SCHEDULES, violations);
    return violations;
  }
}
