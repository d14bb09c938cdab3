// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.lock.Fence;
import io.clowder.api.task.TaskFailure;
import io.clowder.api.task.TaskHandler;
import io.clowder.api.task.TaskRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One attempt: what its handler sees, and what is told of it. */
class RunTest {
  private final List<Report> told = new ArrayList<>();

  private Run run(TaskHandler handler) {
    return run(handler, Desk.request("t"));
  }

  private Run run(TaskHandler handler, TaskRequest request) {
    Attempt attempt =
        new Attempt(9, 7, 2, 1, new NodeId("n1"), "t", false, Desk.BEGIN, Desk.BEGIN, 0);
    return new Run(
        attempt,
        Task.submitted(7, Desk.work(request), Desk.BEGIN),
        new Roster.Entry(handler, List.of("t"), new Skill(0, 1_500), 0, 1),
        (run, report) -> told.add(report));
  }

  private Report.Threw threw() {
    return (Report.Threw) told.get(0);
  }

  @Test
  void whatAHandlerReturnsIsItsResult() {
    run(context -> new byte[] {5}).execute();
    assertEquals(5, ((Report.Done) told.get(0)).value()[0]);
    told.clear();
    run(context -> {
          throw new TaskFailure("no use");
        })
        .execute();
    assertEquals(new Report.Threw(9, "io.clowder.api.task.TaskFailure: no use", true), threw());
    told.clear();
    run(context -> {
          throw new StackOverflowError();
        })
        .execute();
    assertEquals(new Report.Threw(9, "java.lang.StackOverflowError", false), threw());
  }

  @Test
  void aResultThatIsTooLargeFailsForGoodAndALongErrorIsCut() {
    run(context -> new byte[Limits.TASK_BYTES + 1]).execute();
    assertEquals("its result has 65537 bytes, up to 65536 can be kept", threw().error());
    assertTrue(threw().isPermanent());
    told.clear();
    run(context -> {
          throw new IllegalStateException("x".repeat(5_000));
        })
        .execute();
    assertEquals(1_000, threw().error().length());
  }

  @Test
  void whoIsStoppedIsInterruptedAlsoBeforeItBegins() {
    boolean[] seen = new boolean[2];
    Run run =
        run(
            context -> {
              seen[0] = context.isCancelled();
              seen[1] = Thread.interrupted();
              return new byte[0];
            });
    run.stop(Run.Stop.REVOKED);
    run.execute();
    assertTrue(seen[0] && seen[1]);
    assertFalse(Thread.currentThread().isInterrupted());
  }

  @Test
  void whoIsStoppedInTheMiddleIsInterruptedOnceAndTheThreadIsCleanAfterwards() {
    Run[] run = new Run[1];
    run[0] =
        run(
            context -> {
              run[0].stop(Run.Stop.GIVEN_BACK);
              assertTrue(Thread.currentThread().isInterrupted());
              throw new InterruptedException();
            });
    run[0].execute();
    assertFalse(Thread.currentThread().isInterrupted());
    assertEquals(List.of(new Report.GivenBack(9, true)), told);
  }

  @Test
  void whatIsDoneAllTheSameWhenItIsToBeGivenBackIsDone() {
    Run run = run(context -> new byte[] {5});
    run.stop(Run.Stop.GIVEN_BACK);
    run.execute();
    assertTrue(told.get(0) instanceof Report.Done);
  }

  @Test
  void whatTookTooLongHasFailedWhateverItReturns() {
    Run run = run(context -> new byte[] {5});
    run.stop(Run.Stop.TIMED_OUT);
    run.stop(Run.Stop.GIVEN_BACK);
    run.execute();
    assertEquals(new Report.Threw(9, "took longer than 1,500 ms", false), threw());
  }

  @Test
  void whatIsOverIsToldOnceAndDoesNotBegin() {
    Run run =
        run(
            context -> {
              throw new AssertionError("it was given back before");
            });
    run.finish(new Report.GivenBack(9, true));
    run.execute();
    run.finish(new Report.Done(9, new byte[0]));
    assertEquals(List.of(new Report.GivenBack(9, true)), told);
    run.progress(0.5, "half");
    assertNull(run.takeProgress());
  }

  @Test
  void progressIsToldWhenThereIsSomethingNew() {
    Run run = run(context -> new byte[0]);
    assertNull(run.takeProgress());
    run.toBeTold();
    assertEquals(new Report.Progress(9, 0, ""), run.takeProgress());
    assertNull(run.takeProgress());
    run.progress(0.3333, "y".repeat(500));
    assertEquals(new Report.Progress(9, 333, "y".repeat(200)), run.takeProgress());
    for (double wrong : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> run.progress(wrong, ""));
    }
  }

  @Test
  void theFenceIsOfTheOrderingKeyOrTheTask() {
    assertEquals(new Fence("task/7", 9), run(context -> new byte[0]).fence());
    TaskRequest keyed = Desk.request("t").withOrderingKey("k");
    assertEquals(new Fence("task/t:k", 9), run(context -> new byte[0], keyed).fence());
    assertEquals(2, run(context -> new byte[0]).attempt());
  }
}
