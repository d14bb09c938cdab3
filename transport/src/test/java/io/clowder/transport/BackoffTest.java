// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BackoffTest {
  @Test
  void itDoublesUpToItsLimitAndStartsOver() {
    Backoff backoff = new Backoff(20, 1_000, new Random(1));
    int[] upper = {20, 40, 80, 160, 320, 640, 1_000, 1_000};
    for (int round = 0; round < 100; round++) {
      for (int limit : upper) {
        int wait = backoff.nextMillis();
        assertTrue(wait >= limit / 2 && wait <= limit, wait + " of " + limit);
      }
      backoff.reset();
    }
  }

  @Test
  void twoNodesWaitDifferently() {
    Set<Integer> waits = new HashSet<>();
    for (int seed = 0; seed < 100; seed++) {
      waits.add(new Backoff(1_000, 1_000, new Random(seed)).nextMillis());
    }
    assertTrue(waits.size() > 50, waits.toString());
  }
}
