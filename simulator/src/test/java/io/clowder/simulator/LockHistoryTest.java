// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Claim.Mode;
import io.clowder.api.lock.LockInfo;
import io.clowder.simulator.LockHistory.Belief;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LockHistoryTest {
  private static final Claim A = Claim.exclusive("a");
  private static final Claim SHARED = Claim.shared("a");

  private final LockHistory history = new LockHistory();

  @Test
  void oneHolderAfterTheOther() {
    history.granted(A, 5, history.asked("a"));
    believed(100, belief(5, A));
    history.granted(Claim.exclusive("b"), 4, history.asked("b"));
    history.believed("b", List.of(belief(4, Claim.exclusive("b"))), 110);
    long before = history.asked("a");
    history.granted(A, 9, before);
    believed(120, belief(9, A));
    history.shown(A, 9, info(9));
    assertEquals(3, history.grants());
  }

  @Test
  void requestsBesideEachOtherAreToldInAnyOrder() {
    long before = history.asked("a");
    history.granted(A, 9, before);
    history.granted(A, 5, before);
    assertEquals(9, history.asked("a"));
  }

  @Test
  void tokensRise() {
    history.granted(A, 5, history.asked("a"));
    long before = history.asked("a");
    fails(() -> history.granted(A, 4, before));
    fails(() -> history.granted(SHARED, 5, before));
    fails(() -> history.granted(Claim.exclusive("b"), 0, history.asked("b")));
  }

  @Test
  void noTokenIsGivenTwice() {
    long before = history.asked("a");
    history.granted(A, 5, before);
    fails(() -> history.granted(A, 5, before));
  }

  @Test
  void theNextHolderEndsTheBeliefOfTheLast() {
    believed(100, belief(5, A));
    believed(101, belief(6, A));
    fails(() -> believed(101, belief(5, A)));
  }

  @Test
  void nobodyHoldsBesideOneWhoHoldsAlone() {
    fails(() -> believed(100, belief(5, A), belief(6, A)));
    fails(() -> believed(100, belief(7, SHARED), belief(6, A)));
    fails(() -> believed(100, belief(8, A), belief(9, SHARED)));
    fails(() -> believed(100, belief(10, A), belief(11, permits(1))));
  }

  @Test
  void sharersHoldTogetherAndEndTheBeliefOfOneBeforeThem() {
    believed(100, belief(5, A));
    believed(101, belief(9, SHARED), belief(7, SHARED));
    believed(102, belief(7, SHARED), belief(10, SHARED));
    fails(() -> believed(103, belief(8, A)));
    believed(104, belief(11, A));
    fails(() -> believed(105, belief(10, SHARED)));
  }

  @Test
  void thereAreSoManyPermits() {
    believed(100, belief(5, permits(1)), belief(6, permits(1)), belief(7, permits(1)));
    believed(101, belief(5, permits(1)), belief(8, permits(2)));
    fails(() -> believed(102, belief(5, permits(1)), belief(6, permits(1)), belief(9, permits(2))));
    believed(103, belief(10, permits(3)));
    fails(() -> believed(104, belief(8, permits(2))));
  }

  @Test
  void whatWasTakenMayBeBelievedBesideOthers() {
    history.taken("a", 5);
    believed(100, belief(5, A), belief(6, A));
    believed(101, belief(5, A));
    assertTrue(history.isTaken("a", 5));
    fails(() -> believed(102, belief(6, A), belief(7, A)));
  }

  @Test
  void theGroupAgreesWithTheHolder() {
    fails(() -> history.shown(A, 5, null));
    fails(() -> history.shown(A, 5, info(6)));
    fails(() -> history.shown(A, 5, info(5, 6)));
    history.shown(SHARED, 5, info(4, 5));
    fails(() -> history.shown(SHARED, 5, info(4, 6)));
  }

  @Test
  void aGateRefusesWhatIsOlderThanWhatItHasSeen() {
    history.passed("a", 5, history.atGate("a"));
    history.passed("b", 3, history.atGate("b"));
    history.passed("a", 5, history.atGate("a"));
    long before = history.atGate("a");
    history.passed("a", 9, before);
    history.passed("a", 6, before);
    fails(() -> history.passed("a", 8, history.atGate("a")));
  }

  @Test
  void nobodyGetsTheLockBeforeTheDelayIsOver() {
    Claim delayed = A.withLockDelay(Duration.ofMillis(100));
    history.granted(delayed, 5, 0);
    history.died(delayed, 5, 1_000);
    history.granted(A, 9, 0);
    history.requireDelays(position -> 1_100);
    fails(() -> history.requireDelays(position -> 1_099));
    history.taken("a", 5);
    history.requireDelays(position -> 1_099);
    assertEquals(1, history.crashes());
  }

  private void believed(long now, Belief... beliefs) {
    history.believed("a", List.of(beliefs), now);
  }

  private static Belief belief(long token, Claim claim) {
    return new Belief(token, claim);
  }

  private static Claim permits(int permits) {
    return Claim.permits("a", permits, 3);
  }

  private static LockInfo info(long... tokens) {
    Stream<LockInfo.Holder> holders =
        LongStream.of(tokens)
            .mapToObj(
                token ->
                    new LockInfo.Holder(
                        token, new NodeId("n1"), 1, "b", Mode.SHARED, 0, 0, false, ""));
    return new LockInfo("a", 0, holders.toList(), tokens.length, List.of(), 0, 0);
  }

  private static void fails(Runnable what) {
    assertThrows(AssertionError.class, what::run);
  }
}
