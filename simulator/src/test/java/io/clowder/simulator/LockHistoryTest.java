// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class LockHistoryTest {
  private final LockHistory history = new LockHistory();

  @Test
  void oneHolderAfterTheOther() {
    history.granted("a", 5, 1);
    history.granted("b", 6, 1);
    history.acknowledged("a", 5, 1);
    history.believed("a", 5, 100);
    history.believed("b", 6, 110);
    history.freed("a", 5);
    history.granted("a", 9, 2);
    history.believed("a", 9, 120);
    history.acknowledged("a", 5, 1);
    assertEquals(3, history.grants());
  }

  @Test
  void grantsDoNotOverlap() {
    history.granted("a", 5, 1);
    assertThrows(AssertionError.class, () -> history.granted("a", 6, 2));
    assertThrows(AssertionError.class, () -> history.freed("a", 4));
  }

  @Test
  void tokensRise() {
    history.granted("a", 5, 1);
    history.freed("a", 5);
    assertThrows(AssertionError.class, () -> history.granted("a", 5, 2));
    assertThrows(AssertionError.class, () -> history.granted("a", 4, 2));
    assertThrows(AssertionError.class, () -> history.granted("b", 0, 2));
  }

  @Test
  void nobodyIsToldOfAGrantThatIsNotThere() {
    history.granted("a", 5, 1);
    assertThrows(AssertionError.class, () -> history.acknowledged("a", 6, 1));
    assertThrows(AssertionError.class, () -> history.acknowledged("a", 5, 2));
    assertThrows(AssertionError.class, () -> history.acknowledged("b", 5, 1));
  }

  @Test
  void theNextHolderEndsTheBeliefOfTheLast() {
    history.granted("a", 5, 1);
    history.believed("a", 5, 100);
    history.freed("a", 5);
    history.granted("a", 6, 2);
    history.believed("a", 6, 101);
    assertThrows(AssertionError.class, () -> history.believed("a", 5, 101));
  }
}
