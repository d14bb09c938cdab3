// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RaftLogTest {
  /** The ring against a plain list, through many growths, cuts at both ends, and resets. */
  @Test
  void isAListOfEntriesAfterABase() {
    SplittableRandom random = new SplittableRandom(3);
    RaftLog log = new RaftLog(50, 1);
    List<byte[]> model = new ArrayList<>();
    List<Long> terms = new ArrayList<>();
    long base = 50;
    long term = 1;
    for (int i = 0; i < 20_000; i++) {
      switch (random.nextInt(12)) {
        case 0 -> {
          int keep = random.nextInt(model.size() + 1);
          log.truncate(base + keep);
          model.subList(keep, model.size()).clear();
          terms.subList(keep, terms.size()).clear();
        }
        case 1, 2 -> {
          int drop = random.nextInt(model.size() / 2 + 1);
          log.compact(base + drop);
          model.subList(0, drop).clear();
          terms.subList(0, drop).clear();
          base += drop;
        }
        default -> {
          term += random.nextInt(4) == 0 ? 1 : 0;
          for (int n = random.nextInt(60); n >= 0; n--) {
            byte[] command = new byte[random.nextInt(5)];
            log.append(term, command);
            model.add(command);
            terms.add(term);
          }
        }
      }
      assertEquals(base, log.base());
      assertEquals(base + model.size(), log.last());
      if (!model.isEmpty()) {
        int at = random.nextInt(model.size());
        assertEquals(terms.get(at), log.term(base + 1 + at));
        Entries slice = log.slice(base + 1 + at);
        assertEquals(Math.min(model.size() - at, slice.size()), slice.size());
        assertArrayEquals(model.get(at + slice.size() - 1), slice.command(slice.size() - 1));
        assertArrayEquals(
            model.subList(at, model.size()).toArray(),
            log.decided(base + 1 + at, log.last()).toArray());
      }
    }
  }

  @Test
  void batchesAreBoundedButNeverEmpty() {
    RaftLog log = new RaftLog(0, 0);
    log.append(1, new byte[2 * Limits.BATCH_BYTES]);
    for (int i = 0; i < 2 * Entries.COUNT_MAX; i++) {
      log.append(1, new byte[0]);
    }
    assertEquals(1, log.slice(1).size());
    assertEquals(Entries.COUNT_MAX, log.slice(2).size());
    assertTrue(log.slice(2).bytes() <= Limits.BATCH_BYTES);
  }

  @Test
  void findsWhereLogsMayMeet() {
    RaftLog log = new RaftLog(10, 2);
    for (long term : new long[] {2, 2, 4, 4, 5}) {
      log.append(term, new byte[0]);
    }
    assertEquals(15, log.lastOfTerm(99, 5));
    assertEquals(14, log.lastOfTerm(15, 4));
    assertEquals(12, log.lastOfTerm(15, 3));
    assertEquals(13, log.lastOfTerm(13, 9));
    assertEquals(10, log.lastOfTerm(15, 1));
    assertEquals(3, log.lastOfTerm(3, 1));
  }

  @Test
  void knowsItsEnds() {
    RaftLog log = new RaftLog(10, 2);
    log.append(3, new byte[0]);
    assertTrue(log.holds(10, 2));
    assertTrue(log.holds(11, 3));
    assertFalse(log.holds(11, 2));
    assertFalse(log.holds(9, 2));
    assertFalse(log.holds(12, 3));
    assertThrows(AssertionError.class, () -> log.term(12));
    assertThrows(AssertionError.class, () -> log.decided(10, 11));
  }

  @Test
  void keepsATailWithinBothBounds() {
    RaftLog log = new RaftLog(0, 0);
    for (int i = 0; i < 100; i++) {
      log.append(1, new byte[84]);
    }
    assertEquals(80, log.tail(90, 10, 1_000_000));
    assertEquals(85, log.tail(90, 1_000, 550));
    assertEquals(0, log.tail(90, 1_000, 1_000_000));
  }
}
