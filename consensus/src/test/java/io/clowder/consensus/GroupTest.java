// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.MILLIS;
import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.failure;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.protocol.Event;
import io.clowder.api.transport.Transport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** A group that serves, and one that cannot. */
class GroupTest {
  @Test
  void aCommandIsAppliedAndAnswered() {
    OneNode node = OneNode.serving();
    CompletionStage<Committed> first = node.submit("a");
    CompletionStage<Committed> second = node.submit("b");
    node.settle();
    assertEquals(2, done(first).position(), "after the opening of the session");
    assertEquals("did a", text(done(first).result()));
    assertEquals(3, done(second).position());
    assertEquals("2:a 3:b ", node.diary.lines());
  }

  @Test
  void nothingIsAppliedOrAnsweredBeforeItIsOnDisk() {
    OneNode node = OneNode.serving();
    CompletionStage<Committed> result = node.submit("a");
    node.work();
    node.work();
    assertEquals(1, node.disk.size(), "one write is under way");
    assertEquals("", node.diary.lines());
    assertFalse(result.toCompletableFuture().isDone());
    node.disk.runAll();
    node.work();
    assertEquals("2:a ", node.diary.lines());
    assertFalse(result.toCompletableFuture().isDone(), "completed on the group's thread");
    node.completions.runAll();
    assertEquals(2, done(result).position());
  }

  @Test
  void commandsThatComeTogetherAreOneSync() {
    OneNode node = OneNode.serving();
    node.submit("warm");
    node.settle();
    long before = node.status().syncs();
    for (int i = 0; i < 100; i++) {
      node.submit("x" + i);
    }
    node.settle();
    assertEquals(before + 1, node.status().syncs() - snapshotSyncs(node));
    assertEquals(102, node.status().applied());
  }

  /** A snapshot follows from so many entries; it costs the journal a sync of its own. */
  private static long snapshotSyncs(OneNode node) {
    return node.protocol.events.stream().filter(Event.Compacted.class::isInstance).count();
  }

  @Test
  void everyReadSeesWhatWasAnswered() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    for (ReadConsistency consistency : ReadConsistency.values()) {
      CompletionStage<byte[]> answer = node.query(consistency);
      node.settle();
      assertEquals("2:a ", text(done(answer)), consistency.name());
    }
  }

  @Test
  void aLocalReadNeedsNoLeader() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    node.protocol.leads = false;
    node.pass(Duration.ofMillis(100));
    CompletionStage<byte[]> linearizable = node.query(ReadConsistency.LINEARIZABLE);
    CompletionStage<byte[]> local = node.query(ReadConsistency.LOCAL);
    node.settle();
    assertEquals("2:a ", text(done(local)));
    assertFalse(linearizable.toCompletableFuture().isDone());
    node.protocol.leads = true;
    node.settle();
    assertEquals("2:a ", text(done(linearizable)));
  }

  @Test
  void entriesHaveTheLeadersTime() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    Event.Propose last =
        (Event.Propose)
            node.protocol.events.stream()
                .filter(Event.Propose.class::isInstance)
                .reduce((a, b) -> b)
                .orElseThrow();
    assertEquals(node.wallMillis, Envelope.time(last.commands().get(0)));
  }

  @Test
  void statusSaysWhatIs() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    GroupStatus status = node.status();
    assertEquals("main", status.group());
    assertEquals(N1, status.node());
    assertEquals("instant", status.protocol());
    assertEquals(0, status.segment());
    assertEquals("leader", status.role());
    assertEquals(N1, status.leader());
    assertEquals(1, status.term());
    assertEquals(2, status.committed());
    assertEquals(2, status.applied());
    assertEquals(0, status.snapshot());
    assertEquals(List.of(N1), List.copyOf(status.members().keySet()));
    assertEquals(List.of(), status.problems());
  }

  @Test
  void statusSaysWhatHoldsItUp() {
    OneNode node = OneNode.serving();
    node.protocol.waiting = "1 of 3 voters answers";
    node.wire.links.add(new Transport.Link(N2, false, 0, "connection refused", -1));
    node.group.addMachine("other", new Diary());
    node.submit("a");
    node.work();
    node.now += 3_000 * MILLIS;
    assertEquals(
        List.of(
            "quorum: 1 of 3 voters answers",
            "disk: a sync has not returned for 3 s",
            "bundle: machine 'other' is away; no snapshot can be made",
            "peer: n2 is not connected: connection refused"),
        node.status().problems());
  }

  @Test
  void withoutAProviderRequestsWaitAndSayWhy() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1);
    CompletionStage<Committed> command = node.submit("a");
    CompletionStage<byte[]> query = node.query(ReadConsistency.LINEARIZABLE);
    node.pass(OneNode.DEADLINE.minusMillis(1));
    String problem =
        "bundle: no provider of protocol 'instant' is active on n1; this node takes no"
            + " part until there is one";
    assertEquals(List.of(problem), node.status().problems());
    assertEquals("down", node.status().role());
    assertFalse(command.toCompletableFuture().isDone());
    node.pass(Duration.ofMillis(100));
    assertEquals(Reason.TIMEOUT, failure(command).reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(command).outcome());
    assertEquals("not done within the deadline: " + problem, failure(command).getMessage());
    assertEquals("no answer within the deadline: " + problem, failure(query).getMessage());
  }

  @Test
  void aCommandThatWasProposedInVainMayHaveHappened() {
    OneNode node = OneNode.serving();
    node.submit("warm");
    node.settle();
    CompletionStage<Committed> command = node.submit("a");
    node.work();
    node.now += OneNode.DEADLINE.toNanos();
    node.work();
    node.completions.runAll();
    assertEquals(Reason.TIMEOUT, failure(command).reason());
    assertEquals(Outcome.MAY_HAVE_HAPPENED, failure(command).outcome());
  }

  @Test
  void whatIsTooLargeIsRefusedAtOnce() {
    OneNode node = OneNode.serving();
    byte[] tooLarge = new byte[Limits.COMMAND_BYTES + 1];
    assertEquals(
        Reason.TOO_LARGE, failure(node.service.submit(tooLarge, OneNode.DEADLINE)).reason());
    CompletionStage<byte[]> query =
        node.service.query(tooLarge, ReadConsistency.LOCAL, OneNode.DEADLINE);
    assertEquals(Reason.TOO_LARGE, failure(query).reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(query).outcome());
  }

  @Test
  void tooManyRequestsAreRefusedUntilSomeAreDone() {
    OneNode node = OneNode.serving();
    for (int i = 0; i < Limits.PENDING_REQUESTS; i++) {
      node.submit("x");
    }
    assertEquals(Reason.OVERLOADED, failure(node.submit("one more")).reason());
    node.settle();
    CompletionStage<Committed> next = node.submit("again");
    node.settle();
    assertEquals("did again", text(done(next).result()));
  }

  @Test
  void aMachinesFailureIsTheCommandsFailure() {
    OneNode node = OneNode.serving();
    CompletionStage<Committed> failing = node.submit("fail");
    CompletionStage<Committed> next = node.submit("b");
    node.settle();
    CoordinationException failure = failure(failing);
    assertEquals(Reason.STATE_MACHINE_FAILED, failure.reason());
    assertTrue(failure.getMessage().endsWith("failed as told"), failure.getMessage());
    assertEquals("did b", text(done(next).result()));
  }

  @Test
  void theSessionIsRenewedWhileTheNodeLeads() {
    OneNode node = OneNode.serving();
    node.settle();
    assertEquals(1, node.service.session().id());
    node.pass(Duration.ofSeconds(60));
    assertEquals(1, node.service.session().id());
    assertTrue(node.service.session().isValid(node.now, node.wallMillis));
    assertTrue(node.service.session().isValid(node.now + 7_000 * MILLIS, node.wallMillis));
    assertFalse(node.service.session().isValid(node.now + 9_701 * MILLIS, node.wallMillis));
  }

  @Test
  void aRefusedBatchIsProposedAgain() {
    OneNode node = OneNode.serving();
    node.protocol.refuses = true;
    CompletionStage<Committed> command = node.submit("a");
    CompletionStage<byte[]> query = node.query(ReadConsistency.LINEARIZABLE);
    node.pass(Duration.ofMillis(100));
    assertFalse(command.toCompletableFuture().isDone());
    node.protocol.refuses = false;
    node.pass(Duration.ofMillis(40));
    assertEquals("did a", text(done(command).result()));
    assertTrue(query.toCompletableFuture().isDone());
    assertEquals(1, node.diary.lines().split("a", -1).length - 1, "applied once");
  }

  @Test
  void theProtocolIsToldWhomNobodyAnswersFor() {
    OneNode node = OneNode.serving();
    NodeId peer = new NodeId("n7");
    node.group.refused(peer);
    node.work();
    assertTrue(node.protocol.events.contains(new Event.Gone(peer)));
  }

  @Test
  void closingHandsOverFailsWhatWaitsAndClosesTheJournal() {
    OneNode node = OneNode.serving();
    node.submit("warm");
    node.settle();
    CompletionStage<Committed> sent = node.submit("a");
    node.work();
    CompletionStage<Void> closed = node.group.close();
    node.work();
    node.completions.runAll();
    assertTrue(node.protocol.events.stream().anyMatch(Event.Resign.class::isInstance));
    assertFalse(closed.toCompletableFuture().isDone(), "the disk is not done yet");
    node.pass(Duration.ofMillis(40));
    done(closed);
    assertTrue(sent.toCompletableFuture().isDone());
    assertFalse(node.storage.journal().open);
    assertNull(node.wire.receiver);

    CompletionStage<Committed> late = node.submit("b");
    CompletionStage<byte[]> lateQuery = node.query(ReadConsistency.LOCAL);
    node.settle();
    assertEquals(Reason.UNAVAILABLE, failure(late).reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(late).outcome());
    assertEquals("this node's consensus service was stopped", failure(lateQuery).getMessage());
  }

  @Test
  void aRequestAfterTheCloseFailsAtOnce() {
    OneNode node = OneNode.serving();
    CompletionStage<Void> closed = node.group.close();
    node.pass(Duration.ofMillis(40));
    done(closed);
    // Nobody turns the loop any more.
    assertEquals(Reason.UNAVAILABLE, failure(node.submit("a")).reason());
    assertEquals(Reason.UNAVAILABLE, failure(node.query(ReadConsistency.LOCAL)).reason());
    done(node.group.removeMachine("diary", node.diary));
    done(node.group.removeProtocol("instant", node.protocol));
  }

  @Test
  void aLeaderThatNobodySucceedsClosesAfterTwoElectionTimes() {
    OneNode node = OneNode.serving();
    node.protocol.resigns = false;
    CompletionStage<Void> closed = node.group.close();
    node.pass(Duration.ofMillis(780));
    assertFalse(closed.toCompletableFuture().isDone());
    node.pass(Duration.ofMillis(40));
    done(closed);
  }

  @Test
  void aBrokenInvariantStopsTheReplicaLoudly() {
    OneNode node = OneNode.serving();
    node.protocol.broken = new AssertionError("two leaders in term 3");
    CompletionStage<Committed> command = node.submit("a");
    node.settle();
    assertEquals("down", node.status().role());
    assertEquals(
        List.of("invariant: java.lang.AssertionError: two leaders in term 3"),
        node.status().problems());
    node.protocol.broken = null;
    node.pass(Duration.ofSeconds(6));
    assertEquals("down", node.status().role(), "it must not come back by itself");
    assertEquals(Reason.TIMEOUT, failure(command).reason());
    CompletionStage<byte[]> local =
        node.service.query(bytes("all"), ReadConsistency.LOCAL, OneNode.DEADLINE);
    node.settle();
    assertEquals("", text(done(local)));
  }
}
