// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class ExpectedArrivalTest {
  @Test
  void isTheMeanOffsetOfTheWindow() {
    var expected = new ExpectedArrival(4);
    long[] delays = {50, 7, 1, 2, 3, 6};
    for (int i = 0; i < delays.length; i++) {
      expected.heartbeat(10 + i, 100, 100L * i + delays[i]);
    }
    assertEquals(600 + 3, expected.next());
    assertEquals(3, expected.deviation());
  }

  @Test
  void lossesDoNotMoveIt() {
    var expected = new ExpectedArrival(4);
    for (int i = 0; i < 100; i += 7) {
      expected.heartbeat(i + 1, 100, 100L * i - 1_000_000);
    }
    assertEquals(99 * 100 - 1_000_000, expected.next());
  }

  /** Section 6.3 has senders that never pause; ours may. */
  @Test
  void aSenderThatPausedHasANewSchedule() {
    var expected = new ExpectedArrival(1_000);
    for (int i = 1; i <= 1_000; i++) {
      boolean goesOn = expected.heartbeat(i, 100, 100L * i);
      assertEquals(i > 1, goesOn);
    }
    int sequence = 1_000;
    for (int i = 1; i < 8; i++) {
      sequence++;
      assertTrue(expected.heartbeat(sequence, 100, 100L * sequence + 5_000));
    }
    sequence++;
    assertFalse(expected.heartbeat(sequence, 100, 100L * sequence + 5_000));
    assertEquals(100L * (sequence + 1) + 5_000, expected.next());
  }

  /** What was held up, and comes all at once, is no new schedule. */
  @Test
  void aNetworkThatStoodStillHasNot() {
    var expected = new ExpectedArrival(1_000);
    for (int i = 1; i <= 1_000; i++) {
      expected.heartbeat(i, 100, i < 901 ? 100L * i : Math.max(100L * i, 92_000));
    }
    assertEquals(1_000, expected.samples());
  }
}
