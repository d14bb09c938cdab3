// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskState;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who waits for a task, and how he hears of its end. */
class EndsTest {
  private static final Duration WAIT = Duration.ofSeconds(10);

  private final Bench bench = new Bench();
  private final Ends ends = new Ends(new Asking(bench, Duration.ofSeconds(5)), bench);
  private long worker;

  @BeforeEach
  void start() {
    bench.machine.add(ends);
    worker = bench.otherWorker(Bench.N2, 8, Desk.skills("t"));
  }

  private CompletableFuture<TaskResult> await(long id) {
    return ends.await(new TaskId(id), WAIT);
  }

  /** The task's end is applied here; its token is its number. */
  private void done(long id) {
    bench.other(
        new TaskCommand.Reports(worker, List.of(new Report.Done(id, new byte[] {(byte) id}))));
  }

  private static Reason reason(CompletionStage<?> answer) {
    return SubmissionsTest.failure(answer.toCompletableFuture()).reason();
  }

  @Test
  void whoWaitsHearsWhenItIsApplied() {
    long id = bench.submitted("t");
    CompletableFuture<TaskResult> one = await(id);
    CompletableFuture<TaskResult> other = await(id);
    CompletableFuture<TaskResult> another = await(bench.submitted("t"));
    assertEquals(ReadConsistency.SEQUENTIAL, bench.asked.peek().consistency());
    while (bench.answerNext() != null) {}
    assertFalse(one.isDone());
    done(id);
    assertFalse(one.isDone(), "not on the replica's thread");
    bench.run();
    assertEquals(TaskState.SUCCEEDED, SubmissionsTest.now(one).state());
    assertEquals(id, SubmissionsTest.now(one).value()[0]);
    assertNull(SubmissionsTest.now(one).error());
    assertEquals(1, SubmissionsTest.now(one).attempts());
    assertTrue(other.isDone());
    assertFalse(another.isDone());
  }

  @Test
  void whatIsOverAlreadyIsAskedFor() {
    long id = bench.submitted("t");
    bench.other(new TaskCommand.Cancel(id));
    CompletableFuture<TaskResult> answer = await(id);
    bench.answerNext();
    assertEquals(TaskState.CANCELLED, SubmissionsTest.now(answer).state());
    assertEquals("was called off", SubmissionsTest.now(answer).error());
  }

  @Test
  void whatEndsBetweenTheQuestionAndItsAnswerIsHeardOfOnce() {
    long id = bench.submitted("t");
    CompletableFuture<TaskResult> answer = await(id);
    done(id);
    bench.answerNext();
    bench.run();
    assertEquals(TaskState.SUCCEEDED, SubmissionsTest.now(answer).state());
  }

  /** Another node may know of a task that this one has not applied yet. */
  @Test
  void whatIsNotKnownHereIsAskedForAgainMoreCarefully() {
    CompletableFuture<TaskResult> answer = await(1);
    bench.answerNext();
    assertFalse(answer.isDone());
    assertEquals(ReadConsistency.LINEARIZABLE, bench.asked.peek().consistency());
    long id = bench.submitted("t");
    bench.answerNext();
    assertFalse(answer.isDone());
    done(id);
    bench.run();
    assertEquals(TaskState.SUCCEEDED, SubmissionsTest.now(answer).state());
  }

  @Test
  void whatNobodyKnowsIsRefused() {
    CompletableFuture<TaskResult> answer = await(77);
    bench.answerNext();
    bench.answerNext();
    assertEquals(Reason.INVALID, reason(answer));
    assertEquals(
        "task 77 is not known, or not any more", SubmissionsTest.failure(answer).getMessage());
  }

  @Test
  void whoHasWaitedLongEnoughIsToldSoAndOthersWaitOn() {
    long id = bench.submitted("t");
    CompletableFuture<TaskResult> one = await(id);
    CompletableFuture<TaskResult> other = ends.await(new TaskId(id), WAIT.multipliedBy(2));
    bench.pass(WAIT.toMillis() - 1);
    assertFalse(one.isDone());
    bench.pass(1);
    assertEquals(Reason.TIMEOUT, reason(one));
    assertEquals(Outcome.MAY_HAVE_HAPPENED, SubmissionsTest.failure(one).outcome());
    assertFalse(other.isDone());
    done(id);
    bench.run();
    assertTrue(other.isDone());
    bench.pass(WAIT.toMillis() * 3);
    assertEquals(TaskState.SUCCEEDED, SubmissionsTest.now(other).state());
  }

  @Test
  void whoHasHeardIsNotWokenAnyMore() {
    CompletableFuture<TaskResult> answer = await(bench.submitted("t"));
    assertEquals(1, bench.timers);
    done(1);
    assertEquals(0, bench.timers);
    bench.run();
    assertTrue(answer.isDone());
  }

  @Test
  void soManyMayWaitAndWhoHasWaitedLongEnoughDoesNotCount() {
    long id = bench.submitted("t");
    for (int i = 0; i < 8 * Limits.PENDING_REQUESTS; i++) {
      assertFalse(ends.await(new TaskId(id + i), WAIT).isDone());
    }
    assertEquals(Reason.OVERLOADED, reason(await(id)));
    bench.pass(WAIT.toMillis());
    assertFalse(await(id).isDone());
  }

  @Test
  void anEndThatASnapshotPassedOverIsAskedFor() {
    long id = bench.submitted("t");
    CompletableFuture<TaskResult> answer = await(id);
    while (bench.answerNext() != null) {}
    bench.leap(() -> done(id));
    bench.run();
    assertFalse(answer.isDone());
    assertEquals(ReadConsistency.LINEARIZABLE, bench.asked.peek().consistency());
    bench.answerNext();
    assertEquals(TaskState.SUCCEEDED, SubmissionsTest.now(answer).state());
  }

  @Test
  void aQuestionThatIsNotAnsweredIsAskedAgainAsLongAsSomebodyWaits() {
    CompletableFuture<TaskResult> answer = await(bench.submitted("t"));
    bench.asked.remove().answer().completeExceptionally(Bench.unknown());
    bench.run();
    assertFalse(answer.isDone());
    bench.pass(500);
    assertEquals(1, bench.asked.size());
    bench.asked.remove().answer().completeExceptionally(Bench.unknown());
    bench.pass(WAIT.toMillis());
    assertEquals(Reason.TIMEOUT, reason(answer));
    bench.asked.clear();
    bench.pass(10_000);
    assertEquals(0, bench.asked.size());
  }

  @Test
  void whoClosesSaysSo() {
    CompletableFuture<TaskResult> answer = await(bench.submitted("t"));
    ends.close();
    assertEquals(Reason.UNAVAILABLE, reason(answer));
    assertEquals(Reason.UNAVAILABLE, reason(await(1)));
  }
}
