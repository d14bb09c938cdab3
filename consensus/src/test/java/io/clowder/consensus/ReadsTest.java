// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.MILLIS;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.N3;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.failure;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.StateMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadsTest {
  private static final long DEADLINE = 5_000 * MILLIS;

  private final Workbench.Caller caller = new Workbench.Caller();
  private final Track track = new Track();
  private final Reads reads = new Reads(track, caller.requests, caller.completions);
  private final List<Reads.Query> queries = new ArrayList<>();

  /** The road to the leader, as the test lays it. */
  private static final class Track implements Reads.Road {
    final List<Long> barriers = new ArrayList<>();
    final List<String> sent = new ArrayList<>();
    final Diary diary = new Diary();
    boolean leads = true;
    @Nullable NodeId leader;
    boolean isComing;
    long applied;
    private long tickets;

    @Override
    public boolean leads() {
      return leads;
    }

    @Override
    public @Nullable NodeId leader() {
      return leader;
    }

    @Override
    public void barrier(long ticket) {
      barriers.add(ticket);
    }

    @Override
    public void send(NodeId to, GroupMessage message) {
      sent.add(to + " " + message);
    }

    @Override
    public long applied() {
      return applied;
    }

    @Override
    public @Nullable StateMachine machine(String name) {
      return name.equals("diary") ? diary : null;
    }

    @Override
    public boolean isComing(String name) {
      return isComing;
    }

    @Override
    public long ticket() {
      return ++tickets;
    }

    void follow(@Nullable NodeId newLeader) {
      leads = false;
      leader = newLeader;
    }
  }

  /** Every place among the outstanding requests is given back, once. */
  @AfterEach
  void everyPlaceIsGivenBackOnce() {
    reads.failAll(null, "end of the test");
    caller.complete();
    queries.forEach(query -> assertTrue(query.result.isDone()));
    caller.assertNothingHeld();
  }

  private Reads.Query query(String machine, String text) {
    caller.requests.admit(bytes(text).length);
    Reads.Query query = new Reads.Query(machine, bytes(text), DEADLINE, new CompletableFuture<>());
    queries.add(query);
    return query;
  }

  private Reads.Query ask() {
    Reads.Query query = query("diary", "all");
    reads.add(query);
    return query;
  }

  private void run() {
    reads.run();
    caller.complete();
  }

  @Test
  void whoeverLeadsNoMoreCallsNobodyBack() {
    List<Long> confirmed = new ArrayList<>();
    track.leads = true;
    reads.whenLeading(confirmed::add);
    reads.start(0);
    reads.ready(1, track.applied + 1);
    run();
    track.leads = false;
    reads.restart();
    track.applied++;
    run();
    assertEquals(List.of(), confirmed);
  }

  @Test
  void aQueryWaitsForItsBarrierAndForThePosition() {
    track.applied = 9;
    Reads.Query query = ask();
    assertTrue(reads.start(0));
    assertEquals(List.of(1L), track.barriers);
    run();
    assertFalse(query.result.isDone(), "before the barrier");
    reads.ready(1, 10);
    run();
    assertFalse(query.result.isDone(), "before the position");
    track.applied = 10;
    run();
    assertEquals("", text(done(query.result)));
  }

  @Test
  void queriesThatCameTogetherShareABarrier() {
    Reads.Query one = ask();
    Reads.Query two = ask();
    reads.start(0);
    assertFalse(reads.start(0), "nothing waits");
    reads.ready(1, 0);
    run();
    assertEquals(List.of(1L), track.barriers);
    assertTrue(one.result.isDone() && two.result.isDone());
  }

  @Test
  void aBarrierThatStartedBeforeNeverAnswers() {
    Reads.Query early = ask();
    reads.start(0);
    Reads.Query late = ask();
    reads.ready(1, 0);
    run();
    assertTrue(early.result.isDone());
    assertFalse(late.result.isDone());
    reads.start(0);
    assertEquals(List.of(1L, 2L), track.barriers);
    reads.ready(1, 0);
    run();
    assertFalse(late.result.isDone(), "the first barrier again");
    reads.ready(2, 0);
    run();
    assertTrue(late.result.isDone());
  }

  @Test
  void whoWaitsForLeadershipSharesTheBarrierAndGetsItsPosition() {
    List<Long> confirmed = new ArrayList<>();
    Reads.Query query = ask();
    reads.whenLeading(confirmed::add);
    reads.start(0);
    reads.ready(1, 4);
    run();
    assertEquals(List.of(), confirmed);
    track.applied = 5;
    run();
    assertEquals(List.of(4L), confirmed);
    assertTrue(query.result.isDone());
  }

  @Test
  void aRefusedBarrierIsReplacedByTheNext() {
    List<Long> confirmed = new ArrayList<>();
    reads.whenLeading(confirmed::add);
    Reads.Query query = ask();
    reads.start(0);
    reads.refused(1);
    reads.ready(1, 0);
    run();
    assertFalse(query.result.isDone());
    assertTrue(reads.start(0));
    reads.ready(2, 0);
    run();
    assertTrue(query.result.isDone());
    assertEquals(List.of(), confirmed, "leadership was refused in between");
  }

  @Test
  void aFollowerAsksTheLeader() {
    track.follow(N2);
    Reads.Query query = ask();
    reads.start(0);
    assertEquals(List.of("n2 ReadAt[id=1]"), track.sent);
    assertEquals(List.of(), track.barriers);
    reads.ready(1, 0);
    run();
    assertTrue(query.result.isDone());
  }

  @Test
  void withoutALeaderQueriesWaitForOne() {
    List<Long> confirmed = new ArrayList<>();
    track.follow(null);
    Reads.Query query = ask();
    reads.whenLeading(confirmed::add);
    assertFalse(reads.start(0));
    track.leads = true;
    assertTrue(reads.start(0));
    reads.ready(1, 0);
    run();
    assertTrue(query.result.isDone());
    assertEquals(List.of(), confirmed);
  }

  @Test
  void aNewLeaderIsAskedAnewAndTheOldAnswerIsVoid() {
    track.follow(N2);
    Reads.Query query = ask();
    reads.start(0);
    track.follow(N3);
    reads.restart();
    reads.ready(1, 0);
    run();
    assertFalse(query.result.isDone());
    reads.start(0);
    assertEquals(List.of("n2 ReadAt[id=1]", "n3 ReadAt[id=2]"), track.sent);
    reads.ready(2, 0);
    run();
    assertTrue(query.result.isDone());
  }

  @Test
  void aLostAnswerIsAskedForAgain() {
    track.follow(N2);
    Reads.Query query = ask();
    reads.start(0);
    reads.retry(500 * MILLIS);
    assertFalse(reads.start(500 * MILLIS));
    reads.retry(501 * MILLIS);
    assertTrue(reads.start(501 * MILLIS));
    reads.ready(1, 0);
    run();
    assertFalse(query.result.isDone(), "the answer that was given up");
    reads.ready(2, 0);
    run();
    assertTrue(query.result.isDone());
  }

  @Test
  void aLeaderWaitsForItsCore() {
    ask();
    reads.start(0);
    reads.retry(60_000 * MILLIS);
    assertFalse(reads.start(60_000 * MILLIS));
  }

  @Test
  void aConfirmedQueryDoesNotWaitForALaterOne() {
    Reads.Query later = query("diary", "all");
    reads.addAt(20, later);
    Reads.Query sooner = query("diary", "all");
    reads.addAt(10, sooner);
    track.applied = 10;
    run();
    assertTrue(sooner.result.isDone());
    assertFalse(later.result.isDone());
  }

  @Test
  void whatIsPastItsDeadlineFailsWhereverItWaits() {
    Reads.Query underWay = ask();
    reads.start(0);
    Reads.Query confirmed = query("diary", "all");
    reads.addAt(99, confirmed);
    Reads.Query waiting = ask();
    reads.expire(DEADLINE - 1, () -> ": quorum: 1 of 3");
    caller.complete();
    assertFalse(waiting.result.isDone());
    reads.expire(DEADLINE, () -> ": quorum: 1 of 3");
    caller.complete();
    for (Reads.Query query : List.of(waiting, underWay, confirmed)) {
      CoordinationException failure = failure(query.result);
      assertEquals(Reason.TIMEOUT, failure.reason());
      assertEquals(Outcome.DID_NOT_HAPPEN, failure.outcome());
      assertEquals("no answer within the deadline: quorum: 1 of 3", failure.getMessage());
    }
    reads.ready(1, 0);
    track.applied = 99;
    run();
    assertEquals(0, caller.outstanding(), "left twice");
    assertTrue(reads.isEmpty());
  }

  @Test
  void aMachineThatGoesFailsItsOwnQueries() {
    Reads.Query gone = query("other", "all");
    reads.add(gone);
    Reads.Query stays = ask();
    reads.start(0);
    reads.failAll("other", "stopped");
    caller.complete();
    assertEquals(Reason.UNAVAILABLE, failure(gone.result).reason());
    reads.ready(1, 0);
    run();
    assertTrue(stays.result.isDone());
  }

  @Test
  void aQueryWaitsForAMachineThatIsOnlyJustComing() {
    track.isComing = true;
    Reads.Query early = query("diary", "all");
    reads.addAt(0, early);
    run();
    assertFalse(early.result.isDone());
    track.isComing = false;
    run();
    assertTrue(early.result.isDone());
  }

  @Test
  void everyAnswerOfTheMachineHasItsOutcome() {
    assertEquals(Reason.INVALID, answered("diary", "nonsense").reason());
    assertEquals("what is 'nonsense'?", answered("diary", "nonsense").getMessage());
    assertEquals(Reason.STATE_MACHINE_FAILED, answered("diary", "fail").reason());
    assertEquals(Reason.TOO_LARGE, answered("diary", "size " + (Limits.RESULT_BYTES + 1)).reason());
    assertEquals(Reason.UNAVAILABLE, answered("other", "all").reason());
    Reads.Query largest = query("diary", "size " + Limits.RESULT_BYTES);
    reads.addAt(0, largest);
    run();
    caller.complete();
    assertEquals(Limits.RESULT_BYTES, done(largest.result).length);
  }

  private CoordinationException answered(String machine, String text) {
    Reads.Query query = query(machine, text);
    reads.addAt(0, query);
    run();
    caller.complete();
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(query.result).outcome());
    return failure(query.result);
  }
}
