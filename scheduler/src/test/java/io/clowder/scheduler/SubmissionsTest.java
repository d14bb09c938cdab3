// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** Submissions of one node: how they go together, and what becomes of each. */
class SubmissionsTest {
  private final Bench bench = new Bench();
  private final Submissions submissions = new Submissions(bench, bench, Bench.setting(2));
  private final List<CompletableFuture<TaskId>> answers = new ArrayList<>();

  private void submit(int count) {
    for (int i = 0; i < count; i++) {
      submit(Desk.request("t"));
    }
  }

  private void submit(TaskRequest request) {
    answers.add(submissions.submit(Desk.work(request)));
  }

  private CompletableFuture<TaskId> last() {
    submit(1);
    return answers.get(answers.size() - 1);
  }

  private List<Integer> onTheirWay() {
    return bench.sent.stream()
        .map(it -> ((TaskCommand.Submit) it.command()).works().size())
        .toList();
  }

  /** What is answered, and is so by now: a test must not wait for what does not come. */
  static <T> T now(CompletableFuture<T> answer) {
    assertTrue(answer.isDone(), "no answer yet");
    return answer.join();
  }

  static CoordinationException failure(CompletableFuture<?> answer) {
    assertTrue(answer.isCompletedExceptionally());
    return (CoordinationException) assertThrows(CompletionException.class, answer::join).getCause();
  }

  @Test
  void fewGoAtOnceAndTheOthersTogetherWhenOneIsAnswered() {
    submit(100);
    assertEquals(List.of(1, 1, 1, 1), onTheirWay());
    bench.applyNext();
    assertEquals(List.of(1, 1, 1, 96), onTheirWay());
    bench.applyAll();
    for (int i = 0; i < 100; i++) {
      assertEquals(i + 1, now(answers.get(i)).number());
    }
  }

  @Test
  void aBatchHasItsBounds() {
    submit(4 + 2_500);
    bench.applyNext();
    bench.applyNext();
    bench.applyNext();
    assertEquals(List.of(1, 1_000, 1_000, 500), onTheirWay());
    bench.applyAll();
    for (int i = 0; i < 200; i++) {
      submit(TaskRequest.of("t", new byte[Limits.TASK_BYTES]));
    }
    bench.applyAll();
    long largest = bench.log.stream().mapToLong(entry -> entry.command().length).max().getAsLong();
    assertTrue(largest > Limits.BATCH_BYTES / 2, "some go together: " + largest);
    assertTrue(largest <= Limits.BATCH_BYTES + Limits.TASK_BYTES + 1_000, "" + largest);
  }

  @Test
  void eachHearsOfItsOwnRefusal() {
    submit(120); // queue.max is 100.
    bench.applyAll();
    for (int i = 0; i < 120; i++) {
      if (i < 100) {
        assertEquals(i + 1, now(answers.get(i)).number());
      } else {
        CoordinationException refused = failure(answers.get(i));
        assertEquals(Reason.OVERLOADED, refused.reason());
        assertEquals(Outcome.DID_NOT_HAPPEN, refused.outcome());
        assertEquals(
            "100 tasks are not over, which is all there may be (queue.max)", refused.getMessage());
      }
    }
  }

  @Test
  void whoHasADedupeKeyIsGivenTheTaskThatHasIt() {
    TaskRequest request = Desk.request("t").withDedupeKey("k");
    submit(request);
    submit(request);
    submit(Desk.request("t").withDedupeKey("l"));
    submit(request.withPriority(9));
    bench.applyAll();
    assertEquals(List.of(1L, 1L, 2L, 1L), answers.stream().map(it -> now(it).number()).toList());
  }

  @Test
  void whenNobodyKnowsThatIsSaidAndTheNextGo() {
    submit(10);
    bench.lose();
    assertEquals(Outcome.MAY_HAVE_HAPPENED, failure(answers.get(0)).outcome());
    assertEquals(List.of(1, 1, 1, 6), onTheirWay());
  }

  @Test
  void moreThanMayWaitAreRefused() {
    submit(4 + Limits.PENDING_REQUESTS);
    assertEquals(Reason.OVERLOADED, failure(last()).reason());
    bench.applyNext();
    assertFalse(last().isDone());
  }

  @Test
  void whoClosesRefusesWhatWasNotSentAndStillAnswersWhatWas() {
    submit(6);
    submissions.close();
    for (int i : List.of(4, 5)) {
      assertEquals(Reason.UNAVAILABLE, failure(answers.get(i)).reason());
      assertEquals(Outcome.DID_NOT_HAPPEN, failure(answers.get(i)).outcome());
    }
    assertEquals(Reason.UNAVAILABLE, failure(last()).reason());
    bench.applyAll();
    assertEquals(4, now(answers.get(3)).number());
    assertEquals(4, bench.log.size());
  }
}
