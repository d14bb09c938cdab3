// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class LockHistoryTest {
  private final LockHistory history = new LockHistory();

  @Test
  void oneHolderAfterTheOther() {
    history.granted("a", 5, history.asked("a"));
    history.believed("a", 5, 100);
    history.granted("b", 4, history.asked("b"));
    history.believed("b", 4, 110);
    long before = history.asked("a");
    history.granted("a", 9, before);
    history.believed("a", 9, 120);
    history.shown("a", 9, 9);
    assertEquals(3, history.grants());
  }

  @Test
  void requestsBesideEachOtherAreToldInAnyOrder() {
    long before = history.asked("a");
    history.granted("a", 9, before);
    history.granted("a", 5, before);
    assertEquals(9, history.asked("a"));
  }

  @Test
  void tokensRise() {
    history.granted("a", 5, history.asked("a"));
    long before = history.asked("a");
    assertThrows(AssertionError.class, () -> history.granted("a", 4, before));
    assertThrows(AssertionError.class, () -> history.granted("a", 5, before));
    assertThrows(AssertionError.class, () -> history.granted("b", 0, history.asked("b")));
  }

  @Test
  void noTokenIsGivenTwice() {
    long before = history.asked("a");
    history.granted("a", 5, before);
    assertThrows(AssertionError.class, () -> history.granted("a", 5, before));
  }

  @Test
  void theNextHolderEndsTheBeliefOfTheLast() {
    history.believed("a", 5, 100);
    history.believed("a", 6, 101);
    assertThrows(AssertionError.class, () -> history.believed("a", 5, 101));
  }

  @Test
  void theGroupAgreesWithTheHolder() {
    assertThrows(AssertionError.class, () -> history.shown("a", 5, 0));
    assertThrows(AssertionError.class, () -> history.shown("a", 5, 6));
  }
}
