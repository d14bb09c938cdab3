// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.task.TaskState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** This node as a worker, with everything in an order that is seldom. */
class StationTest {
  private static final long CLIENT = 7;

  private final Bench bench = new Bench();
  private final List<Run> runs = new ArrayList<>();
  private final Station station =
      new Station(bench, bench.machine, Bench.N1, bench, runs::add, CLIENT, Bench.setting(2));
  private final Roster.Entry handler = entry(0, "t");

  private static Roster.Entry entry(long timeoutMillis, String... patterns) {
    return new Roster.Entry(
        context -> new byte[] {5}, List.of(patterns), new Skill(0, timeoutMillis), 0, 1);
  }

  private void start() {
    station.add(handler);
    station.start();
    bench.applyAll();
  }

  private Run run(int index) {
    return runs.get(index);
  }

  private static TaskCommand.Announce announce(TaskCommand command) {
    return (TaskCommand.Announce) command;
  }

  private Worker worker() {
    Worker worker = bench.machine.board().floor().worker(Bench.N1);
    if (worker == null) {
      throw new AssertionError("the cluster does not know this node");
    }
    return worker;
  }

  /** Of a token that came and went in what a snapshot passed over, nobody else frees the slot. */
  @Test
  void whatWasGivenAndTakenBackWhileItWasBehindHasNoSlot() {
    start();
    bench.leap(
        () -> {
          long id = bench.submitted("t");
          bench.other(new TaskCommand.Cancel(id));
        });
    assertEquals(1, worker().given().size());
    bench.run();
    bench.applyAll();
    assertEquals(0, worker().given().size());
    assertEquals(0, runs.size());
  }

  /** Whose announcement is heard only when it has closed is nobody who could run anything. */
  @Test
  void anAnnouncementThatIsHeardTooLateIsTakenBack() {
    station.add(handler);
    station.start();
    Runnable answer = bench.applyUnanswered();
    station.close(Duration.ZERO);
    answer.run();
    bench.applyAll();
    assertEquals(null, bench.machine.board().floor().worker(Bench.N1));
  }

  // ---- the usual -------------------------------------------------------------------------------

  @Test
  void itTellsWhatItCanRunsWhatItIsGivenAndTellsWhatCameOfIt() {
    station.add(handler);
    assertEquals(0, bench.sent.size(), "it has not begun");
    station.start();
    TaskCommand.Announce announce = announce(bench.applyNext());
    assertEquals(2, announce.slots());
    assertEquals(Set.of("t"), announce.skills().keySet());
    long id = bench.submitted("t");
    assertEquals(1, runs.size());
    run(0).execute();
    assertEquals(TaskState.ASSIGNED, bench.task(id).state());
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(id).state());
    assertEquals(5, bench.task(id).value()[0]);
  }

  @Test
  void handlersThatComeWhileItIsToldGoTogetherAfterwards() {
    start();
    station.add(entry(0, "u"));
    station.add(entry(0, "v"));
    station.add(entry(0, "w"));
    assertEquals(1, bench.sent.size());
    bench.applyNext();
    assertEquals(Set.of("t", "u", "v", "w"), announce(bench.applyNext()).skills().keySet());
    assertEquals(0, bench.sent.size());
  }

  /** More than the others would take are not told of, rather than none. */
  @Test
  void ofTooManyHandlersTheFirstAreTold() {
    start();
    String[] many = new String[Limits.TASK_HANDLERS];
    Arrays.setAll(many, i -> "many/" + (100_000 + i));
    station.add(entry(0, many));
    bench.applyAll();
    assertEquals(Limits.TASK_HANDLERS, worker().skills().size());
    assertFalse(worker().skills().containsKey("t"), "the last of all");
  }

  @Test
  void whatItIsGivenBeforeItsAnnouncementIsAnsweredIsRunAndToldOf() {
    long id = bench.submitted("t");
    station.add(handler);
    station.start();
    Runnable answer = bench.applyUnanswered();
    assertEquals(1, runs.size());
    run(0).execute();
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(id).state());
    answer.run();
    bench.submitted("t");
    assertEquals(2, runs.size());
    assertEquals(0, bench.sent.size());
  }

  // ---- pauses ----------------------------------------------------------------------------------

  @Test
  void whileNoEntriesComeItIsGivenNothing() {
    start();
    long first = bench.submitted("t");
    station.add(entry(0, "u"));
    CompletableFuture<?> told = station.pause();
    assertEquals(2, announce(bench.applyNext()).slots(), "was on its way");
    assertFalse(told.isDone());
    assertEquals(0, announce(bench.applyNext()).slots());
    assertTrue(told.isDone());
    long second = bench.submitted("t");
    run(0).execute();
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(first).state());
    assertEquals(TaskState.READY, bench.task(second).state());

    station.resume();
    bench.applyAll();
    assertEquals(2, runs.size());
    assertEquals(TaskState.ASSIGNED, bench.task(second).state());
  }

  /** What could not be told before may be what keeps it from being told of the pause. */
  @Test
  void aPauseIsToldThoughWhatWasToldBeforeFailed() {
    start();
    station.add(entry(0, "u"));
    CompletableFuture<?> told = station.pause();
    bench.lose();
    assertFalse(told.isDone());
    assertEquals(0, announce(bench.applyNext()).slots());
    assertTrue(told.isDone());
  }

  @Test
  void whoCannotTellOfItsPauseSaysSo() {
    start();
    CompletableFuture<?> told = station.pause();
    bench.lose();
    assertTrue(told.isDone());
    station.resume();
    bench.applyAll();
    assertEquals(2, worker().slots());
  }

  /** What a closed worker would tell is not waited for. */
  @Test
  void aPauseOfWhatIsOverTakesNoTime() {
    start();
    bench.isPrompt = true;
    station.close(Duration.ZERO);
    assertTrue(station.pause().isDone());
  }

  @Test
  void whatWasNotAnsweredIsToldAgain() {
    station.add(handler);
    station.start();
    bench.lose();
    bench.pass(1_999);
    assertEquals(0, bench.sent.size());
    bench.pass(1);
    bench.applyNext();
    assertEquals(2, worker().slots());
  }

  @Test
  void whatLastsIsToldToRunAndHowFarItIs() {
    start();
    long id = bench.submitted("t");
    bench.pass(249);
    assertEquals(0, bench.sent.size());
    bench.pass(1);
    bench.applyAll();
    assertEquals(TaskState.RUNNING, bench.task(id).state());
    bench.pass(10_000);
    assertEquals(0, bench.sent.size(), "there is nothing new");
    run(0).progress(0.25, "a quarter");
    run(0).progress(0.5, "half");
    bench.pass(250);
    bench.applyAll();
    Report.Progress told = worker().progress(bench.task(id).token());
    assertEquals(new Report.Progress(bench.task(id).token(), 500, "half"), told);
  }

  @Test
  void aReportThatIsNotHeardIsSentAgainAndOthersWaitForIt() {
    start();
    long first = bench.submitted("t");
    long second = bench.submitted("t");
    run(0).execute();
    bench.lose();
    run(1).execute();
    assertEquals(0, bench.sent.size());
    bench.pass(100);
    bench.lose();
    bench.pass(199);
    assertEquals(0, bench.sent.size(), "it waits longer each time");
    bench.pass(1);
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(first).state());
    assertEquals(TaskState.SUCCEEDED, bench.task(second).state());
  }

  @Test
  void aReportThatWasHeardTwiceCountsOnce() {
    start();
    bench.submitted("t");
    run(0).execute();
    bench.applyUnanswered();
    bench.other(new TaskCommand.Reports(1, List.of(new Report.Done(1, new byte[0]))));
    assertEquals(1, bench.machine.board().counters().succeeded());
    assertEquals(0, worker().given().size());
  }

  @Test
  void whatTakesTooLongIsInterruptedAndFails() {
    station.add(entry(1_000, "t"));
    station.start();
    bench.applyAll();
    long id = bench.submitted("t");
    bench.pass(999);
    bench.applyAll();
    assertFalse(run(0).isCancelled());
    bench.pass(1);
    assertTrue(run(0).isCancelled());
    run(0).execute();
    assertFalse(Thread.interrupted(), "the next task must not find it");
    bench.applyAll();
    assertEquals("took longer than 1,000 ms", bench.task(id).error());
    assertEquals(1, bench.task(id).failures());
  }

  @Test
  void whatIsCalledOffIsInterruptedAndItsSlotFreeWhenItIsThrough() {
    start();
    bench.submitted("t");
    bench.submitted("t");
    long third = bench.submitted("t");
    bench.other(new TaskCommand.Cancel(1));
    assertTrue(run(0).isCancelled());
    assertFalse(run(1).isCancelled());
    assertEquals(TaskState.READY, bench.task(third).state());
    run(0).finish(new Report.Threw(1, "interrupted", false));
    bench.applyAll();
    assertEquals(TaskState.ASSIGNED, bench.task(third).state());
  }

  // ---- lost and found --------------------------------------------------------------------------

  @Test
  void whoIsTakenForDeadStopsAndBeginsAnewWithFewerSlotsUntilItsThreadsAreThrough() {
    start();
    long id = bench.submitted("t");
    bench.other(new TaskCommand.Evict(worker().number));
    assertTrue(run(0).isCancelled());
    assertEquals(1, announce(bench.applyNext()).slots(), "one thread is still at work");
    assertEquals(2, worker().number);
    assertEquals(2, runs.size(), "it was given the task again");
    run(0).finish(new Report.Done(run(0).attempt.token(), new byte[0]));
    assertEquals(2, announce(bench.applyNext()).slots());
    assertEquals(TaskState.ASSIGNED, bench.task(id).state(), "what is lost is not told");
    run(1).execute();
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(id).state());
  }

  @Test
  void anAnswerThatComesAfterItsWorkerWasLostIsOfNoUse() {
    station.add(handler);
    station.start();
    Runnable answer = bench.applyUnanswered();
    bench.other(new TaskCommand.Evict(1));
    answer.run();
    bench.applyAll();
    assertEquals(2, worker().number);
    long id = bench.submitted("t");
    run(0).execute();
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(id).state());
  }

  /** What it lost still has its thread, whatever the late answer says. */
  @Test
  void anAnswerThatComesLateDoesNotGiveBackASlotThatIsTaken() {
    bench.submitted("t");
    station.add(handler);
    station.start();
    Runnable answer = bench.applyUnanswered();
    bench.other(new TaskCommand.Evict(1));
    answer.run();
    assertEquals(1, announce(bench.applyNext()).slots());
  }

  @Test
  void whatIsLostIsNotToldUnderTheNextNumber() {
    start();
    bench.submitted("t");
    bench.submitted("t");
    run(0).execute();
    run(1).execute(); // The first is on its way, this one waits for that.
    bench.other(new TaskCommand.Evict(1));
    bench.lose();
    bench.applyAll();
    bench.pass(100);
    while (!bench.sent.isEmpty()) {
      TaskCommand.Reports reports = (TaskCommand.Reports) bench.applyNext();
      assertEquals(List.of(1L), reports.reports().stream().map(Report::token).toList());
    }
    assertEquals(3, runs.size(), "one at a time: they may be the cause");
    bench.other(new TaskCommand.Evict(2));
    run(2).execute();
    while (bench.sent.peek().command() instanceof TaskCommand.Announce) {
      bench.applyNext();
      if (bench.sent.isEmpty()) {
        run(3).execute();
      }
    }
    TaskCommand.Reports reports = (TaskCommand.Reports) bench.applyNext();
    assertEquals(3, reports.worker());
    assertEquals(
        List.of(run(3).attempt.token()), reports.reports().stream().map(Report::token).toList());
  }

  @Test
  void whoseSessionIsOverBeginsAnew() {
    start();
    bench.submitted("t");
    bench.endSession(1);
    assertTrue(run(0).isCancelled());
    bench.applyAll();
    assertEquals(2, worker().number);
  }

  @Test
  void whoIsReplacedByALaterStartRunsNothingMore() {
    start();
    bench.apply(new TaskCommand.Announce(8, 1, Bench.N1, 1, Desk.skills("t"), new TreeMap<>()), 2);
    bench.applyAll();
    assertEquals(8, worker().client);
    station.add(entry(0, "u"));
    assertEquals(0, bench.sent.size());
  }

  @Test
  void anInstanceThatIsNotHeardStopsWhatItRuns() {
    start();
    long id = bench.submitted("t");
    bench.pass(250);
    bench.applyAll();
    bench.isHeard = false;
    bench.pass(250);
    assertTrue(run(0).isCancelled());
    run(0).finish(new Report.Threw(1, "interrupted", false));
    bench.applyAll();
    assertEquals(2, bench.task(id).attempts(), "it was given back, and taken again");
    assertEquals(0, bench.task(id).failures());
  }

  // ---- a replica that begins anew --------------------------------------------------------------

  @Test
  void whatTheLogTellsAgainIsNotRunAgain() {
    start();
    bench.submitted("t");
    run(0).execute();
    bench.applyAll();
    long second = bench.submitted("t");
    for (int from = 0; from <= bench.log.size(); from++) {
      bench.replay(from);
      assertEquals(2, runs.size(), "from " + from);
      assertFalse(run(1).isCancelled(), "from " + from);
      assertEquals(0, bench.sent.size(), "from " + from);
    }
    run(1).execute();
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(second).state());
  }

  @Test
  void thatItWasLostOnceIsToldAgainAndChangesNothing() {
    start();
    bench.submitted("t");
    bench.other(new TaskCommand.Evict(1));
    run(0).finish(new Report.Done(1, new byte[0]));
    bench.applyAll();
    bench.other(new TaskCommand.Evict(2));
    run(1).finish(new Report.Done(2, new byte[0]));
    bench.applyAll();
    assertEquals(3, worker().number);
    for (int from = 0; from <= bench.log.size(); from++) {
      bench.replay(from);
      assertFalse(run(2).isCancelled(), "from " + from);
      assertEquals(0, bench.sent.size(), "from " + from);
    }
    run(2).execute();
    bench.applyAll();
    assertEquals(1, bench.machine.board().counters().succeeded());
  }

  @Test
  void whatItWasGivenWhileItSleptIsBegunAndWhatWasTakenIsStopped() {
    start();
    bench.submitted("t");
    bench.leap(
        () -> {
          bench.other(new TaskCommand.Cancel(1));
          bench.submitted("t");
        });
    assertTrue(run(0).isCancelled());
    assertEquals(2, runs.size());
    assertEquals(2, run(1).id().number());
    run(1).execute();
    run(0).finish(new Report.Threw(1, "interrupted", false));
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(2).state());
    assertEquals(0, worker().given().size());
  }

  @Test
  void whoWasLostWhileItSleptBeginsAnew() {
    start();
    bench.submitted("t");
    bench.leap(() -> bench.other(new TaskCommand.Evict(1)));
    assertTrue(run(0).isCancelled());
    bench.applyAll();
    assertEquals(2, worker().number);
  }

  /** The first entry after a snapshot is as new as any. */
  @Test
  void whoIsLostRightAfterItSleptBeginsAnew() {
    start();
    bench.submitted("t");
    bench.leap(() -> bench.other(new TaskCommand.Tick()));
    assertFalse(run(0).isCancelled());
    bench.other(new TaskCommand.Evict(1));
    assertTrue(run(0).isCancelled());
    bench.applyAll();
    assertEquals(2, worker().number);
  }

  // ---- handlers that go ------------------------------------------------------------------------

  @Test
  void whatIsGivenForAHandlerThatIsGoneIsGivenBackAtOnce() {
    start();
    station.remove(handler, Duration.ZERO);
    assertEquals(Set.of("t"), worker().skills().keySet(), "the cluster does not know yet");
    long id = bench.submitted("t");
    assertEquals(0, runs.size());
    bench.applyAll();
    assertEquals(TaskState.READY, bench.task(id).state());
    assertEquals(Set.of(), worker().skills().keySet());
    assertEquals(0, worker().given().size());
  }

  @Test
  void whatRunsMayEndWhenItsHandlerGoes() {
    start();
    long id = bench.submitted("t");
    bench.hook =
        command -> {
          if (command instanceof TaskCommand.Announce) {
            run(0).execute();
          }
        };
    station.remove(handler, Duration.ofMinutes(1));
    bench.hook = command -> {};
    assertFalse(run(0).isCancelled());
    bench.applyAll();
    assertEquals(TaskState.SUCCEEDED, bench.task(id).state());
  }

  @Test
  void whatDoesNotEndIsInterruptedAndGivenBackAndOthersAreNot() {
    Roster.Entry other = entry(0, "u");
    station.add(other);
    start();
    long id = bench.submitted("t");
    bench.submitted("u");
    station.remove(handler, Duration.ZERO);
    assertTrue(run(0).isCancelled());
    assertFalse(run(1).isCancelled());
    bench.applyAll();
    assertEquals(TaskState.READY, bench.task(id).state());
    assertEquals(0, bench.task(id).failures());
    run(0).execute();
    bench.applyAll();
    assertEquals(TaskState.READY, bench.task(id).state(), "that it is done now comes too late");
  }

  // ---- the end ---------------------------------------------------------------------------------

  @Test
  void whoClosesTakesNoMoreGivesBackAndLeaves() {
    start();
    long id = bench.submitted("t");
    List<TaskCommand> told = new ArrayList<>();
    bench.hook = told::add;
    bench.isPrompt = true;
    station.close(Duration.ZERO);
    assertEquals(0, announce(told.get(0)).slots());
    assertTrue(run(0).isCancelled());
    assertEquals(TaskState.READY, bench.task(id).state());
    assertEquals(0, bench.task(id).crashes());
    assertNull(bench.machine.board().floor().worker(Bench.N1));
    bench.submitted("t");
    bench.pass(60_000);
    assertEquals(1, runs.size());
  }

  @Test
  void whoClosesLetsEndWhatRuns() {
    start();
    long id = bench.submitted("t");
    bench.isPrompt = true;
    bench.hook =
        command -> {
          if (command instanceof TaskCommand.Announce) {
            run(0).execute();
          }
        };
    station.close(Duration.ofMinutes(1));
    assertEquals(TaskState.SUCCEEDED, bench.task(id).state());
    assertNull(bench.machine.board().floor().worker(Bench.N1));
  }

  /** Who is let end must hear, too, that somebody else may be given its task soon. */
  @Test
  void whoClosesAndIsNotHeardStopsWhatItRuns() {
    start();
    bench.submitted("t");
    bench.pass(250);
    bench.applyAll();
    bench.isPrompt = true;
    boolean[] isCancelled = new boolean[1];
    bench.hook =
        command -> {
          if (command instanceof TaskCommand.Announce) {
            bench.pass(500);
            assertFalse(run(0).isCancelled());
            bench.isHeard = false;
            bench.pass(500);
            isCancelled[0] = run(0).isCancelled();
          }
        };
    station.close(Duration.ZERO);
    assertTrue(isCancelled[0]);
  }

  @Test
  void whoWasNeverKnownLeavesNothing() {
    station.add(handler);
    bench.isPrompt = true;
    station.close(Duration.ZERO);
    assertEquals(0, bench.log.size());
  }
}
