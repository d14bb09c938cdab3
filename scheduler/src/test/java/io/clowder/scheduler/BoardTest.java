// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TypeLimits;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What becomes of a task: how it moves from state to state, and how long it is known. */
class BoardTest {
  private static final Retry RETRY =
      new Retry(3, Duration.ofMillis(100), Duration.ofMillis(350), 3);

  private final Desk desk = new Desk();

  private static TaskRequest t() {
    return Desk.request("t");
  }

  private static Instant in(long millis) {
    return Instant.ofEpochMilli(Desk.BEGIN + millis);
  }

  // ---- the way of a task -----------------------------------------------------------------------

  /** The dead stay until somebody looks at them; they do not push out what is newer. */
  @Test
  void whatIsKeptHasABoundInBytesAndTheOldestGo() {
    Desk desk = new Desk();
    desk.worker("n1", 1, "t");
    byte[] large = new byte[Limits.TASK_BYTES];
    int most = (int) (Limits.TASK_RESULTS_BYTES / large.length);
    long first = 0;
    for (int i = 0; i < most; i++) {
      long id =
          desk.submit(
              TaskRequest.of("t", large).withRetry(new Retry(2, Duration.ZERO, Duration.ZERO, 3)));
      first = first == 0 ? id : first;
      desk.threw(desk.last().token());
      desk.pass(1);
      desk.threw(desk.last().token());
      assertEquals(TaskState.DEAD, desk.state(id));
    }
    long one = desk.submit("t");
    desk.done(desk.last().token());
    long other = desk.submit(TaskRequest.of("t", large));
    desk.done(desk.last().token());
    assertEquals(null, desk.board.task(first));
    assertEquals(TaskState.SUCCEEDED, desk.state(one));
    assertEquals(TaskState.SUCCEEDED, desk.state(other));
  }

  @Test
  void payloadsHaveABoundInBytes() {
    Desk desk = new Desk();
    byte[] large = new byte[Limits.TASK_BYTES];
    Work work = Desk.work(TaskRequest.of("t", large));
    int most = (int) (Limits.TASKS_BYTES / large.length);
    for (int i = 0; i < most; i++) {
      desk.entry(() -> desk.board.submit(work));
    }
    assertEquals(
        "the payloads of tasks that are not over have 268435456 bytes, which is nearly all they may",
        desk.board.refusal(work, most + 1));
  }

  @Test
  void aTaskIsReadyUntilThereIsASlotThenAssignedThenRunningThenOver() {
    long id = desk.submit("t");
    assertEquals(TaskState.READY, desk.state(id));
    desk.now += 5;
    desk.worker("n1", 1, "t");
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    assertEquals(desk.now, desk.task(id).since());
    assertEquals(1, desk.task(id).attempts());
    long token = desk.last().token();
    assertEquals(token, desk.task(id).token());
    assertTrue(desk.running(token));
    assertEquals(TaskState.RUNNING, desk.state(id));
    desk.now += 5;
    assertTrue(desk.running(token), "the task has not gone on without it");
    assertEquals(desk.now - 5, desk.task(id).since(), "it runs since it first said so");
    assertTrue(desk.done(token));
    assertEquals(TaskState.SUCCEEDED, desk.state(id));
    assertArrayEquals(new byte[] {1}, desk.task(id).value());
    assertEquals(0, desk.task(id).token());
    assertNull(desk.board.attempt(desk.task(id)));
    assertEquals(List.of(id), desk.ended.stream().map(Task::id).toList());
  }

  @Test
  void aSlotIsFreeAgainAsSoonAsItsAttemptIsOver() {
    desk.worker("n1", 1, "t");
    long first = desk.submit("t");
    long second = desk.submit("t");
    assertEquals(List.of(first), desk.order());
    desk.done(desk.last().token());
    assertEquals(List.of(first, second), desk.order());
    desk.threw(desk.last().token());
    long third = desk.submit("t");
    assertEquals(List.of(first, second, third), desk.order());
  }

  @Test
  void timeInTheLogNeverGoesBack() {
    desk.now = Desk.BEGIN + 50;
    desk.pass(0);
    desk.now = Desk.BEGIN;
    desk.pass(0);
    assertEquals(Desk.BEGIN + 50, desk.board.now());
  }

  @Test
  void aTaskThatMustWaitIsReadyAtItsTimeAndNotBefore() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t().withNotBefore(in(100)));
    assertEquals(TaskState.SUBMITTED, desk.state(id));
    assertEquals(Desk.BEGIN + 100, desk.board.nextAlarm());
    desk.pass(99);
    assertEquals(TaskState.SUBMITTED, desk.state(id));
    desk.pass(1);
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    assertEquals(Long.MAX_VALUE, desk.board.nextAlarm());
  }

  @Test
  void aTaskExpiresAtItsDeadlineWhereverItStands() {
    long waiting =
        desk.submit(t().withNotBefore(in(90)).withDeadline(in(100)).withOrderingKey("k"));
    long behind = desk.submit(t().withDeadline(in(50)).withOrderingKey("k"));
    long ready = desk.submit(Desk.request("u").withDeadline(in(80)));
    desk.worker("n1", 4, "t");
    long assigned = desk.submit(t().withDeadline(in(80)));
    long running = desk.submit(t().withDeadline(in(80)));
    desk.running(desk.last().token());
    desk.pass(49);
    assertEquals(List.of(), desk.ended);
    desk.pass(1);
    assertEquals(TaskState.EXPIRED, desk.state(behind));
    desk.pass(30);
    for (long id : List.of(ready, assigned, running)) {
      assertEquals(TaskState.EXPIRED, desk.state(id));
      assertEquals("was not done by its deadline", desk.task(id).error());
    }
    assertEquals(2, desk.revoked.size());
    assertEquals(TaskState.SUBMITTED, desk.state(waiting));
    desk.pass(10);
    assertEquals(TaskState.ASSIGNED, desk.state(waiting));
    desk.pass(10);
    assertEquals(TaskState.EXPIRED, desk.state(waiting));
  }

  @Test
  void whatIsDoneBeforeItsDeadlineStaysSo() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t().withDeadline(in(100)));
    desk.done(desk.last().token());
    desk.pass(200);
    assertEquals(TaskState.SUCCEEDED, desk.state(id));
  }

  // ---- failures --------------------------------------------------------------------------------

  @Test
  void whoFailsIsTriedAgainUntilItHasFailedTooOftenAndIsDead() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t().withRetry(RETRY));
    for (int attempt = 1; attempt <= 3; attempt++) {
      assertEquals(attempt, desk.last().attempt());
      desk.threw(desk.last().token());
      assertEquals(attempt == 3 ? TaskState.DEAD : TaskState.SUBMITTED, desk.state(id));
      assertEquals("it threw", desk.task(id).error());
      assertEquals(attempt, desk.task(id).past().size());
      desk.pass(350);
    }
    assertEquals(TaskState.DEAD, desk.state(id));
    assertEquals(3, desk.given.size());
    assertEquals(1, desk.board.dead());
    assertEquals(0, desk.board.pending());
  }

  @Test
  void waitsBetweenAttemptsAreDrawnFromNothingToTheBoundThatDoublesUpToTheCap() {
    desk.worker("n1", 100, "t");
    long[] longest = new long[3];
    Set<Long> different = new HashSet<>();
    for (int i = 0; i < 500; i++) {
      long id = desk.submit(t().withRetry(new Retry(9, RETRY.base(), RETRY.cap(), 3)));
      for (int failures = 1; failures <= 3; failures++) {
        desk.threw(desk.last().token());
        long wait = desk.task(id).due() - desk.now;
        long bound = failures == 1 ? 100 : failures == 2 ? 200 : 350;
        assertTrue(wait >= 0 && wait <= bound, wait + " ms after failure " + failures);
        longest[failures - 1] = Math.max(longest[failures - 1], wait);
        different.add(wait);
        desk.pass(wait);
      }
      desk.entry(() -> desk.board.cancel(id));
      desk.done(desk.last().token());
    }
    assertTrue(longest[0] > 90 && longest[1] > 180 && longest[2] > 315, "it is full jitter");
    assertTrue(different.size() > 250);
  }

  @Test
  void aWaitDoesNotOverflowHoweverOftenItHasDoubled() {
    desk.worker("n1", 1, "t");
    Retry retry = new Retry(1000, Duration.ofDays(1), Duration.ofDays(1), 3);
    long id = desk.submit(t().withRetry(retry));
    for (int i = 0; i < 70; i++) {
      desk.threw(desk.last().token());
      long wait = desk.task(id).due() - desk.now;
      assertTrue(wait >= 0 && wait <= 86_400_000, "" + wait);
      desk.pass(wait);
    }
  }

  @Test
  void aFailureForGoodIsNotTriedAgainNorIsWhoMayBeTriedOnce() {
    desk.worker("n1", 1, "t");
    long forGood = desk.submit(t().withRetry(RETRY));
    desk.report(new Report.Threw(desk.last().token(), "no use", true));
    assertEquals(TaskState.FAILED, desk.state(forGood));
    long once = desk.submit(t().withRetry(Retry.NEVER));
    desk.threw(desk.last().token());
    assertEquals(TaskState.FAILED, desk.state(once));
    assertEquals("it threw", desk.task(once).error());
  }

  @Test
  void onlyTheLastFewAttemptsAreRemembered() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t().withRetry(new Retry(9, Duration.ZERO, Duration.ZERO, 3)));
    for (int i = 0; i < 8; i++) {
      desk.report(new Report.Threw(desk.last().token(), "no. " + i, false));
      desk.pass(0);
    }
    assertEquals(
        List.of("no. 3", "no. 4", "no. 5", "no. 6", "no. 7"),
        desk.task(id).past().stream().map(past -> past.error()).toList());
    assertEquals(
        List.of(4, 5, 6, 7, 8), desk.task(id).past().stream().map(past -> past.attempt()).toList());
  }

  @Test
  void whatIsGivenBackIsAsIfItHadNeverBeenAssigned() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t());
    long later = desk.submit(t());
    desk.now += 10;
    assertTrue(desk.giveBack(desk.given.get(0).token(), true));
    // It goes before what came later.
    assertEquals(List.of(id, id), desk.order());
    assertEquals(TaskState.READY, desk.state(later));
    assertEquals(List.of(), desk.task(id).past());
    assertEquals(0, desk.task(id).failures());
    assertEquals(2, desk.last().attempt(), "but it was assigned twice");
  }

  @Test
  void whatMayRunOnceIsOverWhenItWasInterruptedAndGoesElsewhereIfItHadNotBegun() {
    desk.worker("n1", 1, "t");
    long id = desk.submit(t().withMode(TaskMode.AT_MOST_ONCE).withRetry(RETRY));
    desk.giveBack(desk.last().token(), false);
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    desk.giveBack(desk.last().token(), true);
    assertEquals(TaskState.FAILED, desk.state(id));
    assertEquals(2, desk.given.size());

    long thrown = desk.submit(t().withMode(TaskMode.AT_MOST_ONCE).withRetry(RETRY));
    desk.threw(desk.last().token());
    assertEquals(TaskState.FAILED, desk.state(thrown));
  }

  // ---- dedupe keys and retention
  // -----------------------------------------------------------------

  @Test
  void aDedupeKeyIsTakenWhileItsTaskIsKnownOverOrNot() {
    desk.worker("n1", 1, "t");
    TaskRequest request = t().withDedupeKey("k").withKeep(Duration.ofMillis(500));
    long id = desk.submit(request);
    assertEquals(id, desk.board.known(Desk.work(request)));
    assertEquals(0, desk.board.known(Desk.work(Desk.request("u").withDedupeKey("k"))));
    assertEquals(0, desk.board.known(Desk.work(t().withDedupeKey("l"))));
    assertEquals(0, desk.board.known(Desk.work(t())));
    desk.now += 100;
    desk.done(desk.last().token());
    desk.pass(499);
    assertEquals(id, desk.board.known(Desk.work(request)));
    desk.pass(1);
    assertEquals(0, desk.board.known(Desk.work(request)));
    assertNull(desk.board.task(id));
    long other = desk.submit(request);
    assertNotEquals(id, other);
    assertEquals(other, desk.board.known(Desk.work(request)));
  }

  @Test
  void resultsAreForgottenWhenTheirTimeIsOverOrTheyAreTooManyTheOldestFirst() {
    desk.worker("n1", 1, "t");
    for (int i = 0; i <= Limits.TASK_RESULTS; i++) {
      desk.submit(t());
      desk.done(desk.last().token());
    }
    assertEquals(Limits.TASK_RESULTS, desk.board.results());
    assertNull(desk.board.task(1));
    assertEquals(TaskState.SUCCEEDED, desk.state(2));
    desk.pass(3_600_000);
    assertEquals(0, desk.board.results());
    assertEquals(0, desk.board.tasks().size());
    assertEquals(0, desk.board.floor().types().size());
    assertEquals(Long.MAX_VALUE, desk.board.nextAlarm());
  }

  @Test
  void theDeadAreKeptForPeopleHoweverLong() {
    desk.worker("n1", 1, "t");
    TaskRequest request = t().withRetry(new Retry(1, Duration.ZERO, Duration.ZERO, 1));
    for (int i = 0; i <= Limits.DEAD_TASKS; i++) {
      desk.submit(request);
      desk.entry(() -> desk.board.evict(desk.last().worker()));
      desk.worker("n1", 1, "t");
    }
    assertEquals(Limits.DEAD_TASKS, desk.board.dead());
    assertNull(desk.board.task(1));
    desk.pass(Duration.ofDays(365).toMillis());
    assertEquals(TaskState.DEAD, desk.state(2));
    assertTrue(desk.entry(() -> desk.board.forget(2)));
    assertFalse(desk.entry(() -> desk.board.forget(2)));
    assertEquals(Limits.DEAD_TASKS - 1, desk.board.dead());
  }

  @Test
  void onlyWhatIsOverIsForgotten() {
    long id = desk.submit(t().withDedupeKey("k"));
    assertFalse(desk.entry(() -> desk.board.forget(id)));
    desk.entry(() -> desk.board.cancel(id));
    assertTrue(desk.entry(() -> desk.board.forget(id)));
    assertEquals(0, desk.board.known(Desk.work(t().withDedupeKey("k"))));
    assertEquals(Long.MAX_VALUE, desk.board.nextAlarm());
  }

  // ---- ordering keys ---------------------------------------------------------------------------

  @Test
  void tasksWithOneOrderingKeyRunOneAtATimeInOrder() {
    desk.worker("n1", 10, "*");
    TaskRequest keyed = t().withOrderingKey("k").withRetry(RETRY);
    long first = desk.submit(keyed);
    long second = desk.submit(keyed.withPriority(9));
    long third = desk.submit(keyed);
    long otherKey = desk.submit(t().withOrderingKey("l"));
    long otherType = desk.submit(Desk.request("u").withOrderingKey("k"));
    assertEquals(List.of(first, otherKey, otherType), desk.order());
    assertEquals(Task.TURN, desk.task(second).due());
    desk.threw(desk.given.get(0).token());
    assertEquals(3, desk.given.size(), "it is not over while it is to be tried again");
    desk.pass(100);
    desk.done(desk.last().token());
    assertEquals(second, desk.last().task());
    desk.entry(() -> desk.board.cancel(second));
    assertEquals(third, desk.last().task());
  }

  @Test
  void whoIsCalledOffInTheQueueOfItsKeyLetsOthersPass() {
    desk.worker("n1", 10, "t");
    TaskRequest keyed = t().withOrderingKey("k");
    long first = desk.submit(keyed);
    long second = desk.submit(keyed);
    long third = desk.submit(keyed);
    desk.entry(() -> desk.board.cancel(second));
    assertEquals(List.of(first), desk.order());
    desk.done(desk.last().token());
    assertEquals(List.of(first, third), desk.order());
    desk.done(desk.last().token());
    long fourth = desk.submit(keyed);
    assertEquals(fourth, desk.last().task());
  }

  @Test
  void whoseTurnComesMayStillHaveToWaitForItsTime() {
    desk.worker("n1", 10, "t");
    desk.submit(t().withOrderingKey("k"));
    long second = desk.submit(t().withOrderingKey("k").withNotBefore(in(100)));
    desk.done(desk.last().token());
    assertEquals(Desk.BEGIN + 100, desk.task(second).due());
    desk.pass(100);
    assertEquals(second, desk.last().task());
  }

  // ---- what people do --------------------------------------------------------------------------

  @Test
  void whoIsCalledOffWhileItRunsKeepsItsSlotUntilItsWorkerIsThrough() {
    desk.worker("n1", 1, "t");
    long id = desk.submit("t");
    long token = desk.last().token();
    assertTrue(desk.entry(() -> desk.board.cancel(id)));
    assertFalse(desk.entry(() -> desk.board.cancel(id)));
    assertEquals(TaskState.CANCELLED, desk.state(id));
    assertEquals(List.of(token), desk.revoked.stream().map(Attempt::token).toList());
    long next = desk.submit("t");
    assertEquals(TaskState.READY, desk.state(next), "the slot is not free");
    assertFalse(desk.running(token));
    assertFalse(desk.done(token), "its result is refused");
    assertEquals(TaskState.CANCELLED, desk.state(id));
    assertEquals(0, desk.task(id).value().length);
    assertEquals(TaskState.ASSIGNED, desk.state(next));
    assertEquals(0, desk.board.counters().succeeded());
  }

  @Test
  void whoWaitsToBeTriedAgainIsTriedAtOnceIfPeopleSay() {
    desk.worker("n1", 1, "t");
    Retry retry = new Retry(3, Duration.ofHours(9), Duration.ofHours(9), 3);
    long id = desk.submit(t().withRetry(retry));
    assertFalse(desk.entry(() -> desk.board.retry(id)), "it runs");
    desk.threw(desk.last().token());
    assertTrue(desk.entry(() -> desk.board.retry(id)));
    assertEquals(TaskState.ASSIGNED, desk.state(id));
    assertEquals(0, desk.task(id).failures());
    assertEquals(Long.MAX_VALUE, desk.board.nextAlarm());
    desk.threw(desk.last().token());
    desk.entry(() -> desk.board.retry(id));
    desk.threw(desk.last().token());
    assertEquals(TaskState.SUBMITTED, desk.state(id), "what was before does not count");
  }

  @Test
  void whatIsOverWithoutSuccessIsTriedAnewAndNothingElse() {
    desk.worker("n1", 1, "t");
    TaskRequest once = t().withRetry(new Retry(1, Duration.ZERO, Duration.ZERO, 1));
    long dead = desk.submit(once.withDedupeKey("k"));
    desk.entry(() -> desk.board.evict(desk.last().worker()));
    assertEquals(TaskState.DEAD, desk.state(dead));
    desk.worker("n1", 1, "t");
    assertTrue(desk.entry(() -> desk.board.retry(dead)));
    assertEquals(0, desk.board.dead());
    assertFalse(desk.last().isSuspect());
    desk.done(desk.last().token());
    assertEquals(TaskState.SUCCEEDED, desk.state(dead));
    assertFalse(desk.entry(() -> desk.board.retry(dead)));
    assertFalse(desk.entry(() -> desk.board.retry(99)));

    long failed = desk.submit(once);
    desk.threw(desk.last().token());
    long cancelled = desk.submit(t().withNotBefore(in(5_000)));
    desk.entry(() -> desk.board.cancel(cancelled));
    assertTrue(desk.entry(() -> desk.board.retry(failed)));
    assertTrue(desk.entry(() -> desk.board.retry(cancelled)));
    assertEquals(TaskState.ASSIGNED, desk.state(failed));
    assertEquals(TaskState.SUBMITTED, desk.state(cancelled), "its time has not come");
    assertEquals(1, desk.board.results());
    desk.done(desk.last().token());
    desk.pass(5_000);
    assertEquals(TaskState.ASSIGNED, desk.state(cancelled));

    long expired = desk.submit(t().withDeadline(in(6_000)));
    desk.pass(2_000);
    assertEquals(TaskState.EXPIRED, desk.state(expired));
    assertFalse(desk.entry(() -> desk.board.retry(expired)));
  }

  @Test
  void whoIsTriedAnewTakesItsTurnAgain() {
    desk.worker("n1", 5, "t");
    TaskRequest keyed = t().withOrderingKey("k").withRetry(Retry.NEVER);
    long first = desk.submit(keyed);
    desk.threw(desk.last().token());
    long second = desk.submit(keyed);
    desk.entry(() -> desk.board.retry(first));
    assertEquals(Task.TURN, desk.task(first).due());
    assertEquals(second, desk.last().task());
    desk.done(desk.last().token());
    assertEquals(first, desk.last().task());
  }

  // ---- how many there may be -------------------------------------------------------------------

  @Test
  void moreThanMayWaitAreRefusedAndSayWhy() {
    Work work = Desk.work(t());
    assertNull(desk.board.refusal(work, 2));
    desk.worker("n1", 1, "t");
    desk.submit("t");
    desk.submit("t");
    assertEquals(
        "2 tasks are not over, which is all there may be (queue.max)", desk.board.refusal(work, 2));
    assertNull(desk.board.refusal(work, 3));
    desk.done(desk.last().token());
    assertNull(desk.board.refusal(work, 2), "what is over does not count");
  }

  @Test
  void aTypeMayHaveALimitOfItsOwn() {
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, 0, 1)));
    assertNull(desk.board.refusal(Desk.work(t()), 100));
    desk.submit("t");
    assertEquals(
        "1 tasks of type t are not over, which is all it may have",
        desk.board.refusal(Desk.work(t()), 100));
    assertNull(desk.board.refusal(Desk.work(Desk.request("u")), 100));
  }

  @Test
  void thereAreSoManyTypesAtMostOnesThatAreIdleDoNotCount() {
    for (int i = 0; i < Limits.TASK_TYPES; i++) {
      desk.submit("t" + i);
    }
    assertEquals(
        "there are tasks of 10000 types, no more are taken",
        desk.board.refusal(Desk.work(t()), 1_000_000));
    assertFalse(desk.entry(() -> desk.board.pause("t", true)));
    assertFalse(desk.entry(() -> desk.board.limit("t", new TypeLimits(1, 0, 0))));
    assertTrue(desk.entry(() -> desk.board.pause("t1", true)));
    assertNull(desk.board.refusal(Desk.work(Desk.request("t7")), 1_000_000));
    desk.entry(() -> desk.board.cancel(8));
    assertNull(desk.board.refusal(Desk.work(t()), 1_000_000));
  }

  @Test
  void whatIsCountedStaysCounted() {
    desk.worker("n1", 2, "t");
    desk.submit("t");
    desk.done(desk.last().token());
    desk.submit("t");
    desk.threw(desk.last().token());
    Board.Counters counters = desk.board.counters();
    assertEquals(1, counters.succeeded());
    assertEquals(1, counters.failed());
    assertEquals(2, counters.lastTask());
    assertEquals(2, counters.lastToken());
    assertEquals(1, counters.lastWorker());
  }
}
