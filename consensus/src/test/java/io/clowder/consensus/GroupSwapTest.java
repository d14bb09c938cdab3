// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.failure;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.protocol.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Swaps on a node alone; what happens between several is the simulator's. */
class GroupSwapTest {
  private static final Duration DEADLINE = Duration.ofSeconds(8);

  private final List<String> progress = new ArrayList<>();

  private static OneNode serving() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1);
    node.protocol.opensWithNothing = true;
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    return node;
  }

  private CompletionStage<Swap> swap(OneNode node, Successor successor) {
    CompletionStage<Swap> swap = node.group.swap(successor, progress::add, DEADLINE);
    node.settle();
    return swap;
  }

  private static Successor other() {
    return Successor.of("other", new TreeMap<>());
  }

  @Test
  void theGroupGoesOnInTheNextSegment() {
    OneNode node = serving();
    node.submit("a");
    node.settle();
    node.group.addProtocol("other", node.protocol);
    CompletionStage<Swap> swap = swap(node, other());
    node.pass(Duration.ofMillis(100));

    // 1 is the protocol's own, 2 opened the session, 3 is "a", 4 prepared.
    assertEquals(new Swap(1, "other", 5, 0), done(swap));
    assertEquals(
        List.of(
            "prepared other (segment 1) on n1",
            "stand-by 1/1",
            "stand-by 1/1, leader n1",
            "sealed at 5",
            "serving, gap 0 ms"),
        progress);
    assertEquals("other", node.status().protocol());
    assertEquals(1, node.status().segment());
    assertEquals("other", node.group.protocol());

    CompletionStage<Committed> next = node.submit("b");
    node.settle();
    assertEquals(7, done(next).position(), "6 is the new protocol's own");
    assertEquals("3:a 7:b ", node.diary.lines());
  }

  @Test
  void theSealedJournalGoesWhenASnapshotCoversIt() {
    OneNode node = serving();
    done(swapTwice(node));
    assertEquals(List.of("main/2"), node.storage.journals("main"));
    assertEquals(2, node.status().segment());
    assertTrue(node.status().snapshot() >= 4, "snapshot at " + node.status().snapshot());
  }

  private CompletionStage<Swap> swapTwice(OneNode node) {
    swap(node, Successor.same());
    node.pass(Duration.ofSeconds(2));
    CompletionStage<Swap> second = swap(node, Successor.same());
    node.pass(Duration.ofSeconds(2));
    return second;
  }

  @Test
  void aRestartAfterTheSealGoesThroughBothJournals() {
    OneNode first = serving();
    first.submit("a");
    swap(first, Successor.same());
    first.pass(Duration.ofMillis(100));
    first.submit("b");
    first.settle();
    assertEquals(0, first.status().snapshot(), "no snapshot yet");
    assertEquals(List.of("main/0", "main/1"), first.storage.journals("main"));

    first.storage.crash();
    OneNode node = new OneNode(first.storage, "instant", N1);
    node.protocol.opensWithNothing = true;
    node.group.addProtocol("instant", node.protocol);
    node.pass(Duration.ofMillis(100));
    assertEquals(List.of(), node.status().problems());
    assertEquals(1, node.status().segment());
    assertTrue(node.diary.lines().startsWith(first.diary.lines()), node.diary.lines());
    CompletionStage<Committed> next = node.submit("c");
    node.settle();
    assertEquals("did c", text(done(next).result()));
  }

  @Test
  void anUnknownProtocolIsRefusedWithTheNamesOfThoseThatLackIt() {
    OneNode node = serving();
    long applied = node.status().applied();
    CompletionStage<Swap> swap = swap(node, other());
    node.settle();
    CoordinationException refused = failure(swap);
    assertEquals(Reason.UNAVAILABLE, refused.reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, refused.outcome());
    assertEquals(
        "refused, nothing has changed; 1 of 1 must be able to take part: n1: no provider of"
            + " protocol 'other' is active",
        refused.getMessage());
    assertEquals(applied, node.status().applied());
    assertEquals(0, node.status().segment());
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    OneNode node = serving();
    Address address = new Address("127.0.0.1", 9);
    assertRefused("n2 is not a member; members are n1", node, Successor.removing(N2));
    assertRefused("n1 is a member already; remove it first", node, Successor.adding(N1, address));
    assertRefused("the last member cannot be removed", node, Successor.removing(N1));
    assertRefused(
        "127.0.0.1:1024 is the address of another member",
        node,
        Successor.adding(N2, new Address("127.0.0.1", 1024)));
  }

  private void assertRefused(String message, OneNode node, Successor successor) {
    CoordinationException refused = failure(swap(node, successor));
    assertEquals(Reason.INVALID, refused.reason());
    assertEquals(Outcome.DID_NOT_HAPPEN, refused.outcome());
    assertEquals(message, refused.getMessage());
  }

  @Test
  void whoeverIsToJoinMustAnswer() {
    OneNode node = serving();
    CompletionStage<Swap> swap = swap(node, Successor.adding(N2, new Address("127.0.0.1", 9)));
    node.pass(Duration.ofMillis(2_100));
    CoordinationException refused = failure(swap);
    assertEquals(
        "refused, nothing has changed; whoever joins, and 2 of 2 must be able to take part:"
            + " n2 does not answer",
        refused.getMessage());
    assertEquals("", node.status().transition());
  }

  @Test
  void aStandByThatIsNotReadyInTimeIsAbandonedAndTheGroupGoesOn() {
    OneNode node = serving();
    node.group.addProtocol("other", new InstantProtocol());
    CompletionStage<Swap> swap = swap(node, other());
    node.pass(Duration.ofMillis(100));
    assertEquals("to other (segment 1): stand-by 1/1", node.status().transition());

    CompletionStage<Swap> second = swap(node, Successor.same());
    assertEquals(Reason.CONFLICT, failure(second).reason());
    node.pass(DEADLINE);
    CoordinationException failed = failure(swap);
    assertEquals(Outcome.DID_NOT_HAPPEN, failed.outcome());
    assertEquals(
        "abandoned, the group goes on as before: other (segment 1) did not stand by within 6000"
            + " ms; no leader was found",
        failed.getMessage());
    assertEquals("", node.status().transition());
    assertEquals("instant", node.status().protocol());

    CompletionStage<Committed> after = node.submit("a");
    node.settle();
    assertEquals("did a", text(done(after).result()));
    CompletionStage<Swap> third = swap(node, Successor.same());
    node.pass(Duration.ofMillis(100));
    assertEquals(2, done(third).segment(), "a number that was given up is not used again");
  }

  @Test
  void aReadThatWaitsForTheOldSegmentIsAnsweredByTheNext() {
    OneNode node = serving();
    node.protocol.refuses = true;
    CompletionStage<byte[]> read = node.query(ReadConsistency.LINEARIZABLE);
    node.settle();
    assertFalse(read.toCompletableFuture().isDone());
    node.protocol.refuses = false;
    swap(node, Successor.same());
    node.pass(Duration.ofMillis(100));
    assertEquals("", text(done(read)));
  }

  @Test
  void aProviderThatCameLaterServesTheNextSegmentAndTheOldOneMayGo() {
    OneNode node = serving();
    InstantProtocol newer = new InstantProtocol();
    newer.opensWithNothing = true;
    node.group.addProtocol("instant", newer);
    node.submit("a");
    node.settle();
    assertEquals(0, newer.opened);
    swap(node, Successor.same());
    node.pass(Duration.ofMillis(100));
    assertEquals(1, newer.opened);

    CompletionStage<Void> left = node.group.removeProtocol("instant", node.protocol);
    node.pass(Duration.ofMillis(100));
    done(left);
    assertTrue(node.status().snapshot() > 0, "what the old one held is in a snapshot");
    int seen = node.protocol.events.size();
    CompletionStage<Committed> next = node.submit("b");
    node.settle();
    assertEquals("did b", text(done(next).result()));
    assertEquals(seen, node.protocol.events.size());
  }

  /** Though it is another segment that goes on, and the bundle never comes back. */
  @Test
  void machinesThatWereToldToPauseAreToldWhenTheNextSegmentGoesOn() {
    OneNode node = serving();
    InstantProtocol next = new InstantProtocol();
    next.leads = false;
    next.opensWithNothing = true;
    node.group.addProtocol("other", next);
    swap(node, other());
    node.pass(Duration.ofMillis(100));
    node.diary.isReady = new CompletableFuture<>();
    node.protocol.resigns = false;
    CompletionStage<Void> left = node.group.removeProtocol("instant", node.protocol);
    node.pass(Duration.ofMillis(40));
    assertEquals(1, node.diary.paused);
    assertEquals(0, node.diary.resumed);
    next.leads = true;
    node.pass(Duration.ofMillis(100));
    assertEquals("other", node.status().protocol());
    assertEquals(1, node.diary.resumed);
    node.pass(Duration.ofSeconds(1));
    done(left);
    assertEquals(1, node.diary.resumed);
  }

  @Test
  void theLeaderStandsForTheNextSegmentToo() {
    OneNode node = serving();
    InstantProtocol next = new InstantProtocol();
    next.leads = false;
    node.group.addProtocol("other", next);
    swap(node, other());
    node.pass(Duration.ofMillis(40));
    assertTrue(next.events.stream().anyMatch(Event.Campaign.class::isInstance));
  }

  @Test
  void aListenerThatFailsHarmsNobody() {
    OneNode node = serving();
    CompletionStage<Swap> swap =
        node.group.swap(
            Successor.same(),
            line -> {
              throw new IllegalStateException(line);
            },
            DEADLINE);
    CompletionStage<Committed> beside = node.submit("a");
    node.pass(Duration.ofMillis(100));
    assertEquals(1, done(swap).segment());
    assertEquals("did a", text(done(beside).result()));
  }

  @Test
  void aStandByThatBreaksLeavesTheGroupAlone() {
    OneNode node = serving();
    InstantProtocol next = new InstantProtocol();
    next.broken = new AssertionError("not today");
    node.group.addProtocol("other", next);
    CompletionStage<Swap> swap = swap(node, other());
    node.pass(Duration.ofMillis(100));
    assertEquals(
        List.of("swap: other (segment 1) fails in stand-by: java.lang.AssertionError: not today"),
        node.status().problems());
    assertEquals("leader", node.status().role());
    node.pass(DEADLINE);
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(swap).outcome());
    CompletionStage<Committed> after = node.submit("a");
    node.settle();
    assertEquals("did a", text(done(after).result()));
  }

  /**
   * The Abandon waits for the disk when a later leader, who has it in its log, sees the stand-by.
   */
  @Test
  void aSealThatAnAbandonCameBeforeEndsNothing() {
    OneNode node = serving();
    InstantProtocol next = new InstantProtocol();
    next.needsNoDisk = true;
    next.leads = false;
    node.group.addProtocol("other", next);
    CompletionStage<Swap> swap = swap(node, other());
    node.pass(Duration.ofMillis(5_960));
    assertEquals("to other (segment 1): stand-by 1/1", node.status().transition());
    tick(node, 10);
    node.protocol.leads = false;
    tick(node, 1);
    node.protocol.leads = true;
    next.leads = true;
    tick(node, 5);
    node.settle();
    assertEquals(Outcome.DID_NOT_HAPPEN, failure(swap).outcome());

    CompletionStage<Committed> after = node.submit("a");
    CompletionStage<byte[]> read = node.query(ReadConsistency.LINEARIZABLE);
    node.settle();
    assertEquals("did a", text(done(after).result()));
    assertTrue(read.toCompletableFuture().isDone());
  }

  /** Time passes, and the disk of journals does nothing. */
  private static void tick(OneNode node, int times) {
    for (int i = 0; i < times; i++) {
      node.now += 20 * Workbench.MILLIS;
      node.work();
      node.background.runAll();
    }
  }

  @Test
  void aClosedGroupSwapsNoMore() {
    OneNode node = serving();
    node.group.close();
    node.pass(Duration.ofSeconds(1));
    CompletionStage<Swap> late = node.group.swap(Successor.same(), progress::add, DEADLINE);
    node.settle();
    assertEquals(Reason.UNAVAILABLE, failure(late).reason());
  }
}
