// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockSession;
import io.clowder.lock.TestGroup.Fate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.Test;

class ReplicatedLocksTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration LONG = Duration.ofSeconds(8);
  private static final String STOPPED =
      "the bundle that got this lock service was stopped, or gave it back; get it anew";

  private final VirtualTimer timer = new VirtualTimer();
  private final TestGroup group = new TestGroup();
  private final TestGroup.Node n1 = group.node("n1", timer);
  private final TestGroup.Node n2 = group.node("n2", timer);
  private final ReplicatedLocks all1 = locks(n1, 1);
  private final ReplicatedLocks all2 = locks(n2, 2);
  private final BundleLocks locks1 = all1.enter("one");
  private final BundleLocks locks2 = all2.enter("two");

  private ReplicatedLocks locks(TestGroup.Node node, long client) {
    return locks(node, client, Duration.ofSeconds(2), timer);
  }

  private ReplicatedLocks locks(
      TestGroup.Node node, long client, Duration timeout, VirtualTimer its) {
    return new ReplicatedLocks(
        node, group.table, group.events, node.id, LockSetting.of(timeout), client, its);
  }

  @Test
  void oneEntryAcquiresOneReleasesAndNoneHandsOver() {
    int before = group.entries();
    Grant first = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> second = locks2.acquire("x", SECOND);
    pending(second);
    assertEquals(before + 2, group.entries());
    assertTrue(first.isHeld());
    pending(first.lost());

    done(first.release());
    assertFalse(first.isHeld());
    done(first.lost());
    Grant next = done(second);
    assertEquals(before + 3, group.entries());
    assertEquals(List.of("x", "x"), List.of(first.claim().name(), next.claim().name()));
    assertEquals(before + 1, first.token());
    assertEquals(before + 3, next.token());
    assertTrue(next.isHeld());
  }

  @Test
  void releasingAGrantAgainDoesNothing() {
    Grant grant = done(locks1.acquire("x", SECOND));
    done(grant.release());
    int before = group.entries();
    done(grant.release());
    assertEquals(before, group.entries());
  }

  @Test
  void tryAcquireDoesNotWait() {
    Grant grant = done(locks1.tryAcquire("x"));
    assertNotNull(grant);
    assertNull(done(locks2.tryAcquire("x")));
    CoordinationException failure = failure(locks2.acquire("x", Duration.ZERO));
    assertEquals(Reason.TIMEOUT, failure.reason());
    assertEquals("lock x was not free in time", failure.getMessage());
    assertEquals(List.of(), info("x").waiters());
  }

  @Test
  void aWaiterThatIsOutOfTimeLeavesTheQueue() {
    Grant grant = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> waiter = locks2.acquire("x", SECOND);
    timer.advance(SECOND.minusNanos(1));
    pending(waiter);
    timer.advance(Duration.ofNanos(1));
    refused(Reason.TIMEOUT, "lock x was not free in time", waiter);
    assertEquals(List.of(), info("x").waiters());
    done(grant.release());
    assertNull(info("x"));
  }

  @Test
  void aGrantThatComesTogetherWithTheCancelIsTakenBackByIt() {
    Grant grant = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> waiter = locks2.acquire("x", SECOND);
    n2.next(Fate.HELD_BACK);
    timer.advance(SECOND);
    refused(Reason.TIMEOUT, "lock x was not free in time", waiter);
    done(grant.release());
    assertEquals(n2.id, node("x"), "granted to the request that nobody wants any more");
    n2.deliver();
    assertNull(info("x"));
  }

  @Test
  void aGrantBeforeTheDeadlineWinsAndCallsTheTimerOff() {
    Grant grant = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> waiter = locks2.acquire("x", SECOND);
    timer.advance(Duration.ofMillis(999));
    n1.renew();
    n2.renew();
    done(grant.release());
    Grant held = done(waiter);
    int before = group.entries();
    timer.advance(SECOND);
    assertTrue(held.isHeld());
    assertEquals(before, group.entries());
  }

  @Test
  void anAnswerAfterTheDeadlineIsCancelled() {
    n1.next(Fate.HELD_BACK);
    CompletionStage<Grant> late = locks1.acquire("x", SECOND);
    timer.advance(SECOND);
    refused(
        Reason.TIMEOUT,
        "no answer from the group in time; the request for lock x is withdrawn",
        late);
    n1.deliver();
    timer.run();
    assertNull(info("x"));
    assertNotNull(done(locks2.tryAcquire("x")));
  }

  @Test
  void aLostAnswerNeverLeavesTheLockHeld() {
    n1.next(Fate.ANSWER_LOST);
    refused(
        Reason.TIMEOUT,
        "no answer from the group in time; the request for lock x is withdrawn",
        locks1.acquire("x", LONG));
    assertNull(info("x"));
  }

  @Test
  void theCancelIsRepeatedUntilItIsCertain() {
    n1.next(Fate.ANSWER_LOST, Fate.LOST, Fate.REFUSED, Fate.LOST, Fate.ANSWER_LOST);
    failure(locks1.acquire("x", LONG));
    assertNotNull(info("x"));
    timer.advance(Duration.ofMillis(100 + 200));
    assertNotNull(info("x"));
    timer.advance(Duration.ofMillis(400));
    assertNull(info("x"), "cancelled, though the answer was lost");
    timer.advance(Duration.ofMillis(800));
    int before = group.entries();
    timer.advance(Duration.ofMinutes(1));
    assertEquals(before, group.entries());
    assertEquals(0, timer.delayedTasks());
  }

  @Test
  void anAcquireThatArrivesAfterItsCancelDoesNotTakeTheLock() {
    n1.next(Fate.LATE);
    failure(locks1.acquire("x", LONG));
    n1.deliver();
    assertNull(info("x"));

    n1.next(Fate.LATE);
    failure(locks1.acquire("x", LONG));
    done(locks1.acquire("y", SECOND));
    n1.deliver();
    assertNull(info("x"), "its number is below the floor now");
  }

  @Test
  void aRefusedAcquireIsNotCancelled() {
    n1.next(Fate.REFUSED);
    int before = group.entries();
    refused(Reason.OVERLOADED, "the queue is full", locks1.acquire("x", LONG));
    assertEquals(before, group.entries());
  }

  @Test
  void theAnswerMayComeAfterTheGrantThatFollowedIt() {
    Grant grant = done(locks1.acquire("x", SECOND));
    n2.next(Fate.ANSWER_LATE);
    CompletionStage<Grant> waiter = locks2.acquire("x", LONG);
    done(grant.release());
    assertEquals(n2.id, node("x"));
    pending(waiter);
    n2.answer();
    assertTrue(done(waiter).isHeld());
  }

  @Test
  void aGrantReleasedByAnotherBeforeItsAnswerCameIsNotHeld() {
    n1.next(Fate.ANSWER_LATE);
    CompletionStage<Grant> waiter = locks1.acquire("x", LONG);
    done(locks2.release("x", token("x")));
    n1.answer();
    assertFalse(done(waiter).isHeld());
  }

  @Test
  void theEndOfTheSessionLosesItsGrantsAndItsWaiters() {
    Grant held = done(locks1.acquire("x", SECOND));
    done(locks2.acquire("y", SECOND));
    CompletionStage<Grant> waiter = locks1.acquire("y", LONG);
    n1.endSession();
    assertFalse(held.isHeld());
    done(held.lost());
    refused(Reason.SESSION_EXPIRED, "this node's session ended before it was given lock y", waiter);
    assertNull(info("x"));
    assertEquals(List.of(), info("y").waiters());
    done(held.release());

    Grant again = done(locks1.acquire("x", SECOND));
    assertTrue(again.isHeld(), "under the new session");
    assertTrue(again.token() > held.token());
  }

  @Test
  void aGrantIsLostWhenItsSessionIsNotKnownToLive() {
    Grant grant = done(locks1.acquire("x", SECOND));
    timer.advance(Duration.ofSeconds(6));
    n1.renew();
    timer.advance(Duration.ofSeconds(6));
    assertTrue(grant.isHeld(), "renewed meanwhile");
    pending(grant.lost());
    n1.always(Fate.LOST);
    timer.advance(Duration.ofSeconds(4));
    done(grant.lost());
    assertFalse(grant.isHeld());
    assertNotNull(info("x"), "the group does not know yet");

    n1.renew();
    n1.always(Fate.APPLIED);
    assertFalse(grant.isHeld(), "it stays lost");
    timer.advance(Duration.ofSeconds(10));
    assertNull(info("x"), "and the session that lives on does not keep it");
  }

  @Test
  void isHeldLooksAtTheClockBeforeTheTimerRuns() {
    Grant grant = done(locks1.acquire("x", SECOND));
    assertTrue(grant.isHeld());
    timer.skip(Duration.ofSeconds(11));
    assertFalse(grant.isHeld());
    done(grant.lost());
  }

  @Test
  void aGrantForASessionThatMayHaveEndedIsGivenBack() {
    Grant other = done(locks2.acquire("x", SECOND));
    CompletionStage<Grant> waiter = locks1.acquire("x", Duration.ofSeconds(30));
    timer.advance(Duration.ofSeconds(9));
    n2.renew();
    timer.advance(Duration.ofSeconds(2));
    done(other.release());
    refused(Reason.SESSION_EXPIRED, "this node's session ended before it was given lock x", waiter);
    assertNull(info("x"));
  }

  @Test
  void releasingByTokenEndsTheGrantOfTheSameNodeFirst() {
    Grant grant = done(locks1.acquire("x", SECOND));
    n1.next(Fate.HELD_BACK);
    CompletionStage<Void> released = locks1.release("x", grant.token());
    assertFalse(grant.isHeld());
    pending(released);
    n1.deliver();
    done(released);
    done(locks1.release("x", grant.token()));
  }

  @Test
  void anotherNodeMayReleaseByToken() {
    Grant grant = done(locks1.acquire("x", SECOND));
    done(locks2.release("x", grant.token()));
    done(grant.lost());
    assertFalse(grant.isHeld());
    int before = group.entries();
    done(grant.release());
    assertEquals(before, group.entries());
  }

  @Test
  void aWrongTokenIsAConflictThatSaysWhy() {
    Grant grant = done(locks1.acquire("x", SECOND));
    long token = grant.token();
    refused(
        Reason.CONFLICT,
        "lock x is held with token %d, not 999".formatted(token),
        locks1.release("x", 999));
    refused(Reason.CONFLICT, "lock y was never held with token 999", locks2.release("y", 999));
    refused(Reason.CONFLICT, "no lock ever had the token 0", locks2.release("x", 0));
    assertTrue(grant.isHeld());
  }

  @Test
  void aReleaseThatFailsIsRepeatedUntilItIsCertain() {
    Grant grant = done(locks1.acquire("x", SECOND));
    n1.next(Fate.LOST, Fate.LOST);
    CoordinationException failure = failure(grant.release());
    assertEquals(Outcome.MAY_HAVE_HAPPENED, failure.outcome());
    assertFalse(grant.isHeld());
    assertNotNull(info("x"));
    timer.advance(Duration.ofMillis(100));
    assertNull(info("x"));
  }

  @Test
  void replayedEntriesTakeNothingAway() {
    Grant first = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> waiter = locks2.acquire("x", LONG);
    Grant second = done(locks2.acquire("y", SECOND));
    group.replay();
    timer.run();
    assertTrue(first.isHeld());
    assertTrue(second.isHeld());
    pending(waiter);
    done(first.release());
    Grant next = done(waiter);
    group.replay();
    timer.run();
    assertTrue(next.isHeld());
    pending(next.lost());
    assertFalse(first.isHeld());
  }

  @Test
  void aLaterStateTellsWhatHappenedMeanwhile() {
    // What a node misses while it is behind: it sees the state before, then the one after.
    Grant first = done(locks1.acquire("x", SECOND));
    Grant kept = done(locks2.acquire("z", SECOND));
    CompletionStage<Grant> granted = locks2.acquire("x", LONG);
    CompletionStage<Grant> queued = locks2.acquire("z", LONG);
    TestGroup elsewhere = group.copy();
    elsewhere.append(
        Entry.Kind.COMMAND,
        n2.session().id(),
        new LockRequest.Release("x", first.token(), "").encode());
    group.restore(elsewhere.snapshot());
    assertEquals(elsewhere.position(), done(granted).token());
    done(first.lost());
    assertTrue(kept.isHeld());
    pending(queued);

    elsewhere.append(Entry.Kind.SESSION_ENDED, n2.session().id(), new byte[0]);
    group.restore(elsewhere.snapshot());
    refused(Reason.SESSION_EXPIRED, "this node's session ended before it was given lock z", queued);
    done(kept.lost());
  }

  @Test
  void aLaterStateTakesALockFromOneBeforeItGivesItToTheNext() {
    VirtualTimer prompt = new VirtualTimer.Prompt();
    TestGroup.Node n3 = group.node("n3", prompt);
    BundleLocks locks3 = locks(n3, 3, Duration.ofSeconds(2), prompt).enter("three");
    for (int request = 1; request < 15; request++) {
      locks3.acquire("x", LONG).thenAccept(Grant::release);
    }
    // Requests 15 and 16, the latter of which comes first in a small hash map.
    Grant held = done(locks3.acquire("x", LONG));
    CompletionStage<Boolean> both = locks3.acquire("x", LONG).thenApply(next -> held.isHeld());
    TestGroup elsewhere = group.copy();
    elsewhere.append(
        Entry.Kind.COMMAND,
        n3.session().id(),
        new LockRequest.Release("x", held.token(), "").encode());
    group.restore(elsewhere.snapshot());
    assertFalse(done(both), "the former still believed to hold it");
  }

  @Test
  void closingLosesGrantsFailsWaitersAndLetsGo() {
    Grant grant = done(locks1.acquire("x", SECOND));
    Grant other = done(locks2.acquire("y", SECOND));
    CompletionStage<Grant> waiter = locks1.acquire("y", LONG);
    n1.next(Fate.HELD_BACK);
    CompletionStage<Grant> asking = locks1.acquire("z", LONG);
    all1.close();
    for (CompletionStage<Grant> stage : List.of(waiter, asking)) {
      refused(Reason.UNAVAILABLE, "the lock service of this node is stopping", stage);
    }
    done(grant.lost());
    assertFalse(grant.isHeld());
    done(grant.release());
    assertNull(info("x"));
    assertEquals(List.of(), info("y").waiters());
    assertTrue(timer.isClosed());
    refused(
        Reason.UNAVAILABLE,
        "the lock service of this node is stopping",
        locks1.acquire("w", SECOND));

    n1.deliver();
    assertNull(info("z"), "its Acquire came after all was let go");
    assertTrue(other.isHeld());
  }

  @Test
  void theNextInstanceLetsGoOfWhatAnEarlierOneCouldNot() {
    done(locks1.acquire("x", SECOND));
    Grant other = done(locks2.acquire("y", SECOND));
    locks1.acquire("y", LONG);
    n1.next(Fate.LOST);
    all1.close();
    assertEquals(n1.id, node("x"));

    VirtualTimer its = new VirtualTimer();
    BundleLocks next = locks(n1, 3, Duration.ofSeconds(2), its).enter("next");
    its.run();
    assertNull(info("x"));
    assertEquals(List.of(), info("y").waiters());
    CompletionStage<Grant> again = next.acquire("x", SECOND);
    its.run();
    assertTrue(done(again).isHeld());
    assertTrue(other.isHeld());
  }

  @Test
  void whatComesBackAfterClosingOpensNothingAgain() {
    n1.endSession();
    n1.next(Fate.APPLIED, Fate.HELD_BACK);
    CompletionStage<Grant> asking = locks1.acquire("z", LONG);
    all1.close();
    refused(Reason.UNAVAILABLE, "the lock service of this node is stopping", asking);
    n1.deliver(); // The new session is opened, and the Acquire must not follow.
    assertNull(info("z"));
  }

  @Test
  void theComponentWaitsUntilTheGroupHasHeardThatItStops() throws InterruptedException {
    done(locks1.acquire("x", SECOND));
    n1.next(Fate.HELD_BACK);
    Thread stopping = new Thread(all1::deactivate, "stopping");
    stopping.start();
    Thread.State state = stopping.getState();
    while (state != Thread.State.TIMED_WAITING && state != Thread.State.TERMINATED) {
      Thread.onSpinWait();
      state = stopping.getState();
    }
    assertEquals(Thread.State.TIMED_WAITING, state);
    n1.deliver();
    stopping.join();
    assertNull(info("x"));
  }

  @Test
  void theComponentDoesNotWaitForAGroupThatIsGone() {
    Duration moment = Duration.ofMillis(1);
    TestGroup.Node n3 = group.node("n3", timer);
    ReplicatedLocks all3 = locks(n3, 3, moment, timer);
    Grant grant = done(all3.enter("three").acquire("x", SECOND));
    n3.next(Fate.HELD_BACK);
    all3.deactivate();
    assertFalse(grant.isHeld());
    assertNotNull(info("x"));
  }

  @Test
  void theComponentOpensItsSessionAndKeepsItsLocksThoughNobodyAsksForIt() throws IOException {
    String description = "/OSGI-INF/io.clowder.lock.MainLocks.xml";
    try (InputStream in = ReplicatedLocks.class.getResourceAsStream(description)) {
      assertNotNull(in);
      String xml = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(xml.contains("immediate=\"true\""), xml);
    }
  }

  @Test
  void openingIsRepeatedUntilTheGroupAnswers() {
    TestGroup.Node n3 = group.node("n3", timer);
    n3.always(Fate.REFUSED);
    BundleLocks locks3 = locks(n3, 3).enter("three");
    timer.advance(Duration.ofSeconds(1));
    int before = group.entries();
    n3.always(Fate.APPLIED);
    timer.advance(Duration.ofSeconds(10));
    assertEquals(before + 1, group.entries());
    n3.renew();
    assertNotNull(done(locks3.tryAcquire("x")));
    assertEquals(before + 4, group.entries(), "the bundle is named first, for nobody heard of it");
    done(locks3.tryAcquire("y"));
    assertEquals(before + 5, group.entries());
  }

  @Test
  void whatMakesNoSenseIsRefusedBeforeItIsSent() {
    int before = group.entries();
    String longest = "é".repeat(Limits.KEY_BYTES / 2);
    refused(Reason.INVALID, "the name of the lock is empty", locks1.acquire("", SECOND));
    refused(
        Reason.TOO_LARGE,
        "the name of the lock has 1025 bytes: at most 1024",
        locks1.tryAcquire(longest + "x"));
    refused(
        Reason.INVALID,
        "the name of the lock is not Unicode: it holds half of a surrogate pair",
        locks1.info("\uD800"));
    refused(
        Reason.INVALID,
        "cannot wait PT-1S for a lock",
        locks1.acquire("x", Duration.ofSeconds(-1)));
    refused(Reason.INVALID, "the name of the lock is empty", locks1.release("", 1));
    refused(Reason.INVALID, "a list of 0: use 1 to 1000", locks1.list("", null, 0));
    assertEquals(before, group.entries());
    assertTrue(done(locks1.acquire(longest, Duration.ofSeconds(Long.MAX_VALUE))).isHeld());
    Exception failure =
        assertThrows(IllegalArgumentException.class, () -> locks(n1, 9, Duration.ZERO, timer));
    assertEquals("io.clowder.lock: timeout.millis is 0: use 1 to 600000", failure.getMessage());
  }

  @Test
  void infoAndListShowWhatIsHeld() {
    done(locks1.acquire("b", SECOND));
    Grant a = done(locks2.acquire("a", SECOND));
    locks1.acquire("a", LONG);
    assertNull(done(locks1.info("c")));
    LockInfo info = done(locks1.info("a"));
    long sinceMillis = a.token() * 1000;
    assertEquals(
        new LockInfo(
            "a",
            0,
            List.of(
                new LockInfo.Holder(
                    a.token(),
                    n2.id,
                    n2.session().id(),
                    "two",
                    Claim.Mode.EXCLUSIVE,
                    0,
                    sinceMillis,
                    false,
                    "")),
            1,
            List.of(
                new LockInfo.Waiter(
                    n1.id,
                    n1.session().id(),
                    "one",
                    Claim.Mode.EXCLUSIVE,
                    0,
                    0,
                    sinceMillis + 1000,
                    "")),
            1,
            0),
        info);
    assertEquals(
        List.of("a", "b"), done(locks2.list("", null, 10)).stream().map(LockInfo::name).toList());
    assertEquals(List.of("b"), done(locks2.list("", "a", 1)).stream().map(LockInfo::name).toList());
  }

  @Test
  void aBundleThatStopsLosesItsLocksAndNoOthers() {
    BundleLocks other = all1.enter("other");
    Grant held = done(locks1.acquire("x", SECOND));
    Grant kept = done(other.acquire("y", SECOND));
    CompletionStage<Grant> waiter = locks1.acquire("y", LONG);
    n1.next(Fate.LATE);
    CompletionStage<Grant> late = locks1.acquire("z", LONG);
    CompletionStage<Grant> next = locks2.acquire("x", LONG);
    int before = group.entries();
    locks1.close();
    assertTrue(done(next).isHeld(), "within one entry");
    assertFalse(held.isHeld());
    done(held.lost());
    refused(Reason.UNAVAILABLE, STOPPED, waiter);
    failure(late);
    n1.deliver();
    assertNull(info("z"), "its Acquire came after its bundle had stopped");
    assertTrue(kept.isHeld());
    assertEquals(List.of(), info("y").waiters());
    assertTrue(group.entries() <= before + 3);
    refused(Reason.UNAVAILABLE, STOPPED, locks1.acquire("w", SECOND));
    assertEquals(
        List.of("n1 other 1 0", "n2 two 1 0"),
        done(locks2.sessions(10)).stream()
            .map(it -> it.node() + " " + it.bundle() + " " + it.holds() + " " + it.waits())
            .toList());
    int entries = group.entries();
    locks1.close();
    assertEquals(entries, group.entries(), "once");
  }

  @Test
  void aGrantThatMeetsTheStopOfItsBundleIsNotGiven() {
    // The group has answered, and the timer's thread has not told the caller yet.
    CompletionStage<Grant> granted = locks1.acquire("x", LONG);
    locks1.close();
    refused(Reason.UNAVAILABLE, STOPPED, granted);
    assertNull(info("x"));
    CompletionStage<Grant> other = locks2.acquire("x", LONG);
    all2.close();
    refused(Reason.UNAVAILABLE, "the lock service of this node is stopping", other);
    assertNull(info("x"));
  }

  @Test
  void theGroupIsToldThatABundleStoppedUntilItHasHeard() {
    done(locks1.acquire("x", SECOND));
    n1.next(Fate.LOST, Fate.REFUSED);
    locks1.close();
    assertNotNull(info("x"));
    timer.advance(Duration.ofMillis(300));
    assertNull(info("x"));
  }

  @Test
  void anOwnerGetsWhatItHoldsAgainWithoutTheGroup() {
    Claim mine = Claim.exclusive("x").withOwner("me");
    Grant first = done(locks1.acquire(mine, SECOND));
    int before = group.entries();
    Grant again = done(locks1.tryAcquire(mine));
    assertEquals(before, group.entries());
    assertEquals(first.token(), again.token());
    pending(locks1.acquire(Claim.exclusive("x").withOwner("you"), LONG));
    done(first.release());
    assertFalse(first.isHeld());
    done(first.lost());
    assertTrue(again.isHeld());
    assertEquals(n1.id, node("x"));
    assertEquals(first.token(), token("x"));
    done(again.release());
    assertTrue(token("x") > first.token(), "the other owner's turn");
  }

  @Test
  void anOwnerWouldWaitForItselfInAnotherMode() {
    Claim mine = Claim.shared("x").withOwner("me");
    done(locks1.acquire(mine, SECOND));
    refused(
        Reason.CONFLICT,
        "owner me holds lock x in another way, SHARED, and would wait for itself: release it first",
        locks1.acquire(Claim.exclusive("x").withOwner("me"), SECOND));
    done(locks2.acquire("y", SECOND));
    pending(locks1.acquire(Claim.exclusive("y").withOwner("me"), LONG));
    refused(
        Reason.CONFLICT,
        "owner me waits for lock y already",
        locks1.acquire(Claim.exclusive("y").withOwner("me"), LONG));
  }

  @Test
  void anOwnerWhoseGrantIsLostAsksAnew() {
    Claim mine = Claim.exclusive("x").withOwner("me");
    Grant first = done(locks1.acquire(mine, SECOND));
    done(locks2.release("x", first.token()));
    Grant second = done(locks1.acquire(mine, SECOND));
    assertTrue(second.token() > first.token());
    timer.skip(Duration.ofSeconds(11));
    n1.renew();
    n1.endSession();
    Grant third = done(locks1.acquire(mine, SECOND));
    assertTrue(third.token() > second.token());
  }

  @Test
  void anOwnerThatHasGivenUpMayAskAgainBeforeTheGroupHasAnswered() {
    Claim mine = Claim.exclusive("x").withOwner("me");
    n1.next(Fate.ANSWER_LATE);
    CompletionStage<Grant> first = locks1.acquire(mine, LONG);
    first.toCompletableFuture().cancel(false);
    CompletionStage<Grant> second = locks1.acquire(mine, LONG);
    pending(second);
    n1.answer();
    Grant grant = done(second);
    assertTrue(grant.isHeld());
    assertEquals(grant.token(), done(locks1.tryAcquire(mine)).token());
    assertEquals(grant.token(), token("x"));
  }

  @Test
  void whatIsHeldTooLongIsLostAndReleased() {
    Claim claim = Claim.exclusive("x").withMaxHold(SECOND);
    Grant grant = done(locks1.acquire(claim, SECOND));
    assertEquals(SECOND, grant.remaining());
    CompletionStage<Grant> next = locks2.acquire("x", LONG);
    timer.advance(SECOND.minusNanos(1));
    assertTrue(grant.isHeld());
    timer.advance(Duration.ofNanos(1));
    assertFalse(grant.isHeld());
    assertEquals(Duration.ZERO, grant.remaining());
    done(grant.lost());
    assertTrue(done(next).isHeld());
  }

  @Test
  void whatIsReleasedInTimeIsNotReleasedAgain() {
    Grant grant = done(locks1.acquire(Claim.exclusive("x").withMaxHold(SECOND), SECOND));
    done(grant.release());
    int before = group.entries();
    timer.advance(Duration.ofSeconds(2));
    assertEquals(before, group.entries());
  }

  @Test
  void aSuspendedMachineHoldsNothingAfterItsSessionsTime() {
    Grant grant = done(locks1.acquire("x", SECOND));
    timer.suspend(Duration.ofSeconds(9));
    assertTrue(grant.isHeld());
    timer.suspend(Duration.ofSeconds(1));
    assertFalse(grant.isHeld());
    done(grant.lost());
  }

  @Test
  void whoeverCancelsHisFutureLeavesTheQueue() {
    Grant grant = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> waiter = locks2.acquire("x", LONG);
    timer.run();
    waiter.toCompletableFuture().cancel(false);
    assertEquals(List.of(), info("x").waiters());
    done(grant.release());

    n2.next(Fate.ANSWER_LATE);
    CompletionStage<Grant> asking = locks2.acquire("x", LONG);
    asking.toCompletableFuture().cancel(false);
    n2.answer();
    assertNull(info("x"), "given back, for nobody wants it");
  }

  @Test
  void aGrantThatMeetsACancelledFutureIsGivenBack() {
    CompletionStage<Grant> granted = locks1.acquire("x", LONG);
    // The group has answered, and the timer's thread has not told the caller yet.
    granted.toCompletableFuture().cancel(false);
    assertNull(info("x"));
  }

  @Test
  void theFirstInLineEndsADelay() {
    Claim careful = Claim.exclusive("x").withLockDelay(Duration.ofSeconds(3));
    done(locks1.acquire(careful, SECOND));
    CompletionStage<Grant> next = locks2.acquire("x", LONG);
    CompletionStage<Grant> second = locks2.acquire("x", LONG);
    n1.endSession();
    pending(next);
    LockInfo delayed = info("x");
    assertEquals(0, delayed.holding());
    assertEquals(group.table.state().timeMillis() + 3000, delayed.delayedUntilMillis());
    // The clock of the log goes on by a second with each entry.
    int before = group.entries();
    timer.advance(Duration.ofSeconds(3));
    pending(next);
    assertEquals(before + 1, group.entries(), "the log's clock was behind: later once more");
    timer.advance(Duration.ofSeconds(2));
    assertEquals(before + 2, group.entries());
    timer.advance(Duration.ofSeconds(1));
    n2.renew();
    assertTrue(done(next).isHeld());
    pending(second);
  }

  @Test
  void revokingTakesItFromItsHolderAndIsKeptInTheHistory() {
    Grant grant = done(locks1.acquire("x", SECOND));
    refused(Reason.INVALID, "revoking needs a reason", locks2.revoke("x", grant.token(), " "));
    done(locks2.revoke("x", grant.token(), "stuck since noon"));
    done(grant.lost());
    assertNull(info("x"));
    assertEquals(
        List.of("GRANTED x one ", "REVOKED x one stuck since noon"),
        locks1.history("x").stream()
            .map(it -> it.kind() + " " + it.name() + " " + it.bundle() + " " + it.reason())
            .toList());
  }

  @Test
  void promotingAsksTheHolderAndPutsTheNodeFirst() {
    Grant grant = done(locks1.acquire("x", SECOND));
    CompletionStage<Grant> first = locks1.acquire("x", LONG);
    CompletionStage<Grant> chosen = locks2.acquire("x", LONG);
    pending(grant.asked());
    done(locks1.promote("x", n2.id));
    done(grant.asked());
    assertTrue(grant.isHeld());
    done(grant.release());
    assertTrue(done(chosen).isHeld());
    pending(first);
    refused(
        Reason.CONFLICT, "nobody on n3 waits for lock x", locks1.promote("x", new NodeId("n3")));
  }

  @Test
  void theGateRefusesStaleTokens() {
    done(all1.check("disk", 5));
    done(all2.check("disk", 5));
    done(all2.check("disk", 7));
    refused(Reason.CONFLICT, "token 5 is stale: resource disk has seen 7", all1.check("disk", 5));
    refused(Reason.CONFLICT, "token 0 is stale: resource disk has seen 1", all1.check("disk", 0));
    done(all1.check("other", 1));
    refused(Reason.INVALID, "the name of the resource is empty", all1.check("", 1));
  }

  @Test
  void waitingOnTheCallersThread() throws Exception {
    VirtualTimer prompt = new VirtualTimer.Prompt();
    TestGroup.Node n3 = group.node("n3", prompt);
    BundleLocks locks3 = locks(n3, 3, Duration.ofSeconds(2), prompt).enter("three");
    try (Grant grant = locks3.lock(Claim.exclusive("x"), SECOND)) {
      assertTrue(grant.isHeld());
      CoordinationException failure =
          assertThrows(
              CoordinationException.class, () -> locks3.lock(Claim.shared("x"), Duration.ZERO));
      assertEquals(Reason.TIMEOUT, failure.reason());
      Thread.currentThread().interrupt();
      assertThrows(InterruptedException.class, () -> locks3.lock(Claim.exclusive("x"), LONG));
      assertEquals(List.of(), info("x").waiters());
    }
    assertNull(info("x"));
  }

  @Test
  @SuppressWarnings("LockNotBeforeTry") // That it can be unlocked is what is tested.
  void asTheJdksLock() throws Exception {
    VirtualTimer prompt = new VirtualTimer.Prompt();
    TestGroup.Node n3 = group.node("n3", prompt);
    Lock lock =
        locks(n3, 3, Duration.ofSeconds(2), prompt).enter("three").asLock(Claim.exclusive("x"));
    lock.lock();
    assertTrue(lock.tryLock(), "reentrant");
    CompletableFuture.runAsync(
            () -> {
              assertFalse(lock.tryLock());
              assertThrows(IllegalMonitorStateException.class, lock::unlock);
            })
        .get(10, TimeUnit.SECONDS);
    lock.unlock();
    assertEquals(1, info("x").holding());
    lock.unlock();
    assertNull(info("x"));
    assertThrows(IllegalMonitorStateException.class, lock::unlock);

    assertTrue(lock.tryLock(1, TimeUnit.SECONDS));
    done(locks1.release("x", token("x")));
    assertThrows(IllegalMonitorStateException.class, lock::unlock, "lost meanwhile");
    assertThrows(UnsupportedOperationException.class, lock::newCondition);
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, lock::lockInterruptibly);
    Thread.currentThread().interrupt();
    lock.lock();
    assertTrue(Thread.interrupted(), "told afterwards");
    lock.unlock();
  }

  @Test
  void whatIsLostByTheClockHasItsDelay() {
    Claim careful = Claim.exclusive("x").withMaxHold(SECOND).withLockDelay(Duration.ofSeconds(30));
    done(locks1.acquire(careful, SECOND));
    timer.advance(SECOND);
    assertEquals(0, info("x").holding());
    assertTrue(info("x").delayedUntilMillis() > 0, "it may be at work still");
  }

  @Test
  void aBundleThatHasLeftIsNotBroughtBack() {
    n1.next(Fate.LOST);
    BundleLocks gone = all1.enter("gone");
    n1.next(Fate.APPLIED, Fate.HELD_BACK); // Not named yet; and its name comes late.
    CompletionStage<Grant> grant = gone.acquire("x", SECOND);
    gone.close();
    timer.run();
    n1.deliver();
    timer.advance(SECOND);
    failure(grant);
    assertNull(info("x"));
    n1.next(Fate.HELD_BACK);
    all1.enter("too late").close();
    n1.deliver();
    timer.advance(SECOND);
    assertEquals(
        List.of("one", "two"),
        done(locks2.sessions(10)).stream().map(LockSession::bundle).toList());
  }

  @Test
  void aLaterGrantOfAnOwnerIsAskedToo() {
    Claim mine = Claim.exclusive("x").withOwner("me");
    done(locks1.acquire(mine, SECOND));
    pending(locks2.acquire("x", LONG));
    done(locks2.promote("x", n2.id));
    done(done(locks1.acquire(mine, SECOND)).asked());
  }

  @Test
  void whatAClaimDoesNotSayTheNodesSettingDoes() {
    LockSetting setting =
        new LockSetting(Duration.ofSeconds(2), 1, SECOND, Duration.ofSeconds(5), 10);
    TestGroup.Node n3 = group.node("n3", timer);
    BundleLocks locks3 =
        new ReplicatedLocks(n3, group.table, group.events, n3.id, setting, 3, timer).enter("3");
    Grant grant = done(locks3.acquire("x", SECOND));
    assertEquals(Duration.ofSeconds(5), grant.remaining());
    Grant withoutEnd =
        done(locks3.acquire(Claim.exclusive("y").withMaxHold(Duration.ZERO), SECOND));
    assertTrue(withoutEnd.remaining().compareTo(Duration.ofSeconds(5)) > 0);
    CompletionStage<Grant> first = locks3.acquire("x", LONG);
    refused(Reason.OVERLOADED, "as many wait for lock x already as may", locks3.acquire("x", LONG));
    pending(first);
    n3.endSession();
    assertTrue(info("x").delayedUntilMillis() > 0);
    String[] keys = {"timeout.millis", "max.waiters", "lock.delay.millis", "max.hold.millis"};
    for (int i = 0; i < keys.length; i++) {
      long[] wrong = {1, 1, 0, 0};
      wrong[i] = i < 2 ? 0 : 100_000_000;
      Exception failure =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  new LockSetting(
                      Duration.ofMillis(wrong[0]),
                      (int) wrong[1],
                      Duration.ofMillis(wrong[2]),
                      Duration.ofMillis(wrong[3]),
                      0));
      assertTrue(failure.getMessage().startsWith("io.clowder.lock: " + keys[i] + " is "));
    }
  }

  @Test
  void aClaimThatMakesNoSenseIsRefused() {
    Claim x = Claim.exclusive("x");
    Map<Claim, String> wrong = new LinkedHashMap<>();
    wrong.put(Claim.permits("x", 0, 3), "lock x: 0 permits of 3");
    wrong.put(Claim.permits("x", 4, 3), "lock x: 4 permits of 3");
    wrong.put(
        Claim.permits("x", 1, 10_001), "lock x: a semaphore of 10001 permits: use 1 to 10000");
    wrong.put(x.withPriority(10), "lock x: priority 10: use 0 to 9");
    wrong.put(x.withPriority(-1), "lock x: priority -1: use 0 to 9");
    wrong.put(x.withLockDelay(Duration.ofSeconds(61)), "lock x: a delay of PT1M1S: use 0 to PT1M");
    wrong.put(
        x.withLockDelay(Duration.ofMillis(-1)), "lock x: a delay of PT-0.001S: use 0 to PT1M");
    wrong.put(
        x.withMaxHold(Duration.ofMillis(-1)),
        "lock x: held for at most PT-0.001S: use more than 0, up to PT8760H");
    wrong.put(
        x.withMaxHold(Duration.ofDays(366)),
        "lock x: held for at most PT8784H: use more than 0, up to PT8760H");
    wrong.put(x.withOwner(""), "lock x: the owner has no name");
    wrong.put(
        new Claim("x", Claim.Mode.SHARED, 1, 2, 0, Duration.ZERO, null, null, ""),
        "lock x: permits and mode SHARED do not go together");
    int before = group.entries();
    wrong.forEach(
        (claim, message) -> {
          refused(Reason.INVALID, message, locks1.acquire(claim, SECOND));
          refused(Reason.INVALID, message, locks1.tryAcquire(claim));
        });
    refused(
        Reason.TOO_LARGE,
        "the note has 257 bytes: at most 256",
        locks1.acquire(x.withNote("n".repeat(257)), SECOND));
    refused(
        Reason.TOO_LARGE,
        "the reason has 257 bytes: at most 256",
        locks1.revoke("x", 1, "n".repeat(257)));
    assertEquals(before, group.entries());
  }

  @Test
  void aNodeMayHaveOnlySoManyRequestsOpen() {
    done(locks2.acquire("x", SECOND));
    List<CompletionStage<Grant>> waiters = new ArrayList<>();
    // More than one lock, for the queue of one has a limit of its own.
    done(locks2.acquire("y", SECOND));
    for (int i = 0; i < Limits.PENDING_REQUESTS; i++) {
      waiters.add(locks1.acquire(i % 2 == 0 ? "x" : "y", LONG));
    }
    refused(
        Reason.OVERLOADED,
        "16384 requests for locks on this node already",
        locks1.acquire("z", SECOND));
    pending(waiters.get(0));
  }

  private NodeId node(String name) {
    return info(name).holders().get(0).node();
  }

  private long token(String name) {
    return info(name).holders().get(0).token();
  }

  private LockInfo info(String name) {
    timer.run();
    return group.table.state().info(name);
  }

  private <T> T done(CompletionStage<T> stage) {
    timer.run();
    assertTrue(stage.toCompletableFuture().isDone(), "not done");
    return stage.toCompletableFuture().join();
  }

  private void pending(CompletionStage<?> stage) {
    timer.run();
    assertFalse(stage.toCompletableFuture().isDone(), "done");
  }

  private void refused(Reason reason, String message, CompletionStage<?> stage) {
    CoordinationException failure = failure(stage);
    assertEquals(message, failure.getMessage());
    assertEquals(reason, failure.reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure.outcome());
  }

  private CoordinationException failure(CompletionStage<?> stage) {
    Throwable cause = assertThrows(CompletionException.class, () -> done(stage)).getCause();
    return assertInstanceOf(CoordinationException.class, cause);
  }
}
