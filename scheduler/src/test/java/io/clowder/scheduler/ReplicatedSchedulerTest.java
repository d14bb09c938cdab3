// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.ScheduleStatus;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What users are answered. */
class ReplicatedSchedulerTest {
  private final Bench bench = new Bench();
  private final ReplicatedScheduler scheduler =
      new ReplicatedScheduler(
          bench, bench.machine, Bench.N1, Bench.setting(1), bench, run -> {}, 7);

  @BeforeEach
  void prompt() {
    bench.isPrompt = true;
  }

  private <T> T get(CompletionStage<T> stage) {
    bench.run();
    return SubmissionsTest.now(stage.toCompletableFuture());
  }

  private Reason reason(CompletionStage<?> stage) {
    bench.run();
    return SubmissionsTest.failure(stage.toCompletableFuture()).reason();
  }

  @Test
  void aTaskIsTakenShownListedAndCalledOff() {
    TaskId id = get(scheduler.submit(Desk.request("t").withDedupeKey("k").withPriority(7)));
    assertEquals(id, get(scheduler.submit(Desk.request("t").withDedupeKey("k"))));
    TaskStatus status = get(scheduler.status(id));
    assertEquals(TaskState.READY, status.state());
    assertEquals("no node has a handler for t", status.why());
    assertEquals(7, status.priority());
    assertEquals("k", status.dedupeKey());
    assertNull(status.node());
    assertNull(status.due());
    assertEquals(List.of(status), get(scheduler.list(TaskState.READY, "*", null, 10)));
    assertEquals(List.of(), get(scheduler.list(null, null, id, 10)));
    assertTrue(get(scheduler.cancel(id)));
    assertFalse(get(scheduler.cancel(id)));
    assertTrue(get(scheduler.retry(id)));
    assertFalse(get(scheduler.forget(id)));
  }

  @Test
  void aScheduleIsWhatItWasMadeAs() {
    Schedule schedule =
        Schedule.of(
                "s",
                new Trigger.Cron("0 3 * * *", ZoneOffset.UTC),
                Desk.request("t").withLabel("gpu", "yes").withOrderingKey("o"))
            .withMisfire(Schedule.Misfire.CATCH_UP, 7)
            .withJitter(Duration.ofSeconds(9));
    assertTrue(get(scheduler.schedule(schedule)));
    assertFalse(get(scheduler.schedule(schedule)));
    ScheduleStatus status = get(scheduler.schedules(null, 10)).get(0);
    assertEquals(schedule.trigger(), status.schedule().trigger());
    assertEquals(schedule.misfire(), status.schedule().misfire());
    assertEquals(7, status.schedule().catchUp());
    assertEquals(schedule.overlap(), status.schedule().overlap());
    assertEquals(schedule.jitter(), status.schedule().jitter());
    assertEquals(schedule.request().labels(), status.schedule().request().labels());
    assertEquals("o", status.schedule().request().orderingKey());
    assertEquals(0, String.valueOf(status.next()).indexOf("2023-11-15T03:00"));
    assertTrue(get(scheduler.unschedule("s")));
  }

  /** It has passed its last instant, and is still there to be looked at. */
  @Test
  void aScheduleWithoutMoreInstantsIsPausedAndCannotGoOn() {
    Schedule over =
        Schedule.of("s", new Trigger.Cron("0 0 31 2 *", ZoneOffset.UTC), Desk.request("t"));
    bench.other(new TaskCommand.Arrange(Shows.plan(over, 1_000, Plan.NEVER, Plan.NEVER)));
    assertTrue(get(scheduler.pauseSchedule("s", true)));
    assertEquals(Reason.INVALID, reason(scheduler.pauseSchedule("s", false)));
    assertFalse(get(scheduler.pauseSchedule("x", false)));
  }

  /** A wait that makes no sense, or an instant beyond all calendars, fails the stage. */
  @Test
  void whatMakesNoSenseFailsTheStageAndThrowsNothing() {
    CompletionStage<?> wait = scheduler.result(new TaskId(1), Duration.ofSeconds(-1));
    CompletionStage<?> list = scheduler.list(null, "a*b", null, 10);
    CompletionStage<?> page = scheduler.list(null, null, null, 0);
    CompletionStage<?> pause = scheduler.pause("", true);
    CompletionStage<?> schedule =
        scheduler.schedule(Schedule.of("s", new Trigger.At(Instant.MAX), Desk.request("t")));
    CompletionStage<?> cron =
        scheduler.schedule(
            Schedule.of("s", new Trigger.Cron("* * *", ZoneOffset.UTC), Desk.request("t")));
    CompletionStage<?> fire = scheduler.fireNow("s");
    CompletionStage<?> status = scheduler.status(new TaskId(99));
    for (CompletionStage<?> it : List.of(wait, list, page, pause, schedule, cron, fire, status)) {
      assertEquals(Reason.INVALID, reason(it));
    }
    assertEquals(new TreeMap<>(), bench.machine.board().plans().all());
  }
}
