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
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockInfo;
import io.clowder.lock.TestGroup.Fate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class ReplicatedLocksTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration LONG = Duration.ofSeconds(8);

  private final VirtualTimer timer = new VirtualTimer();
  private final TestGroup group = new TestGroup();
  private final TestGroup.Node n1 = group.node("n1", timer);
  private final TestGroup.Node n2 = group.node("n2", timer);
  private final ReplicatedLocks locks1 = locks(n1, 1);
  private final ReplicatedLocks locks2 = locks(n2, 2);

  private ReplicatedLocks locks(TestGroup.Node node, long client) {
    return new ReplicatedLocks(node, group.table, node.id, Duration.ofSeconds(2), client, timer);
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
    assertEquals(List.of("x", "x"), List.of(first.name(), next.name()));
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
    assertEquals(n2.id, info("x").node(), "granted to the request that nobody wants any more");
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
    assertEquals(n2.id, info("x").node());
    pending(waiter);
    n2.answer();
    assertTrue(done(waiter).isHeld());
  }

  @Test
  void aGrantReleasedByAnotherBeforeItsAnswerCameIsNotHeld() {
    n1.next(Fate.ANSWER_LATE);
    CompletionStage<Grant> waiter = locks1.acquire("x", LONG);
    done(locks2.release("x", info("x").token()));
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
    refused(
        Reason.CONFLICT,
        "lock y is free, and was never held with token 999",
        locks2.release("y", 999));
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
        new LockRequest.Release("x", first.token()).encode());
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
    ReplicatedLocks locks3 =
        new ReplicatedLocks(n3, group.table, n3.id, Duration.ofSeconds(2), 3, prompt);
    for (int request = 1; request < 15; request++) {
      locks3.acquire("x", LONG).thenAccept(Grant::release);
    }
    // Requests 15 and 16, the latter of which comes first in a small hash map.
    Grant held = locks3.acquire("x", LONG).toCompletableFuture().join();
    CompletionStage<Boolean> both = locks3.acquire("x", LONG).thenApply(next -> held.isHeld());
    TestGroup elsewhere = group.copy();
    elsewhere.append(
        Entry.Kind.COMMAND, n3.session().id(), new LockRequest.Release("x", held.token()).encode());
    group.restore(elsewhere.snapshot());
    assertFalse(both.toCompletableFuture().join(), "the former still believed to hold it");
  }

  @Test
  void closingLosesGrantsFailsWaitersAndLetsGo() {
    Grant grant = done(locks1.acquire("x", SECOND));
    Grant other = done(locks2.acquire("y", SECOND));
    CompletionStage<Grant> waiter = locks1.acquire("y", LONG);
    n1.next(Fate.HELD_BACK);
    CompletionStage<Grant> asking = locks1.acquire("z", LONG);
    locks1.close();
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
    locks1.close();
    assertEquals(n1.id, info("x").node());

    VirtualTimer its = new VirtualTimer();
    ReplicatedLocks next =
        new ReplicatedLocks(n1, group.table, n1.id, Duration.ofSeconds(2), 3, its);
    its.run();
    assertNull(info("x"));
    assertEquals(List.of(), info("y").waiters());
    CompletionStage<Grant> again = next.acquire("x", SECOND);
    its.run();
    assertTrue(again.toCompletableFuture().join().isHeld());
    assertTrue(other.isHeld());
  }

  @Test
  void whatComesBackAfterClosingOpensNothingAgain() {
    n1.endSession();
    n1.next(Fate.APPLIED, Fate.HELD_BACK);
    CompletionStage<Grant> asking = locks1.acquire("z", LONG);
    locks1.close();
    refused(Reason.UNAVAILABLE, "the lock service of this node is stopping", asking);
    n1.deliver(); // The new session is opened, and the Acquire must not follow.
    assertNull(info("z"));
  }

  @Test
  void theComponentWaitsUntilTheGroupHasHeardThatItStops() throws InterruptedException {
    done(locks1.acquire("x", SECOND));
    n1.next(Fate.HELD_BACK);
    Thread stopping = new Thread(locks1::deactivate, "stopping");
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
    ReplicatedLocks locks3 = new ReplicatedLocks(n3, group.table, n3.id, moment, 3, timer);
    Grant grant = done(locks3.acquire("x", SECOND));
    n3.next(Fate.HELD_BACK);
    locks3.deactivate();
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
    ReplicatedLocks locks3 = locks(n3, 3);
    timer.advance(Duration.ofSeconds(1));
    int before = group.entries();
    n3.always(Fate.APPLIED);
    timer.advance(Duration.ofSeconds(10));
    assertEquals(before + 1, group.entries());
    n3.renew();
    assertNotNull(done(locks3.tryAcquire("x")));
    assertEquals(before + 2, group.entries());
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
        assertThrows(
            IllegalArgumentException.class,
            () -> new ReplicatedLocks(n1, group.table, n1.id, Duration.ZERO, 9, timer));
    assertEquals("io.clowder.lock: timeout.millis is 0: use 1 to 600000", failure.getMessage());
  }

  @Test
  void infoAndListShowWhatIsHeld() {
    done(locks1.acquire("b", SECOND));
    Grant a = done(locks2.acquire("a", SECOND));
    locks1.acquire("a", LONG);
    assertNull(done(locks1.info("c")));
    LockInfo info = done(locks1.info("a"));
    assertEquals(
        new LockInfo(
            "a",
            a.token(),
            new NodeId("n2"),
            n2.session().id(),
            a.token() * 1000,
            List.of(new NodeId("n1"))),
        info);
    assertEquals(
        List.of("a", "b"), done(locks2.list("", null, 10)).stream().map(LockInfo::name).toList());
    assertEquals(List.of("b"), done(locks2.list("", "a", 1)).stream().map(LockInfo::name).toList());
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
