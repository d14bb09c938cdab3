// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.commands;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.failure;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How commands end. After each test every place among the outstanding ones must be free again. */
class RequestsOutcomeTest {
  private static final long SESSION = 5;
  private static final long MUCH = 1 << 30;
  private static final long DEADLINE = 1_000;

  private final Workbench.Caller caller = new Workbench.Caller();
  private final Requests requests = caller.requests;
  private final List<Requests.Pending> submitted = new ArrayList<>();

  @BeforeEach
  void open() {
    caller.openSession(SESSION);
  }

  /** Whatever a test leaves pending is failed; then nothing may be held, nor be held twice. */
  @AfterEach
  void everyPlaceIsGivenBackOnce() {
    requests.failAll(null, "end of the test");
    caller.complete();
    submitted.forEach(pending -> assertTrue(pending.result.isDone(), text(pending.payload)));
    caller.assertNothingHeld();
    assertTrue(requests.isEmpty());
  }

  private Requests.Pending submit(String command) {
    Requests.Pending pending = caller.submit("kv", command, DEADLINE);
    submitted.add(pending);
    return pending;
  }

  private Requests.Pending send(String command) {
    Requests.Pending pending = submit(command);
    assertEquals(1, requests.take(0, MUCH).size());
    return pending;
  }

  private static Sessions.Result result(Sessions.Status status, long position) {
    return new Sessions.Result(status, position, bytes("r" + position));
  }

  private void expire(long now) {
    requests.expire(now, () -> ": quorum: 1 of 3");
  }

  private void applied(long sequence, long position) {
    requests.applied(SESSION, sequence, result(Sessions.Status.APPLIED, position), null);
    caller.complete();
  }

  private static void assertFailed(Requests.Pending pending, Reason reason, Outcome outcome) {
    CoordinationException failure = failure(pending.result);
    assertEquals(reason, failure.reason());
    assertEquals(outcome, failure.outcome());
  }

  @Test
  void aResultCompletesItsCommandOnce() {
    Requests.Pending pending = send("a");
    applied(1, 10);
    assertEquals(10, done(pending.result).position());
    assertEquals("r10", text(done(pending.result).result()));
    applied(1, 11);
    assertEquals(10, done(pending.result).position());
    assertEquals(0, caller.outstanding(), "left twice");
  }

  @Test
  void resultsOfOthersAreNotOurs() {
    Requests.Pending pending = send("a");
    requests.applied(SESSION + 1, 1, result(Sessions.Status.APPLIED, 9), null);
    applied(2, 10);
    applied(0, 10);
    assertFalse(pending.result.isDone());
    assertEquals(1, caller.outstanding());
  }

  @Test
  void completionsWaitForTheEndOfTheRound() {
    Requests.Pending pending = send("a");
    requests.applied(SESSION, 1, result(Sessions.Status.APPLIED, 10), null);
    assertFalse(pending.result.isDone());
    caller.completions.flush();
    assertFalse(pending.result.isDone(), "completed on the group's thread");
    caller.executor.runAll();
    assertTrue(pending.result.isDone());
  }

  @Test
  void aMachinesFailureIsTheCommandsOutcome() {
    Requests.Pending pending = send("a");
    requests.applied(
        SESSION, 1, result(Sessions.Status.FAILED, 10), new IllegalStateException("no such thing"));
    caller.complete();
    assertFailed(pending, Reason.STATE_MACHINE_FAILED, Outcome.MAY_HAVE_HAPPENED);
    assertEquals(
        "machine 'kv' failed on the command, on every node: "
            + "java.lang.IllegalStateException: no such thing",
        failure(pending.result).getMessage());
  }

  @Test
  void aResultThatIsNotKnownHereIsSaidToBe() {
    Requests.Pending pending = send("a");
    requests.applied(SESSION, 1, result(Sessions.Status.PENDING, 10), null);
    caller.complete();
    assertFailed(pending, Reason.UNAVAILABLE, Outcome.MAY_HAVE_HAPPENED);
  }

  @Test
  void whatWasNotSentDidNotHappen() {
    Requests.Pending fresh = submit("a");
    expire(DEADLINE - 1);
    caller.complete();
    assertFalse(fresh.result.isDone());
    expire(DEADLINE);
    caller.complete();
    assertFailed(fresh, Reason.TIMEOUT, Outcome.DID_NOT_HAPPEN);
    assertEquals(
        "not done within the deadline: quorum: 1 of 3", failure(fresh.result).getMessage());
    assertTrue(requests.take(DEADLINE, MUCH).isEmpty(), "sent after it was called off");
  }

  @Test
  void whatWasNumberedButNotSentDidNotHappen() {
    Requests.Pending numbered = submit("a");
    assertTrue(requests.take(0, 0).isEmpty());
    expire(DEADLINE);
    caller.complete();
    assertFailed(numbered, Reason.TIMEOUT, Outcome.DID_NOT_HAPPEN);
    assertTrue(requests.take(DEADLINE, MUCH).isEmpty(), "sent after it was called off");
  }

  @Test
  void whatWasSentMayHaveHappened() {
    Requests.Pending sent = send("a");
    expire(DEADLINE);
    caller.complete();
    assertFailed(sent, Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED);
    assertEquals(
        "no result within the deadline, it may still happen: quorum: 1 of 3",
        failure(sent.result).getMessage());
    requests.resend();
    assertTrue(requests.take(DEADLINE, MUCH).isEmpty(), "sent again after it was given up");
  }

  @Test
  void aLateResultCompletesNothingTwice() {
    Requests.Pending sent = send("a");
    expire(DEADLINE);
    applied(1, 10);
    assertFailed(sent, Reason.TIMEOUT, Outcome.MAY_HAVE_HAPPENED);
    assertEquals(0, caller.outstanding());
  }

  @Test
  void aMachineThatGoesFailsItsOwnCommands() {
    Requests.Pending sent = send("a");
    Requests.Pending other = caller.submit("lock", "b", DEADLINE);
    Requests.Pending fresh = submit("c");
    requests.failAll("kv", "stopped");
    caller.complete();
    assertFailed(sent, Reason.UNAVAILABLE, Outcome.MAY_HAVE_HAPPENED);
    assertFailed(fresh, Reason.UNAVAILABLE, Outcome.DID_NOT_HAPPEN);
    assertFalse(other.result.isDone());
    assertEquals("b", text(commands(requests.take(0, MUCH)).get(0).payload()));
  }

  @Test
  void afterTheEndOfASessionCommandsGoOnUnderTheNext() {
    Requests.Pending first = send("a");
    Requests.Pending second = submit("b");
    requests.ended(SESSION + 1);
    assertEquals(SESSION, requests.session().id(), "another's end");
    requests.ended(SESSION);
    assertEquals(0, requests.session().id());
    Envelope.Open open = (Envelope.Open) Envelope.decode(requests.take(1, MUCH).get(0));
    assertEquals(102, open.nonce(), "a new session has a new nonce");

    caller.openSession(20);
    List<Envelope.Command> sent = commands(requests.take(2, MUCH));
    assertEquals(List.of(1L, 2L), sent.stream().map(Envelope.Command::sequence).toList());
    assertEquals("a", text(sent.get(0).payload()));
    assertEquals(20, sent.get(0).session());
    applied(1, 10);
    assertFalse(first.result.isDone(), "a result of the session that ended");
    requests.applied(20, 1, result(Sessions.Status.APPLIED, 30), null);
    requests.applied(20, 2, result(Sessions.Status.APPLIED, 31), null);
    caller.complete();
    assertEquals(30, done(first.result).position());
    assertEquals(31, done(second.result).position());
  }

  @Test
  void whatWasSentUnderAnEndedSessionOnlyDidNotHappen() {
    Requests.Pending pending = send("a");
    requests.ended(SESSION);
    expire(DEADLINE);
    caller.complete();
    assertFailed(pending, Reason.TIMEOUT, Outcome.DID_NOT_HAPPEN);
  }

  @Test
  void aSnapshotHoldsTheResultsThatWereSkipped() {
    Requests.Pending skipped = send("a");
    Requests.Pending waiting = send("b");
    Requests.Pending fresh = submit("c");
    Sessions.Session known = new Sessions.Session(SESSION, N1, 101, 10_000);
    known.record(1, result(Sessions.Status.APPLIED, 10));
    requests.reconcile(table(known), 12);
    caller.complete();
    assertEquals(10, done(skipped.result).position());
    assertFalse(waiting.result.isDone());
    assertFalse(fresh.result.isDone());
    assertEquals(2, caller.outstanding());
    requests.resend();
    assertEquals(2, commands(requests.take(1, MUCH)).get(0).sequence());
  }

  @Test
  void aSessionThatEndedInWhatWasSkippedLeavesTheSentUnknown() {
    Requests.Pending sent = send("a");
    Requests.Pending fresh = submit("b");
    requests.reconcile(table(), 12);
    caller.complete();
    assertFailed(sent, Reason.SESSION_EXPIRED, Outcome.MAY_HAVE_HAPPENED);
    assertFalse(fresh.result.isDone());
    assertEquals(0, requests.session().id());
    caller.openSession(20);
    assertEquals("b", text(commands(requests.take(1, MUCH)).get(0).payload()));
  }

  @Test
  void anOlderSnapshotSaysNothingOfASessionOpenedLater() {
    Requests.Pending sent = send("a");
    requests.reconcile(table(), SESSION - 1);
    assertEquals(SESSION, requests.session().id());
    applied(1, 10);
    assertEquals(10, done(sent.result).position());
  }

  @Test
  void aSessionThatWasOpenedInWhatWasSkippedIsFound() {
    requests.ended(SESSION);
    Requests.Pending pending = submit("a");
    Sessions.Session other = new Sessions.Session(8, Workbench.N2, 55, 10_000);
    Sessions.Session ours = new Sessions.Session(9, N1, 102, 10_000);
    requests.reconcile(table(other, ours), 12);
    assertEquals(9, requests.session().id());
    assertEquals(9, commands(requests.take(0, MUCH)).get(0).session());
    assertFalse(pending.result.isDone());
  }

  private static Sessions table(Sessions.Session... all) {
    Sessions sessions = new Sessions();
    for (Sessions.Session session : all) {
      sessions.add(session);
    }
    return sessions;
  }
}
