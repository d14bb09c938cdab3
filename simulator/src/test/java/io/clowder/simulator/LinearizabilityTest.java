// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LinearizabilityTest {
  private final List<Operation> history = new ArrayList<>();

  @Test
  void oneAfterTheOtherIsFine() {
    put(1, 2, 10, 1);
    get(3, 4, 10, 1);
    delete(5, 6, true);
    get(7, 8, 0, 0);
    put(9, 10, 11, 2);
    cas(11, 12, 2, 12, 3);
    conflict(13, 14, 2, 13);
    possible();
  }

  @Test
  void aReadMayFallOnEitherSideOfAWriteBesideIt() {
    put(1, 2, 10, 1);
    put(3, 9, 11, 2);
    get(4, 5, 10, 1);
    get(6, 7, 11, 2);
    possible();
  }

  @Test
  void theOldValueCannotComeBack() {
    put(1, 2, 10, 1);
    put(3, 9, 11, 2);
    get(4, 5, 11, 2);
    get(6, 7, 10, 1);
    impossible();
  }

  @Test
  void aStaleReadIsFound() {
    put(1, 2, 10, 1);
    put(3, 4, 11, 2);
    get(5, 6, 10, 1);
    impossible();
  }

  @Test
  void aLostUpdateIsFound() {
    put(1, 2, 10, 1);
    cas(3, 6, 1, 11, 2);
    cas(4, 5, 1, 12, 3);
    impossible();
  }

  @Test
  void anAcknowledgedWriteThatVanishedIsFound() {
    put(1, 2, 10, 1);
    get(3, 4, 0, 0);
    impossible();
  }

  @Test
  void anUnknownWriteMayHappenMuchLater() {
    put(1, 2, 10, 1);
    unknownPut(3, 11);
    get(4, 5, 10, 1);
    get(6, 7, 10, 1);
    get(8, 9, 11, 2);
    possible();
  }

  @Test
  void anUnknownWriteMayNeverHappen() {
    put(1, 2, 10, 1);
    unknownPut(3, 11);
    get(4, 5, 10, 1);
    put(6, 7, 12, 2);
    get(8, 9, 12, 2);
    possible();
  }

  @Test
  void anUnknownWriteDoesNotHappenTwice() {
    put(1, 2, 10, 1);
    unknownPut(3, 11);
    get(4, 5, 11, 2);
    put(6, 7, 12, 3);
    get(8, 9, 11, 2);
    impossible();
  }

  @Test
  void anUnknownWriteDoesNotHappenBeforeItsBeginning() {
    put(1, 2, 10, 1);
    get(3, 4, 11, 2);
    unknownPut(5, 11);
    impossible();
  }

  @Test
  void anUnknownDeleteExplainsWhatIsMissing() {
    put(1, 2, 10, 1);
    history.add(new Operation(0, "k", Kind.DELETE, Outcome.UNKNOWN, 3, Operation.NEVER, 0, 0, 0));
    get(4, 5, 10, 1);
    get(6, 7, 0, 0);
    possible();
    get(8, 9, 10, 1);
    impossible();
  }

  @Test
  void anUnknownCompareAndSetHappensOnlyIfItMatches() {
    put(1, 2, 10, 1);
    history.add(new Operation(0, "k", Kind.CAS, Outcome.UNKNOWN, 3, Operation.NEVER, 11, 1, 0));
    put(4, 5, 12, 2);
    get(6, 7, 11, 3);
    impossible();
  }

  @Test
  void anUnreadWriteExplainsAConflict() {
    put(1, 2, 10, 1);
    unknownPut(3, 11);
    conflict(4, 5, 1, 12);
    possible();
    get(6, 7, 10, 1);
    impossible();
  }

  @Test
  void versionsRise() {
    put(1, 2, 10, 5);
    put(3, 4, 11, 4);
    impossible();
  }

  @Test
  void versionsRiseAcrossADelete() {
    put(1, 2, 10, 5);
    delete(3, 4, true);
    put(5, 6, 11, 5);
    impossible();
  }

  @Test
  void oneWriteHasOneVersion() {
    unknownPut(1, 10);
    get(2, 3, 10, 5);
    get(4, 5, 10, 6);
    impossible();
  }

  @Test
  void aValueFromNowhereIsFound() {
    get(1, 2, 10, 1);
    impossible();
  }

  @Test
  void aFailingHistoryIsShownShort() {
    for (int i = 1; i <= 200; i++) {
      put(i * 10L, i * 10L + 1, i, i);
      get(i * 10L + 2, i * 10L + 3, i == 150 ? 149 : i, i == 150 ? 149 : i);
    }
    String violation = Linearizability.violation(history);
    assertNotNull(violation);
    assertEquals(4, violation.lines().count(), violation);
    assertTrue(violation.contains("get k → 149 @149"), violation);
  }

  @Test
  void keysAreJudgedApart() {
    var both = new History();
    int one = both.begin(1, "a", Kind.PUT, 1, 0);
    int two = both.begin(2, "b", Kind.GET, 0, 0);
    both.done(one, 1, 7);
    both.done(two, 0, 0);
    Linearizability.check(both);
    both.done(both.begin(1, "b", Kind.GET, 0, 0), 1, 7);
    assertThrows(AssertionError.class, () -> Linearizability.check(both));
  }

  /** Many small random histories, possible and impossible ones, against trying every order. */
  @Test
  void agreesWithBruteForce() {
    var random = new SplittableRandom(1);
    int possible = 0;
    for (int round = 0; round < 20_000; round++) {
      var operations = RandomHistories.draw(random, 2 + random.nextInt(5));
      boolean expected = RandomHistories.isPossible(operations);
      var violation = Linearizability.violation(operations);
      assertEquals(expected, violation == null, () -> operations + "\n" + violation);
      possible += expected ? 1 : 0;
    }
    assertTrue(possible > 2_000 && possible < 18_000, "possible: " + possible);
  }

  @Test
  void longHistoriesTakeNoTime() {
    var operations = RandomHistories.honest(new SplittableRandom(2), 5, 200_000);
    assertNull(Linearizability.violation(operations));
  }

  /** A cluster that nobody can reach at first leaves many, each of which could be anywhere. */
  @Test
  void whatNobodySawTakesNoTime() {
    var operations = new ArrayList<>(RandomHistories.honest(new SplittableRandom(3), 5, 2_000));
    for (int i = 0; i < 20; i++) {
      Kind kind = i % 4 == 0 ? Kind.DELETE : Kind.PUT;
      operations.add(
          new Operation(9, "k", kind, Outcome.UNKNOWN, 0, Operation.NEVER, 1_000_000 + i, 0, 0));
    }
    assertNull(Linearizability.violation(operations));
  }

  private void put(long begin, long end, long value, long version) {
    history.add(new Operation(1, "k", Kind.PUT, Outcome.DONE, begin, end, value, 0, version));
  }

  private void unknownPut(long begin, long value) {
    history.add(
        new Operation(2, "k", Kind.PUT, Outcome.UNKNOWN, begin, Operation.NEVER, value, 0, 0));
  }

  private void get(long begin, long end, long value, long version) {
    history.add(new Operation(3, "k", Kind.GET, Outcome.DONE, begin, end, value, 0, version));
  }

  private void delete(long begin, long end, boolean existed) {
    history.add(
        new Operation(4, "k", Kind.DELETE, Outcome.DONE, begin, end, existed ? 1 : 0, 0, 0));
  }

  private void cas(long begin, long end, long expected, long value, long version) {
    history.add(
        new Operation(5, "k", Kind.CAS, Outcome.DONE, begin, end, value, expected, version));
  }

  private void conflict(long begin, long end, long expected, long value) {
    history.add(new Operation(5, "k", Kind.CAS, Outcome.CONFLICT, begin, end, value, expected, 0));
  }

  private void possible() {
    assertNull(Linearizability.violation(history));
  }

  private void impossible() {
    assertNotNull(Linearizability.violation(history));
  }
}
