// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class ResultsTest {
  private static final List<Answer.Written> KINDS =
      List.of(
          new Answer.Changed(Long.MAX_VALUE, false),
          new Answer.Changed(5, true),
          new Answer.Conflict(0, 0),
          new Answer.Conflict(255, 7),
          new Answer.Stale(9));

  /** Whatever is added and forgotten, in whatever order, a sorted map knows the same. */
  @Test
  void remembersAsASortedMapDoes() {
    for (int seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      Results results = new Results();
      TreeMap<Long, Answer.Written> expected = new TreeMap<>();
      long forgotten = 0;
      for (int step = 0; step < 300; step++) {
        long number = 1L + step + random.nextInt(12);
        if (!expected.containsKey(number)) {
          Answer.Written result = KINDS.get(random.nextInt(KINDS.size()));
          results.add(number, result);
          expected.put(number, result);
        }
        if (random.nextInt(4) == 0) {
          int kept = random.nextInt(60);
          int gone = results.forget(kept);
          assertEquals(Math.max(0, expected.size() - kept), gone);
          for (int left = gone; left > 0; left--) {
            forgotten = Math.max(forgotten, expected.pollFirstEntry().getKey());
          }
        }
        assertEquals(expected.size(), results.size());
        assertEquals(forgotten, results.forgotten());
      }
      results.forget(1);
      expected.keySet().removeIf(it -> it < expected.lastKey());
      assertTrue(results.room() <= 8, "room for " + results.room());
      forgotten = results.forgotten();
      check(expected, results);
      WireWriter out = new WireWriter(16);
      results.write(out);
      WireReader in = new WireReader(out.toByteArray());
      Results read = Results.read(in);
      in.expectEnd();
      assertEquals(forgotten, read.forgotten());
      check(expected, read);
    }
  }

  private static void check(Map<Long, Answer.Written> expected, Results results) {
    assertEquals(expected.size(), results.size());
    for (long number = 0; number < 330; number++) {
      assertEquals(expected.get(number), results.get(number), "number " + number);
    }
  }

  @Test
  void nothingIsKnownInTheBeginning() {
    assertNull(new Results().get(1));
    assertEquals(0, new Results().forget(0));
  }
}
