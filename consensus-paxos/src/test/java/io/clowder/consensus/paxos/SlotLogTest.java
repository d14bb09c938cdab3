// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SlotLogTest {
  private static final Ballot FIRST = new Ballot(1, 0);

  /** The ring against a map, through many growths, holes, and cuts at its beginning. */
  @Test
  void isAMapOfSlotsAfterABase() {
    SplittableRandom random = new SplittableRandom(3);
    SlotLog log = new SlotLog(50);
    TreeMap<Long, byte[]> model = new TreeMap<>();
    TreeMap<Long, Ballot> ballots = new TreeMap<>();
    long base = 50;
    for (int i = 0; i < 20_000; i++) {
      if (random.nextInt(10) == 0) {
        base += random.nextInt(random.nextInt(20) == 0 ? 2_000 : 50);
        log.compact(base);
        model.headMap(base, true).clear();
        ballots.headMap(base, true).clear();
      } else {
        long slot = base + 1 + random.nextInt(random.nextInt(20) == 0 ? 3_000 : 300);
        Ballot ballot = new Ballot(1 + random.nextInt(9), random.nextInt(3));
        byte[] command = new byte[random.nextInt(5)];
        log.put(slot, ballot, command);
        model.put(slot, command);
        ballots.put(slot, ballot);
      }
      assertEquals(base, log.base());
      assertEquals(model.isEmpty() ? base : model.lastKey(), log.last());
      long at = base - 5 + random.nextInt(400);
      assertEquals(ballots.get(at), log.ballot(at));
      if (model.containsKey(at)) {
        assertSame(model.get(at), log.command(at));
      }
      long from = base + 1 + random.nextInt(200);
      Votes votes = log.votes(from, Limits.BATCH_BYTES);
      assertEquals(Math.max(0, log.last() - from + 1), votes.size());
      if (votes.size() > 0) {
        int last = random.nextInt(votes.size());
        assertEquals(ballots.get(from + last), votes.ballot(last));
      }
    }
  }

  @Test
  void slicesFitIntoABatchAndAreMadeOnce() {
    SlotLog log = new SlotLog(0);
    for (long slot = 1; slot <= 9; slot++) {
      log.put(slot, FIRST, new byte[Limits.BATCH_BYTES / 4]);
    }
    log.put(10, FIRST, new byte[Limits.BATCH_BYTES * 2]);
    Commands slice = log.slice(2);
    assertEquals(3, slice.size());
    assertTrue(slice.bytes() <= Limits.BATCH_BYTES);
    assertSame(slice, log.slice(2));
    assertEquals(1, log.slice(10).size(), "at least one");
    assertEquals(3, log.votes(2, Limits.BATCH_BYTES).size());
    assertEquals(1, log.votes(10, Limits.BATCH_BYTES).size());
    log.put(2, FIRST, new byte[1]);
    assertEquals(4, log.slice(2).size());
  }

  @Test
  void smallCommandsAreBoundedByTheirNumber() {
    SlotLog log = new SlotLog(0);
    for (long slot = 1; slot <= Commands.COUNT_MAX + 5; slot++) {
      log.put(slot, FIRST, new byte[0]);
    }
    assertEquals(Commands.COUNT_MAX, log.slice(1).size());
    assertEquals(5, log.slice(Commands.COUNT_MAX + 1).size());
    SlotLog holes = new SlotLog(0);
    holes.put(Commands.COUNT_MAX + 5, FIRST, new byte[0]);
    assertEquals(Commands.COUNT_MAX, holes.votes(1, Limits.BATCH_BYTES).size());
    assertNull(holes.votes(1, Limits.BATCH_BYTES).ballot(0));
  }

  @Test
  void keepsATailOfSoManyAndSoLarge() {
    SlotLog log = new SlotLog(0);
    for (long slot = 1; slot <= 100; slot++) {
      log.put(slot, FIRST, new byte[100]);
    }
    assertEquals(90, log.tail(100, 10, 1 << 20));
    assertEquals(96, log.tail(100, 10, 4 * Commands.weight(new byte[100])));
    assertEquals(0, log.tail(100, 1_000, 1 << 20));
  }

  @Test
  void anEmptySlotHasNoCommand() {
    SlotLog log = new SlotLog(3);
    log.put(6, FIRST, new byte[0]);
    assertThrows(AssertionError.class, () -> log.command(5));
    assertThrows(AssertionError.class, () -> log.command(3));
    assertThrows(AssertionError.class, () -> log.put(3, FIRST, new byte[0]));
    assertThrows(AssertionError.class, () -> log.slice(5));
  }
}
