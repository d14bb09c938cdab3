// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.protocol.Event;
import io.clowder.api.storage.Snapshots;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Bundles and nodes that go and come back, and the snapshots between. */
class GroupRecoveryTest {
  private static void submitAll(OneNode node, int count) {
    for (int i = 0; i < count; i++) {
      CompletionStage<Committed> result = node.submit("x");
      node.settle();
      done(result);
    }
  }

  private static CompletionStage<Void> removeProtocol(OneNode node) {
    CompletionStage<Void> left = node.group.removeProtocol("instant", node.protocol);
    node.pass(Duration.ofMillis(40));
    return left;
  }

  private static void addProtocol(OneNode node) {
    node.protocol.leads = true;
    node.group.addProtocol("instant", node.protocol);
    node.settle();
  }

  // --- the protocol's bundle --------------------------------------------------------------------

  @Test
  void aProtocolThatGoesLetsGoOfTheJournal() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    CompletionStage<Void> left = removeProtocol(node);
    done(left);
    assertFalse(node.storage.journal().open);
    assertEquals("down", node.status().role());
    assertTrue(node.protocol.events.stream().anyMatch(Event.Resign.class::isInstance));
    int before = node.protocol.events.size();
    node.pass(Duration.ofSeconds(1));
    assertEquals(before, node.protocol.events.size(), "stepped after it was let go");
  }

  @Test
  void machinesSayWhatTheyHaveToSayBeforeTheirProtocolGoes() {
    OneNode node = OneNode.serving();
    node.diary.isReady = new CompletableFuture<>();
    node.protocol.resigns = false;
    CompletionStage<Void> left = removeProtocol(node);
    assertEquals(1, node.diary.paused);
    CompletionStage<Committed> last = node.submit("last");
    node.settle();
    assertEquals("did last", text(done(last).result()));
    node.protocol.leads = false;
    node.pass(Duration.ofMillis(100));
    assertFalse(left.toCompletableFuture().isDone(), "a machine has not said so yet");
    node.diary.isReady.complete(null);
    node.pass(Duration.ofMillis(40));
    done(left);

    assertEquals(0, node.diary.resumed);
    addProtocol(node);
    node.pass(Duration.ofMillis(100));
    assertEquals(1, node.diary.resumed);
  }

  @Test
  void aMachineHoldsUpItsProtocolForASecondAtMost() {
    OneNode node = OneNode.serving();
    node.diary.isReady = new CompletableFuture<>();
    CompletionStage<Void> left = removeProtocol(node);
    node.pass(Duration.ofMillis(900));
    assertFalse(left.toCompletableFuture().isDone());
    node.pass(Duration.ofMillis(100));
    done(left);
  }

  @Test
  void recoveryIsReplayAndTheSessionGoesOn() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    removeProtocol(node);
    CompletionStage<Committed> meanwhile = node.submit("b");
    node.pass(Duration.ofSeconds(1));
    assertFalse(meanwhile.toCompletableFuture().isDone());

    addProtocol(node);
    assertEquals(2, node.protocol.opened);
    assertEquals("did b", text(done(meanwhile).result()));
    assertEquals("2:a 3:b ", node.diary.lines());
    assertEquals(1, node.service.session().id(), "the same session");
    assertEquals("leader", node.status().role());
  }

  @Test
  void whatWasOnItsWayIsAppliedOnce() {
    OneNode node = OneNode.serving();
    node.submit("warm");
    node.settle();
    CompletionStage<Committed> onItsWay = node.submit("a");
    node.work();
    node.group.removeProtocol("instant", node.protocol);
    node.pass(Duration.ofMillis(40));
    addProtocol(node);
    assertEquals("did a", text(done(onItsWay).result()));
    assertEquals("2:warm 3:a ", node.diary.lines());
  }

  @Test
  void aSessionSurvivesAReopeningFromAnOlderSnapshot() {
    OneNode first = OneNode.serving();
    submitAll(first, 11);
    first.storage.journal().crash();
    OneNode node = new OneNode(first.storage, "instant", N1);
    addProtocol(node);
    long session = node.service.session().id();
    assertTrue(session > node.status().snapshot(), "opened after the snapshot");

    done(removeProtocol(node));
    CompletionStage<Committed> meanwhile = node.submit("b");
    addProtocol(node);
    assertEquals(session, node.service.session().id());
    assertEquals("did b", text(done(meanwhile).result()));
    String onlyEnd = session + "-1 ";
    assertTrue(node.diary.lines().contains(onlyEnd), "the earlier life's session ended");
    assertEquals(1, node.diary.lines().replaceAll("[^-]", "").length(), "and no other");
  }

  @Test
  void sequentialReadsNeverGoBack() {
    OneNode node = OneNode.serving();
    node.submit("a");
    node.settle();
    done(removeProtocol(node));
    node.protocol.knowsDecided = false;
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    CompletionStage<byte[]> sequential = node.query(ReadConsistency.SEQUENTIAL);
    node.settle();
    assertEquals("2:a ", text(done(sequential)), "what was applied stays applied");
  }

  @Test
  void anotherProvidersGoingIsNotOurs() {
    OneNode node = OneNode.serving();
    done(removedOther(node));
    assertEquals("leader", node.status().role());
    assertEquals(0, node.diary.paused);
  }

  private static CompletionStage<Void> removedOther(OneNode node) {
    CompletionStage<Void> left = node.group.removeProtocol("instant", new InstantProtocol());
    node.settle();
    return left;
  }

  @Test
  void theJournalSaysWhichProtocolTheGroupHas() {
    OneNode first = OneNode.serving();
    first.submit("a");
    first.settle();
    first.storage.journal().crash();

    OneNode again = new OneNode(first.storage, "other", N1);
    again.group.addProtocol("other", new InstantProtocol());
    again.group.addProtocol("instant", again.protocol);
    again.settle();
    assertEquals("instant", again.group.protocol());
    assertEquals("2:a ", again.diary.lines().substring(0, 4));
  }

  @Test
  void aNewLifeOfTheNodeEndsItsOldSession() {
    OneNode first = OneNode.serving();
    first.submit("a");
    first.settle();
    first.storage.journal().crash();

    OneNode again = new OneNode(first.storage, "instant", N1);
    again.group.addProtocol("instant", again.protocol);
    again.settle();
    assertEquals("2:a 3-1 ", again.diary.lines());
    assertEquals(3, again.service.session().id());
  }

  // --- snapshots --------------------------------------------------------------------------------

  @Test
  void aSnapshotIsMadeAndTheCoreIsTold() {
    OneNode node = OneNode.serving();
    submitAll(node, 11);
    Snapshots.Snapshot made = node.storage.snapshots.latest;
    assertNotNull(made);
    assertEquals(12, made.position());
    assertTrue(node.protocol.events.contains(new Event.Compacted(12)));
    assertEquals(12, node.status().snapshot());
    List<String> calls = node.storage.journal().calls;
    assertTrue(calls.indexOf("trim 12") > calls.indexOf("append 12"), "the record first: " + calls);
  }

  @Test
  void aSnapshotIsMadeWhileEntriesGoOn() {
    OneNode node = OneNode.serving();
    submitAll(node, 10);
    CompletionStage<Committed> eleventh = node.submit("x");
    while (!eleventh.toCompletableFuture().isDone()) {
      node.work();
      node.disk.runAll();
      node.completions.runAll();
    }
    CompletionStage<Committed> during = node.submit("during");
    for (int i = 0; i < 4; i++) {
      node.work();
      node.disk.runAll();
      node.completions.runAll();
    }
    assertEquals(13, done(during).position());
    assertNull(node.storage.snapshots.latest, "the background has not run");
    node.settle();
    Snapshots.Snapshot made = node.storage.snapshots.latest;
    assertEquals(12, made.position());
    assertFalse(text(((MemoryStorage.Content) made).bytes()).contains("during"));
  }

  @Test
  void equalGroupsMakeEqualSnapshots() {
    OneNode one = OneNode.serving();
    OneNode two = OneNode.serving();
    submitAll(one, 11);
    submitAll(two, 11);
    assertArrayEquals(one.storage.snapshots.latest.bytes(), two.storage.snapshots.latest.bytes());
  }

  @Test
  void aNodeStartsFromItsSnapshotAndWhatFollowed() {
    OneNode first = OneNode.serving();
    submitAll(first, 15);
    String written = first.diary.lines();
    first.storage.journal().crash();

    OneNode again = new OneNode(first.storage, "instant", N1);
    again.group.addProtocol("instant", again.protocol);
    again.settle();
    assertEquals(written + "17-1 ", again.diary.lines());
    assertEquals(12, again.status().snapshot());
    assertEquals(1, again.diary.restored);
    submitAll(again, 1);
  }

  @Test
  void aSnapshotThatCannotBeMadeIsAProblemAndTriedAgain() {
    OneNode node = OneNode.serving();
    node.storage.snapshots.failure = new IOException("no space left");
    submitAll(node, 10);
    node.submit("x");
    for (int i = 0; i < 6; i++) {
      node.work();
      node.disk.runAll();
    }
    node.background.runAll();
    assertEquals(
        List.of("disk: a snapshot could not be made: no space left"), node.status().problems());
    node.storage.snapshots.failure = null;
    node.pass(Duration.ofSeconds(9));
    assertNull(node.storage.snapshots.latest, "tried over and over");
    node.pass(Duration.ofSeconds(1));
    assertEquals(List.of(), node.status().problems());
    assertNotNull(node.storage.snapshots.latest);
  }

  @Test
  void aLaggardTakesTheSnapshotOfAPeer() {
    OneNode source = new OneNode(new MemoryStorage(), "instant", N1, N2);
    addProtocol(source);
    submitAll(source, 11);
    MemoryStorage.Content snapshot = source.storage.snapshots.latest;

    OneNode laggard = follower();
    laggard.deliver(N2, 5, new GroupMessage.Offer(12, snapshot.size()));
    laggard.settle();
    assertTrue(laggard.wire.sent.contains("n2 Want[position=12, offset=0]"));
    int half = snapshot.bytes().length / 2;
    laggard.deliver(N2, 5, chunk(snapshot, 0, half));
    laggard.settle();
    assertTrue(laggard.wire.sent.contains("n2 Want[position=12, offset=" + half + "]"));
    laggard.deliver(N2, 5, chunk(snapshot, 0, half));
    laggard.deliver(N2, 5, chunk(snapshot, half, snapshot.bytes().length - half));
    laggard.settle();
    assertEquals(source.diary.lines().substring(0, 5), laggard.diary.lines().substring(0, 5));
    assertEquals(12, laggard.status().applied());
    assertTrue(
        laggard.protocol.events.stream()
            .anyMatch(e -> e instanceof Event.Installed i && i.slot() == 12));
  }

  @Test
  void whatWasAppliedWithinASnapshotIsAnswered() {
    OneNode source = new OneNode(new MemoryStorage(), "instant", N1, N2);
    addProtocol(source);
    for (int i = 0; i < 11; i++) {
      source.submit("c" + i);
    }
    source.settle();
    MemoryStorage.Content snapshot = source.storage.snapshots.latest;

    // The same node in another world: its session is the same, and its first command was applied.
    OneNode laggard = follower();
    long nonce = new SplittableRandom(1).nextLong();
    byte[] opening = new Envelope.Open(N1, laggard.incarnation(), nonce, 10_000).encode();
    laggard.deliver(N2, 5, new InstantProtocol.Vote.Accept(1, List.of(opening)));
    laggard.settle();
    var result = laggard.submit("c0");
    laggard.settle();
    laggard.deliver(N2, 5, new GroupMessage.Offer(12, snapshot.size()));
    laggard.settle();
    laggard.deliver(N2, 5, chunk(snapshot, 0, snapshot.bytes().length));
    laggard.settle();
    assertEquals(12, laggard.status().applied());
    assertEquals(2, Workbench.done(result).position());
  }

  private static GroupMessage chunk(MemoryStorage.Content snapshot, int offset, int length) {
    byte[] piece = Arrays.copyOfRange(snapshot.bytes(), offset, offset + length);
    return new GroupMessage.Chunk(12, offset, snapshot.size(), snapshot.checksum(), piece);
  }

  private static OneNode follower() {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1, N2);
    node.protocol.leads = false;
    node.protocol.leader = N2;
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    return node;
  }
}
