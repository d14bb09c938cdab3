// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.task.TypeLimits;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How many of a type begin in a second. */
class TypeTest {
  private static List<Long> begins(int perSecond, int tasks) {
    Desk desk = new Desk();
    desk.worker("n1", tasks, "t");
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, perSecond, 0)));
    for (int i = 0; i < tasks; i++) {
      desk.submit("t");
    }
    List<Long> begins = new ArrayList<>();
    while (begins.size() < tasks) {
      while (begins.size() < desk.given.size()) {
        begins.add(desk.now - Desk.BEGIN);
      }
      if (begins.size() < tasks) {
        // Nobody has to look before the board says so.
        long next = desk.board.nextAlarm();
        assertTrue(next > desk.now && next != Long.MAX_VALUE, "next " + next);
        desk.now = next - 1;
        desk.pass(0);
        assertEquals(begins.size(), desk.given.size());
        desk.pass(1);
      }
    }
    return begins;
  }

  @Test
  void asManyAsMayBeginInASecondBeginAtOnceAfterARestTheOthersEvenly() {
    assertEquals(List.of(0L, 0L, 0L, 0L, 250L, 500L, 750L, 1000L, 1250L), begins(4, 9));
    assertEquals(List.of(0L, 1000L, 2000L), begins(1, 3));
  }

  @Test
  void theRateIsNeverExceededAndHardlyMissedWhateverItIs() {
    for (int perSecond : List.of(1, 2, 3, 7, 9, 100, 333, 999, 1_000, 3_001, 7_777)) {
      int tasks = Math.max(20, 3 * perSecond);
      List<Long> begins = begins(perSecond, tasks);
      for (int i = 0; i < tasks; i++) {
        // Of a bucket of n that fills with n in a second.
        double earliest = Math.max(0, (i + 1 - perSecond) * 1000.0 / perSecond);
        long began = begins.get(i);
        assertTrue(
            began >= earliest && began <= earliest * 1.002 + 1,
            perSecond + "/s: no. " + i + " at " + began + ", may at " + earliest);
      }
    }
  }

  @Test
  void theHighestRateIsARateToo() {
    Type type = new Type("t");
    for (int perSecond : List.of(300_000, 600_000, 1_000_000)) {
      type.limit(new TypeLimits(0, perSecond, 0));
      long now = Desk.BEGIN;
      int begun = 0;
      for (int milli = 0; milli < 1_000; milli++) {
        while (type.mayBeginAt() <= now + milli) {
          type.begin(now + milli);
          begun++;
        }
      }
      assertTrue(
          begun >= 1.98 * perSecond && begun <= 2 * perSecond, begun + " at " + perSecond + "/s");
    }
  }

  @Test
  void whoRestsSavesUpNoMoreThanASecond() {
    Desk desk = new Desk();
    desk.worker("n1", 100, "t");
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, 10, 0)));
    for (int i = 0; i < 10; i++) {
      desk.submit("t");
    }
    desk.pass(550);
    for (int i = 0; i < 10; i++) {
      desk.submit("t");
    }
    assertEquals(15, desk.given.size());
    desk.pass(3_600_000);
    for (int i = 0; i < 20; i++) {
      desk.submit("t");
    }
    assertEquals(15 + 10, desk.given.size(), "five of them had waited");
  }
}
