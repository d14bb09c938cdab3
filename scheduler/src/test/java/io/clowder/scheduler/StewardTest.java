// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the leader does of its own accord, and nobody else. */
class StewardTest {
  private final Bench bench = new Bench();
  private final Steward steward =
      new Steward(
          bench,
          new Asking(bench, Duration.ofSeconds(5)),
          bench.machine,
          Bench.N1,
          bench,
          Desk.QUEUE_MAX);

  private void happened(FailureEvent.Kind kind) {
    steward.happened(new FailureEvent(kind, Bench.N2, 1, Evidence.NONE, "", 0, 0));
  }

  private List<TaskCommand> sent() {
    return bench.sent.stream().map(Bench.Sent::command).toList();
  }

  private void submit(long notBefore) {
    Work work =
        Desk.work(Desk.request("t").withNotBefore(Instant.ofEpochMilli(Desk.BEGIN + notBefore)));
    bench.other(new TaskCommand.Submit(List.of(work), 1_000));
  }

  private void arrange(String name, Trigger trigger) {
    Schedule schedule =
        Schedule.of(name, trigger, Desk.request("t")).withOverlap(Schedule.Overlap.ALLOW);
    long next = Instants.first(trigger, bench.wallMillis());
    bench.other(new TaskCommand.Arrange(Shows.plan(schedule, Desk.AGING, next, next)));
  }

  private static Trigger every(long millis) {
    return new Trigger.FixedRate(
        Instant.ofEpochMilli(Desk.BEGIN + millis), Duration.ofMillis(millis));
  }

  // ---- time ------------------------------------------------------------------------------------

  @Test
  void timePassesInTheLogToTheMillisecondWhenSomethingIsDue() {
    steward.start();
    submit(1_000);
    bench.pass(999);
    assertEquals(List.of(), sent());
    bench.pass(1);
    assertEquals(List.of(new TaskCommand.Tick()), sent());
    bench.pass(10_000);
    assertEquals(1, bench.sent.size(), "one at a time");
    bench.applyNext();
    assertEquals(TaskState.READY, bench.task(1).state());
    bench.pass(10_000);
    assertEquals(List.of(), sent());
  }

  @Test
  void whatIsDueSoonerThanThoughtIsSeenInTime() {
    steward.start();
    bench.pass(20);
    submit(25); // It wanted to look again only at 50.
    bench.pass(5);
    assertEquals(1, bench.sent.size());
  }

  @Test
  void aTickThatIsLostIsRepeated() {
    steward.start();
    submit(10);
    bench.pass(10);
    bench.lose();
    bench.pass(50);
    assertEquals(List.of(new TaskCommand.Tick()), sent());
  }

  @Test
  void whoDoesNotLeadDoesNothingUntilItLeads() {
    bench.leader = Bench.N2;
    steward.start();
    submit(10);
    arrange("s", every(100));
    long worker = bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    happened(FailureEvent.Kind.SUSPECT);
    bench.pass(5_000);
    assertEquals(List.of(), sent());
    bench.leader = Bench.N1;
    bench.pass(50);
    assertTrue(sent().contains(new TaskCommand.Tick()));
    assertTrue(sent().contains(new TaskCommand.Evict(worker)));
    assertTrue(sent().stream().anyMatch(TaskCommand.Fire.class::isInstance));
  }

  @Test
  void whoHasClosedDoesNothing() {
    steward.start();
    submit(10);
    steward.close();
    happened(FailureEvent.Kind.SUSPECT);
    bench.pass(5_000);
    assertEquals(List.of(), sent());
  }

  // ---- schedules -------------------------------------------------------------------------------

  @Test
  void schedulesFireWhenTheyAreDueAllThatAreTogether() {
    steward.start();
    for (int i = 0; i < 3; i++) {
      arrange("s" + i, every(1_000));
    }
    bench.pass(999);
    assertEquals(List.of(), sent());
    bench.pass(1);
    TaskCommand.Fire fire = (TaskCommand.Fire) bench.applyNext();
    assertEquals(3, fire.firings().size());
    assertEquals(3, bench.machine.board().tasks().size());
    bench.pass(1_000);
    bench.applyAll();
    assertEquals(6, bench.machine.board().tasks().size());
  }

  /** Who led before had a clock that was ahead: the log's time is what counts. */
  @Test
  void whatHasComeByTheLogsClockFiresThoughThisOneIsBehind() {
    steward.start();
    arrange("s", every(3_000));
    bench.ahead(5_000);
    bench.pass(50);
    bench.applyAll();
    assertEquals(1, bench.machine.board().tasks().size());
  }

  @Test
  void moreThanGoTogetherGoOneAfterTheOther() {
    steward.start();
    for (int i = 0; i < 1_200; i++) {
      arrange("s" + i, every(1_000));
    }
    bench.pass(1_000);
    for (int size : List.of(500, 500, 200)) {
      assertEquals(size, ((TaskCommand.Fire) bench.applyNext()).firings().size());
    }
    assertEquals(List.of(), sent());
    assertEquals(Desk.QUEUE_MAX, bench.machine.board().tasks().size());
  }

  /** As an expression that was made by a node which understood it. */
  @Test
  void oneThatCannotBeWorkedOutDoesNotKeepBackTheOthers() {
    steward.start();
    Schedule schedule =
        Schedule.of("bad", new Trigger.Cron("*", ZoneOffset.UTC), Desk.request("t"));
    bench.other(
        new TaskCommand.Arrange(
            Shows.plan(schedule, Desk.AGING, Desk.BEGIN + 500, Desk.BEGIN + 500)));
    arrange("good", every(1_000));
    for (int i = 1; i <= 3; i++) {
      bench.pass(1_000);
      bench.applyAll();
      assertEquals(i, bench.machine.board().tasks().size());
    }
    assertTrue(bench.log.size() < 10, "nor does it fill the log: " + bench.log.size());
  }

  // ---- who is suspected ------------------------------------------------------------------------

  @Test
  void theWorkerOfASuspectedNodeLosesItsTasks() {
    long worker = bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    long id = bench.submitted("t");
    steward.start();
    happened(FailureEvent.Kind.SUSPECT);
    assertEquals(List.of(new TaskCommand.Evict(worker)), sent());
    bench.pass(200);
    assertEquals(1, bench.sent.size());
    bench.applyAll();
    assertEquals(TaskState.READY, bench.task(id).state());
    bench.pass(10_000);
    assertEquals(List.of(), sent());
  }

  @Test
  void anEvictionThatIsLostIsRepeatedUnlessTheNodeIsTrustedAgain() {
    long worker = bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    steward.start();
    happened(FailureEvent.Kind.SUSPECT);
    bench.lose();
    bench.pass(50);
    assertEquals(List.of(new TaskCommand.Evict(worker)), sent());
    happened(FailureEvent.Kind.TRUST);
    bench.lose();
    bench.pass(5_000);
    assertEquals(List.of(), sent());
  }

  /** It is heard by most, whatever this node thinks of it. */
  @Test
  void whoComesAfterTheSuspicionIsNotEvicted() {
    steward.start();
    bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    happened(FailureEvent.Kind.SUSPECT);
    bench.applyAll();
    bench.otherWorker(Bench.N2, 1, Desk.skills("t"));
    bench.pass(5_000);
    assertEquals(List.of(), sent());
    happened(FailureEvent.Kind.SUSPECT);
    assertEquals(List.of(new TaskCommand.Evict(2)), sent());
  }

  @Test
  void onlyTheWorkerOfThatNodeIsEvicted() {
    steward.start();
    bench.otherWorker(new NodeId("n3"), 1, Desk.skills("t"));
    happened(FailureEvent.Kind.SUSPECT);
    bench.pass(1_000);
    assertEquals(List.of(), sent());
  }
}
