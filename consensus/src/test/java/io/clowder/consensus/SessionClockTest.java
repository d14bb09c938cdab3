// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.MILLIS;
import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class SessionClockTest {
  private static final long START = 5_000 * MILLIS;

  private final SessionClock clock = new SessionClock();
  private final Sessions.Session one = new Sessions.Session(1, N1, 7, 1_000);
  private final Sessions.Session two = new Sessions.Session(2, N2, 8, 2_000);
  private final Sessions sessions = new Sessions();
  private long now = START;

  SessionClockTest() {
    sessions.add(one);
    sessions.add(two);
    clock.start(sessions, START);
  }

  /** Lets time pass in steps that are no pause; gives what became due. */
  private List<Long> pass(long millis) {
    List<Long> due = List.of();
    for (long left = millis; left > 0 && due.isEmpty(); left -= 100) {
      now += Math.min(left, 100) * MILLIS;
      due = clock.due(now);
    }
    return due;
  }

  @Test
  void aNewLeaderGivesEverySessionItsFullTime() {
    assertEquals(List.of(), pass(1_000));
    assertEquals(List.of(1L), pass(1));
    assertEquals(START + 1_001 * MILLIS, now);
    assertEquals(List.of(2L), pass(2_000));
    assertEquals(START + 2_001 * MILLIS, now);
  }

  @Test
  void anEndIsProposedOnceAndCannotBeRenewedAway() {
    assertFalse(clock.isEnding(1));
    assertEquals(List.of(1L), pass(1_001));
    assertTrue(clock.isEnding(1));
    clock.renew(one, now);
    assertTrue(clock.isEnding(1));
    assertEquals(List.of(), pass(500));
  }

  @Test
  void aRenewalCountsFromWhenItCameIn() {
    pass(500);
    clock.renew(one, START + 300 * MILLIS);
    assertEquals(List.of(), pass(800));
    assertEquals(List.of(1L), pass(1));
  }

  @Test
  void anOlderRenewalShortensNothing() {
    clock.renew(one, START + 500 * MILLIS);
    clock.renew(one, START + 100 * MILLIS);
    assertEquals(List.of(), pass(1_500));
    assertEquals(List.of(1L), pass(1));
  }

  @Test
  void aPausedLeaderBlamesNobody() {
    pass(900);
    now += 60_000 * MILLIS;
    assertEquals(List.of(), clock.due(now));
    assertEquals(List.of(), pass(100));
    assertEquals(List.of(1L), pass(1));
  }

  @Test
  void whatEndedIsForgotten() {
    clock.ended(1);
    assertEquals(List.of(), pass(1_500));
    assertEquals(List.of(2L), pass(501));
    clock.ended(2);
    assertFalse(clock.isEnding(2));
  }

  @Test
  void whoDoesNotLeadEndsNothing() {
    assertEquals(List.of(1L), pass(1_001));
    clock.stop();
    assertFalse(clock.isEnding(1));
    assertEquals(List.of(), pass(5_000));
  }

  @Test
  void leadingAgainBeginsAnew() {
    assertEquals(List.of(1L), pass(1_001));
    clock.start(sessions, now);
    assertFalse(clock.isEnding(1));
    assertEquals(List.of(), pass(1_000));
    assertEquals(List.of(1L), pass(1));
  }
}
