// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.DIRECTORY;
import static io.clowder.consensus.Workbench.MILLIS;
import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.N3;
import static io.clowder.consensus.Workbench.bytes;
import static io.clowder.consensus.Workbench.command;
import static io.clowder.consensus.Workbench.done;
import static io.clowder.consensus.Workbench.open;
import static io.clowder.consensus.Workbench.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.protocol.Event;
import io.clowder.api.wire.WireWriter;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What a group says to the other members' drivers, and what it takes from them. */
class GroupMembersTest {
  private static OneNode node(boolean leads) {
    OneNode node = new OneNode(new MemoryStorage(), "instant", N1, N2);
    node.protocol.leads = leads;
    node.protocol.leader = N2;
    node.group.addProtocol("instant", node.protocol);
    node.settle();
    return node;
  }

  private static void deliver(OneNode node, GroupMessage message) {
    node.deliver(N2, DIRECTORY, message);
    node.settle();
  }

  /** The leader has these entries decided. */
  private static void decide(OneNode node, long first, byte[]... commands) {
    node.deliver(N2, DIRECTORY, new InstantProtocol.Vote.Accept(first, List.of(commands)));
    node.settle();
  }

  /** The envelope that this node asks the leader to have its session opened by. */
  private static byte[] opening(OneNode node) {
    // The first draw of the seeded generator is the nonce of the first session.
    long nonce = new SplittableRandom(1).nextLong();
    return new Envelope.Open(N1, node.incarnation(), nonce, 10_000).encode();
  }

  /** The number in the last message of a kind that was sent to the leader. */
  private static long idOf(OneNode node, String kind) {
    String last =
        node.wire.sent.stream()
            .filter(sent -> sent.startsWith("n2 " + kind))
            .reduce((a, b) -> b)
            .orElseThrow();
    return Long.parseLong(last.replaceAll(".*\\bid=(-?\\d+).*", "$1"));
  }

  private static long count(OneNode node, String prefix) {
    return node.wire.sent.stream().filter(sent -> sent.startsWith(prefix)).count();
  }

  @Test
  void aFollowerForwardsAndAnswersFromItsOwnState() {
    OneNode node = node(false);
    assertEquals(1, count(node, "n2 Forward"), "the opening of its session");
    decide(node, 1, opening(node));
    assertEquals(1, node.service.session().id());
    CompletionStage<Committed> command = node.submit("a");
    node.settle();
    assertEquals(2, count(node, "n2 Forward"));
    decide(node, 2, command(1, 1, "diary", "a"));
    assertEquals(2, done(command).position());

    CompletionStage<byte[]> query = node.query(ReadConsistency.LINEARIZABLE);
    node.settle();
    deliver(node, new GroupMessage.ReadFrom(idOf(node, "ReadAt"), 3));
    assertFalse(query.toCompletableFuture().isDone(), "position 3 is not applied yet");
    decide(node, 3, new byte[0]);
    assertEquals("2:a ", text(done(query)));
  }

  @Test
  void whatGotLostIsForwardedAgain() {
    OneNode node = node(false);
    decide(node, 1, opening(node));
    node.submit("a");
    node.settle();
    long before = count(node, "n2 Forward");
    node.pass(Duration.ofMillis(500));
    assertEquals(before, count(node, "n2 Forward"));
    node.pass(Duration.ofMillis(40));
    assertEquals(before + 1, count(node, "n2 Forward"));
  }

  @Test
  void aLeaderProposesForOthersButNoExpiryOfTheirs() {
    OneNode node = node(true);
    byte[] forged = new Envelope.Expire(1).encode();
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8), forged, bytes("garbage"))));
    deliver(node, new GroupMessage.Forward(List.of(command(2, 1, "diary", "theirs"))));
    assertEquals("3:theirs ", node.diary.lines());
    assertEquals(1, node.service.session().id(), "our session lives");
  }

  @Test
  void aFollowerProposesForNobody() {
    OneNode node = node(false);
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8))));
    assertFalse(node.protocol.events.stream().anyMatch(Event.Propose.class::isInstance));
  }

  @Test
  void aLeaderAnswersReadsAndRenewals() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8))));
    deliver(node, new GroupMessage.ReadAt(4));
    assertTrue(node.wire.sent.contains("n2 ReadFrom[id=4, position=2]"));
    deliver(node, new GroupMessage.Renew(2, 9));
    assertTrue(node.wire.sent.contains("n2 Renewed[session=2, id=9, alive=true]"));
    deliver(node, new GroupMessage.Renew(99, 10));
    assertTrue(node.wire.sent.contains("n2 Renewed[session=99, id=10, alive=false]"));
  }

  @Test
  void aSessionNobodyRenewsEndsByAnEntry() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8))));
    node.pass(Duration.ofSeconds(10));
    assertEquals("", node.diary.lines());
    node.pass(Duration.ofMillis(200));
    assertEquals("3-2 ", node.diary.lines());
    assertEquals(1, node.service.session().id(), "our own is renewed");
  }

  @Test
  void aSessionWhoseEndIsProposedIsNotConfirmed() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8))));
    node.pass(Duration.ofSeconds(10));
    node.now += 200 * MILLIS;
    node.work();
    // The disk has not synced the end, which so is not decided.
    node.deliver(N2, DIRECTORY, new GroupMessage.Renew(2, 9));
    node.work();
    node.work();
    assertEquals("", node.diary.lines());
    assertTrue(node.wire.sent.contains("n2 Renewed[session=2, id=9, alive=false]"));
    node.settle();
    assertEquals("3-2 ", node.diary.lines());
  }

  @Test
  void aRenewedSessionLives() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8))));
    for (int i = 0; i < 10; i++) {
      node.pass(Duration.ofSeconds(2));
      deliver(node, new GroupMessage.Renew(2, i));
    }
    assertEquals("", node.diary.lines());
  }

  @Test
  void aRenewalCountsFromAfterItCameInThoughItsRoundBeganBeforeAPause() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Forward(List.of(open(N2, 8))));
    node.pass(Duration.ofSeconds(1));
    long began = node.now;
    node.now += 250 * MILLIS;
    node.deliver(N2, DIRECTORY, new GroupMessage.Renew(2, 9));
    node.group.doWork(began);
    node.settle();
    node.pass(Duration.ofMillis(9_980));
    assertEquals("", node.diary.lines());
    node.pass(Duration.ofMillis(200));
    assertEquals("3-2 ", node.diary.lines());
  }

  @Test
  void aFollowerRenewsItsSessionAndCountsFromTheSending() {
    OneNode node = node(false);
    decide(node, 1, opening(node));
    long opened = node.service.session().validUntilNanos();
    node.pass(Duration.ofMillis(1_100));
    long sentAt = idOf(node, "Renew");
    assertTrue(sentAt <= node.now && sentAt >= node.now - 1_100 * MILLIS);
    node.pass(Duration.ofMillis(100));
    deliver(node, new GroupMessage.Renewed(1, sentAt, true));
    assertEquals(sentAt + 9_700 * MILLIS, node.service.session().validUntilNanos());
    assertTrue(node.service.session().validUntilNanos() > opened);
  }

  @Test
  void anAnswerThatSaysNoRenewsNothing() {
    OneNode node = node(false);
    decide(node, 1, opening(node));
    long opened = node.service.session().validUntilNanos();
    node.pass(Duration.ofMillis(1_100));
    deliver(node, new GroupMessage.Renewed(1, idOf(node, "Renew"), false));
    deliver(node, new GroupMessage.Renewed(2, idOf(node, "Renew"), true));
    assertEquals(opened, node.service.session().validUntilNanos());
  }

  @Test
  void aLeaderWithoutRoomSaysSo() {
    OneNode leader = node(true);
    leader.protocol.resigns = false;
    leader.storage.freeBytes = 0;
    leader.pass(Duration.ofSeconds(2));
    deliver(leader, new GroupMessage.Forward(List.of(open(N2, 8))));
    String reason = "disk: 0 MiB free on n1, new work is refused under 1 MiB";
    assertTrue(leader.wire.sent.contains("n2 Busy[reason=" + reason + "]"));

    OneNode follower = node(false);
    deliver(follower, new GroupMessage.Busy("disk: full"));
    assertEquals(
        List.of("n2 leads and takes nothing new, disk: full"), follower.status().problems());
    follower.protocol.leader = null;
    follower.settle();
    assertEquals(List.of(), follower.status().problems(), "it leads no more");
  }

  @Test
  void aWipedNodeIsAStranger() {
    OneNode node = node(true);
    byte[] open = new Envelope.Open(N2, DIRECTORY, 8, 10_000).encode();
    deliver(node, new GroupMessage.Forward(List.of(open)));
    int before = node.protocol.events.size();
    node.deliver(N2, 6, new InstantProtocol.Vote.Accepted(100));
    node.deliver(N2, 6, new GroupMessage.ReadAt(4));
    node.work();
    assertTrue(node.wire.sent.contains("n2 Stranger[expected=5]"));
    assertFalse(node.wire.sent.stream().anyMatch(sent -> sent.startsWith("n2 ReadFrom")));
    assertFalse(
        node.protocol.events.subList(before, node.protocol.events.size()).stream()
            .anyMatch(e -> e instanceof Event.Receive));
  }

  @Test
  void aWipedNodeIsAStrangerAlsoBeforeTheLogIsAppliedAgain() {
    OneNode first = node(true);
    deliver(first, new GroupMessage.Forward(List.of(open(N2, 8))));
    first.submit("a");
    first.settle();
    first.storage.journal().crash();

    OneNode again = new OneNode(first.storage, "instant", N1, N2);
    again.protocol.knowsDecided = false;
    again.protocol.leads = false;
    again.group.addProtocol("instant", again.protocol);
    again.settle();
    assertEquals(0, again.status().applied());
    again.deliver(N2, 6, new InstantProtocol.Vote.Accepted(100));
    again.settle();
    assertTrue(again.wire.sent.contains("n2 Stranger[expected=5]"));
  }

  @Test
  void anAnswerToAnEarlierLifeAnswersNothing() {
    OneNode first = node(false);
    first.query(ReadConsistency.LINEARIZABLE);
    first.settle();
    long earlier = idOf(first, "ReadAt");
    first.storage.journal().crash();

    OneNode again = new OneNode(first.storage, "instant", N1, N2);
    again.protocol.leads = false;
    again.protocol.leader = N2;
    again.group.addProtocol("instant", again.protocol);
    CompletionStage<byte[]> query = again.query(ReadConsistency.LINEARIZABLE);
    again.settle();
    deliver(again, new GroupMessage.ReadFrom(earlier, 0));
    assertFalse(query.toCompletableFuture().isDone());
    deliver(again, new GroupMessage.ReadFrom(idOf(again, "ReadAt"), 0));
    assertEquals("", text(done(query)));
  }

  @Test
  void aNodeThatIsAStrangerSaysSo() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Stranger(node.incarnation()));
    assertEquals(List.of(), node.status().problems());
    deliver(node, new GroupMessage.Stranger(4));
    assertEquals(
        List.of(
            "identity: the cluster knows n1 by another data directory; bring that back, or give"
                + " this node another name"),
        node.status().problems());
  }

  @Test
  void messagesOfStrangersAndGarbageAreIgnored() {
    OneNode node = node(true);
    int before = node.protocol.events.size();
    for (NodeId from : List.of(N3, N2)) {
      node.deliver(from, new WireWriter(16).writeByte(1));
      node.deliver(from, new WireWriter(16).writeLong(-1));
    }
    node.deliver(N3, DIRECTORY, new InstantProtocol.Vote.Accepted(100));
    WireWriter otherSegment = new WireWriter(32);
    new GroupMessage.Header(0, 1234, DIRECTORY).write(otherSegment);
    new GroupMessage.ReadAt(1).write(otherSegment);
    node.deliver(N2, otherSegment);
    node.settle();
    assertEquals("leader", node.status().role());
    assertEquals(0, count(node, "n2 ReadFrom"));
    assertFalse(
        node.protocol.events.subList(before, node.protocol.events.size()).stream()
            .anyMatch(e -> e instanceof Event.Receive receive && !receive.from().equals(N1)));
  }

  @Test
  void anOwnerOfASnapshotGivesItInPieces() {
    OneNode node = node(true);
    deliver(node, new GroupMessage.Want(1, 0));
    assertEquals(0, count(node, "n2 Chunk"), "there is none yet");
    for (int i = 0; i < 11; i++) {
      node.submit("x");
      node.settle();
    }
    assertNull(node.storage.snapshots.latest, "while a laggard takes pieces nothing newer comes");
    node.pass(Duration.ofSeconds(1));
    long size = node.storage.snapshots.latest.size();
    deliver(node, new GroupMessage.Want(12, 0));
    assertEquals(1, count(node, "n2 Chunk[position=12, offset=0, size=" + size));
    deliver(node, new GroupMessage.Want(12, size));
    deliver(node, new GroupMessage.Want(12, -1));
    assertEquals(1, count(node, "n2 Chunk"));
    deliver(node, new GroupMessage.Want(9, 0));
    assertTrue(node.wire.sent.contains("n2 Offer[position=12, size=" + size + "]"));
  }
}
