// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.lock.Fence;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.simulator.Increments;
import io.clowder.simulator.Increments.Write;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Increments under a lock whose holders are paused for longer than their sessions live. Without
 * fences some are lost, as they must be; with fences, none. More seeds: {@code
 * -Dfenced.seeds=1000}.
 */
class FencedWritesTest {
  private static final int SEEDS = Integer.getInteger("fenced.seeds", 8);
  private static final int MILLIS = 60_000;

  private static final Write PLAIN = (kv, key, value, grant) -> kv.put(key, value);
  private static final Write FENCED =
      (kv, key, value, grant) -> kv.put(key, value, Fence.of(grant));

  @Test
  void withoutFencesSomeIncrementsAreLost() {
    assertTrue(lost("without fences", PLAIN, false) > 0, "the test cannot fail");
  }

  /** What is older may still be written after the new holder has read: see the next test. */
  @Test
  void aFenceThatTheStoreSeesAfterTheReadComesTooLate() {
    assertTrue(lost("fences on the write alone", FENCED, false) > 0, "the test cannot fail");
  }

  @Test
  void withFencesThatAreShownBeforeTheReadNoneIsLost() {
    assertEquals(0, lost("fences", FENCED, true));
  }

  private static int lost(String how, Write write, boolean showsFirst) {
    AtomicInteger acknowledged = new AtomicInteger();
    AtomicInteger lost = new AtomicInteger();
    AtomicInteger late = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    LongStream.rangeClosed(1, SEEDS)
        .parallel()
        .forEach(
            seed -> {
              Increments.Report report = run(seed, write, showsFirst);
              acknowledged.addAndGet(report.acknowledged());
              lost.addAndGet(report.lost());
              late.addAndGet(report.late());
              refused.addAndGet(report.refused());
            });
    System.out.println(
        String.format(
            Locale.ROOT,
            "%s: %d of %d increments lost (%.2f %%), %d written when the lock was not held any more,"
                + " %d refused; %d seeds",
            how,
            lost.get(),
            acknowledged.get(),
            100.0 * lost.get() / acknowledged.get(),
            late.get(),
            refused.get(),
            SEEDS));
    return lost.get();
  }

  private static Increments.Report run(long seed, Write write, boolean showsFirst) {
    SortedMap<String, ConsensusProtocol> protocols =
        new TreeMap<>(Map.of("raft", new RaftProtocol()));
    try {
      return new Increments(seed, protocols, write, showsFirst, MILLIS).run();
    } catch (AssertionError e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    }
  }
}
