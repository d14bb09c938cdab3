// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is answered to commands and questions. */
class TaskMachineTest {
  private final Bench bench = new Bench();

  private TaskAnswer ask(TaskQuestion question) {
    return TaskAnswer.decode(bench.machine.query(question.encode()));
  }

  private long submit(TaskRequest request) {
    TaskAnswer answer = bench.other(new TaskCommand.Submit(List.of(Desk.work(request)), 1_000_000));
    return ((TaskAnswer.Taken) answer).tickets().get(0).task();
  }

  private TaskAnswer.ShownTask show(long id) {
    return ((TaskAnswer.Shown) ask(new TaskQuestion.Show(id))).tasks().get(0);
  }

  private List<Long> list(@Nullable TaskState state, @Nullable String type, int limit) {
    List<Long> ids = new ArrayList<>();
    long after = 0;
    while (true) {
      TaskAnswer.Shown shown =
          (TaskAnswer.Shown) ask(new TaskQuestion.Page(state, type, after, limit));
      assertTrue(shown.tasks().size() <= limit);
      shown.tasks().forEach(it -> ids.add(it.task().id()));
      if (shown.seen() == 0) {
        return ids;
      }
      assertTrue(shown.seen() > after, "it goes on");
      after = shown.seen();
    }
  }

  /** What cannot be sent would be no answer. */
  @Test
  void theStatusOfVeryManyHandlersFits() {
    SortedMap<String, Skill> many = new TreeMap<>();
    for (int i = 0; i < Limits.TASK_HANDLERS; i++) {
      many.put("a23456789/".repeat(18) + (100_000 + i), new Skill(1, 0));
    }
    for (int i = 0; i < 20; i++) {
      bench.otherWorker(new NodeId("many" + i), 1, many);
    }
    byte[] answer = bench.machine.query(new TaskQuestion.Whole().encode());
    assertTrue(answer.length <= Limits.RESULT_BYTES, answer.length + " bytes");
    SystemStatus status = ((TaskAnswer.Whole) TaskAnswer.decode(answer)).status();
    assertEquals(20, status.nodes().size());
    int shown = status.nodes().get(0).handlers().size();
    assertTrue(shown > 200 && shown < many.size(), shown + " of one node");
  }

  @Test
  void whatATaskWaitsForIsSaid() {
    TaskRequest t = Desk.request("t");
    long timed = submit(t.withNotBefore(Instant.ofEpochMilli(Desk.BEGIN + 1_000)));
    assertEquals("waits for its time", show(timed).why());
    long first = submit(t.withOrderingKey("k"));
    long second = submit(t.withOrderingKey("k"));
    assertEquals("no node has a handler for t", show(first).why());
    assertEquals("another task with its ordering key is not over", show(second).why());
    long worker = bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    assertEquals("", show(first).why());
    assertEquals(Bench.N2, show(first).node());
    bench.other(new TaskCommand.Reports(worker, List.of(new Report.Progress(1, 250, "a quarter"))));
    assertEquals(250, show(first).permille());
    assertEquals("a quarter", show(first).note());
    bench.other(new TaskCommand.Reports(worker, List.of(new Report.Threw(1, "it threw", false))));
    assertEquals("is tried again after: it threw", show(first).why());
    assertNull(show(first).node());
    bench.other(new TaskCommand.Cancel(first));
    assertEquals("was called off", show(first).why());
  }

  @Test
  void tasksAreListedPageByPageByStateAndPattern() {
    for (int i = 0; i < 50; i++) {
      submit(Desk.request(List.of("a/b", "a/b/c", "z").get(i % 3)));
    }
    bench.other(new TaskCommand.Cancel(7));
    bench.other(new TaskCommand.Cancel(8));
    assertEquals(50, list(null, null, 7).size());
    assertEquals(List.of(7L, 8L), list(TaskState.CANCELLED, null, 1));
    assertEquals(List.of(7L), list(TaskState.CANCELLED, "a/*", 10));
    assertEquals(16, list(TaskState.READY, "a/*", 3).size());
    assertEquals(32, list(TaskState.READY, "a/**", 3).size());
    assertEquals(16, list(null, "z", 1_000).size());
  }

  @Test
  void aPageIsNoLongerThanAnAnswerMayBeAndEndsThoughNothingIsFound() {
    for (int i = 0; i < 100; i++) {
      submit(TaskRequest.of("t", new byte[Limits.TASK_BYTES]));
    }
    byte[] page = bench.machine.query(new TaskQuestion.Page(null, null, 0, 1_000).encode());
    assertTrue(page.length <= Limits.RESULT_BYTES, page.length + " bytes");
    assertEquals(100, list(null, null, 1_000).size());
    for (int i = 0; i < 25; i++) {
      List<Work> works = new ArrayList<>();
      for (int j = 0; j < 1_000; j++) {
        works.add(Desk.work(Desk.request("t")));
      }
      bench.other(new TaskCommand.Submit(works, 1_000_000));
    }
    TaskAnswer.Shown none =
        (TaskAnswer.Shown) ask(new TaskQuestion.Page(TaskState.DEAD, null, 0, 10));
    assertEquals(20_000, none.seen(), "one question looks at so many");
    assertEquals(List.of(), list(TaskState.DEAD, null, 10));
  }

  @Test
  void theWholeAtAGlance() {
    long worker = bench.otherWorker(Bench.N2, 3, Desk.skills("a", "b"));
    submit(Desk.request("a").withPriority(9));
    submit(Desk.request("a").withPriority(9).withRetry(Retry.NEVER));
    submit(Desk.request("b").withPriority(1));
    bench.pass(1_000);
    submit(Desk.request("b").withPriority(1));
    bench.pass(500);
    submit(Desk.request("c").withNotBefore(Instant.ofEpochMilli(Desk.BEGIN + 9_000)));
    bench.other(new TaskCommand.Pause("d", true));
    bench.other(
        new TaskCommand.Reports(
            worker, List.of(new Report.Done(1, new byte[0]), new Report.Threw(2, "no", false))));
    bench.other(new TaskCommand.Drain(Bench.N2, true));
    submit(Desk.request("b").withPriority(1));
    SystemStatus status = ((TaskAnswer.Whole) ask(new TaskQuestion.Whole())).status();
    assertEquals(4, status.tasks());
    assertEquals(2, status.results());
    assertEquals(6, status.submitted());
    assertEquals(1, status.succeeded());
    assertEquals(1, status.failed());
    assertEquals(
        List.of("b", "c", "d"), status.queues().stream().map(SystemStatus.Queue::type).toList());
    SystemStatus.Queue b = status.queues().get(0);
    assertEquals(List.of(0, 1, 2), List.of(b.waiting(), b.ready(), b.inFlight()));
    assertEquals("all nodes that could run it are drained", b.why());
    assertEquals(Duration.ZERO, b.oldestWait());
    assertEquals(1, status.queues().get(1).waiting());
    assertTrue(status.queues().get(2).isPaused());
    SystemStatus.Worker node = status.nodes().get(0);
    assertEquals(List.of(3, 2, true), List.of(node.slots(), node.inFlight(), node.isDrained()));
    assertEquals(Map.of("a", 0, "b", 0), node.handlers());
    assertEquals(List.of(2L, 1L), List.of(node.done(), node.failed()));
  }

  // ---- schedules -------------------------------------------------------------------------------

  private TaskAnswer arrange(String name) {
    Trigger trigger =
        new Trigger.FixedRate(Instant.ofEpochMilli(Desk.BEGIN), Duration.ofSeconds(1));
    Schedule schedule = Schedule.of(name, trigger, Desk.request("t"));
    return bench.other(
        new TaskCommand.Arrange(Shows.plan(schedule, 1_000, Desk.BEGIN, Desk.BEGIN)));
  }

  private Plan plan(String name) {
    return ((TaskAnswer.Schedules) ask(new TaskQuestion.OneSchedule(name))).plans().get(0);
  }

  @Test
  void aScheduleIsMadeChangedAndEnded() {
    assertEquals(new TaskAnswer.Is(true), arrange("s"));
    bench.other(
        new TaskCommand.Fire(
            List.of(new Firing("s", Desk.BEGIN, List.of(Desk.BEGIN), 3, 5, 6)), 10));
    assertEquals(new TaskAnswer.Is(false), arrange("s"));
    assertEquals(1, plan("s").fired(), "what was counted stays");
    assertEquals(3, plan("s").missed());
    assertEquals(Desk.BEGIN, plan("s").last());
    assertEquals(new TaskAnswer.Is(true), bench.other(new TaskCommand.Disband("s")));
    assertEquals(new TaskAnswer.Is(false), bench.other(new TaskCommand.Disband("s")));
    assertEquals(1, bench.machine.board().pending(), "its task goes on");
    assertEquals(Plan.NEVER, bench.machine.nextPlan());
  }

  @Test
  void aPausedScheduleGoesOnWithTheInstantThatIsSaid() {
    arrange("s");
    assertEquals(Desk.BEGIN, bench.machine.nextPlan());
    bench.other(new TaskCommand.PausePlan("s", true, 7, 8));
    assertEquals(Plan.NEVER, bench.machine.nextPlan());
    assertEquals(Desk.BEGIN, plan("s").next());
    bench.other(new TaskCommand.PausePlan("s", false, 7, 8));
    assertEquals(8, bench.machine.nextPlan());
    assertEquals(7, plan("s").next());
    assertEquals(new TaskAnswer.Is(false), bench.other(new TaskCommand.PausePlan("x", true, 7, 8)));
  }

  @Test
  void aScheduleMakesATaskWhenPeopleSay() {
    arrange("s");
    bench.pass(500);
    assertEquals(new TaskAnswer.Id(1), bench.other(new TaskCommand.FireNow("s", 1)));
    assertEquals("s", bench.task(1).work().schedule());
    assertEquals(Desk.BEGIN + 500, bench.task(1).work().notBefore());
    assertEquals(0, plan("s").fired(), "its instants are as they were");
    assertEquals(
        new TaskAnswer.Refused("1 tasks are not over, which is all there may be (queue.max)"),
        bench.other(new TaskCommand.FireNow("s", 1)));
    assertEquals(new TaskAnswer.Id(0), bench.other(new TaskCommand.FireNow("x", 1)));
  }

  @Test
  void schedulesAreListedByName() {
    for (String name : List.of("c", "a", "b")) {
      arrange(name);
    }
    TaskAnswer.Schedules page = (TaskAnswer.Schedules) ask(new TaskQuestion.Schedules("", 2));
    assertEquals(List.of("a", "b"), page.plans().stream().map(Plan::name).toList());
    page = (TaskAnswer.Schedules) ask(new TaskQuestion.Schedules("b", 2));
    assertEquals(List.of("c"), page.plans().stream().map(Plan::name).toList());
  }

  @Test
  void limitsAreAnswered() {
    TypeLimits limits = new TypeLimits(1, 2, 3);
    assertEquals(new TaskAnswer.Limited(TypeLimits.NONE), ask(new TaskQuestion.LimitsOf("t")));
    bench.other(new TaskCommand.Limit("t", limits));
    assertEquals(new TaskAnswer.Limited(limits), ask(new TaskQuestion.LimitsOf("t")));
  }

  // ---- faults ----------------------------------------------------------------------------------

  @Test
  void aQuestionThatIsNoneIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> bench.machine.query(new byte[] {77}));
  }

  /** An observer's fault is this node's own affair. */
  @Test
  void whoFallsOverWhatHeIsToldDoesNotChangeWhatIsApplied() {
    List<Long> told = new ArrayList<>();
    bench.machine.add(
        new Events() {
          @Override
          public void given(Worker worker, Attempt attempt, Task task) {
            throw new IllegalStateException("on purpose");
          }
        });
    bench.machine.add(
        new Events() {
          @Override
          public void given(Worker worker, Attempt attempt, Task task) {
            told.add(task.id());
          }
        });
    bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    long id = submit(Desk.request("t"));
    assertEquals(TaskState.ASSIGNED, bench.task(id).state());
    assertEquals(List.of(id), told);
    assertFalse(bench.machine.workers().isEmpty());
    assertEquals(new TreeMap<>(Map.of(1L, Bench.N2)), new TreeMap<>(bench.machine.workers()));
  }
}
