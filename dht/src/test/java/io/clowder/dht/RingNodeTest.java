// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.dht.RingMessage.AskState;
import io.clowder.dht.RingMessage.Claim;
import io.clowder.dht.RingMessage.Denied;
import io.clowder.dht.RingMessage.Found;
import io.clowder.dht.RingMessage.Gone;
import io.clowder.dht.RingMessage.Meet;
import io.clowder.dht.RingMessage.Notify;
import io.clowder.dht.RingMessage.Pending;
import io.clowder.dht.RingMessage.Ping;
import io.clowder.dht.RingMessage.Pong;
import io.clowder.dht.RingMessage.Route;
import io.clowder.dht.RingMessage.State;
import io.clowder.dht.RingMessage.Taken;
import io.clowder.dht.RingMessage.Unfound;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** One node, and a test that speaks for all others. */
class RingNodeTest {
  private static final long MILLI = RingWorld.MILLI;
  private static final RingSettings SETTINGS = RingSettings.USUAL.withSuccessors(2);

  /** Members at tenths of the ring, named by them. */
  private static Member at(int tenth) {
    String hex = "0123456789".substring(tenth, tenth + 1) + "0".repeat(39);
    return new Member(Identifier.parse(hex), new NodeId("n" + tenth), 100 * tenth + 100);
  }

  private static Member another(Member member) {
    return new Member(member.id(), member.node(), member.life() + 7);
  }

  private final List<Envelope> sent = new ArrayList<>();
  private final Map<Long, Located> found = new HashMap<>();
  private final Map<Long, Failure> failed = new HashMap<>();
  private long now = -5_000 * MILLI;

  private final Outlet outlet =
      new Outlet() {
        @Override
        public void send(Envelope envelope) {
          sent.add(envelope);
        }

        @Override
        public void found(long ticket, Located answer) {
          found.put(ticket, answer);
        }

        @Override
        public void failed(long ticket, Failure failure) {
          failed.put(ticket, failure);
        }

        @Override
        public void changed() {}
      };

  private final RingNode node = node(SETTINGS);

  private RingNode node(RingSettings settings) {
    return new RingNode(at(5), settings, new SplittableRandom(1), outlet, now);
  }

  /** Has the node be one of 1, 3, 5, 7, 9. */
  private RingNode founded(RingNode one) {
    one.found(new Founders(List.of(at(1), at(3), at(5), at(7), at(9))), now);
    return one;
  }

  private void say(Member source, RingMessage message) {
    node.received(new Envelope(source, at(5), message), now);
  }

  /** The last message of that kind to that member, which is taken away. */
  private <M extends RingMessage> M said(Member target, Class<M> kind) {
    for (int i = sent.size() - 1; i >= 0; i--) {
      Envelope envelope = sent.get(i);
      if (envelope.target().equals(target) && kind.isInstance(envelope.message())) {
        sent.remove(i);
        return kind.cast(envelope.message());
      }
    }
    throw new AssertionError("no " + kind.getSimpleName() + " to " + target + " in " + sent);
  }

  private boolean isSaid(Class<? extends RingMessage> kind) {
    return sent.stream().anyMatch(it -> kind.isInstance(it.message()));
  }

  private void passes(long nanos) {
    long end = now + nanos;
    while (node.dueAt() <= end) {
      now = Math.max(now, node.dueAt());
      node.tick(now);
    }
    now = end;
  }

  private void untilRound() {
    while (!isSaid(AskState.class)) {
      now = node.dueAt();
      node.tick(now);
    }
  }

  private static Successors list(int... tenths) {
    List<Member> members = new ArrayList<>();
    for (int tenth : tenths) {
      members.add(at(tenth));
    }
    return Successors.of(members);
  }

  @Test
  void aRingIsFoundedByMoreThanListsAreLong() {
    Founders few = new Founders(List.of(at(5), at(7)));
    assertThrows(IllegalArgumentException.class, () -> node.found(few, now));
    Founders others = new Founders(List.of(at(1), at(3), at(7)));
    assertThrows(IllegalArgumentException.class, () -> node.found(others, now));
    Founders older = new Founders(List.of(at(1), another(at(5)), at(7)));
    assertThrows(IllegalArgumentException.class, () -> node.found(older, now));
    assertThrows(
        IllegalArgumentException.class, () -> new Founders(List.of(at(1), another(at(1)))));
    assertFalse(node.isMember());
    founded(node);
    assertEquals(at(3), node.predecessor());
    assertEquals(list(7, 9), node.successors());
    assertThrows(IllegalStateException.class, () -> founded(node));
    assertThrows(IllegalStateException.class, () -> node.join(List.of(at(1)), now));
    assertTrue(node.hasNoDuplicates() && node.hasOrderedSuccessors());
  }

  @Test
  void aJoinerTakesTheWholeListOfWhoIsBeforeIt() {
    node.join(List.of(Member.contact(at(1).id(), new NodeId("n1"))), now);
    Member contact = Member.contact(at(1).id(), new NodeId("n1"));
    Query query = said(contact, Route.class).query();
    assertTrue(query.isForPredecessor());
    say(at(3), new Found(query.ticket(), list(7, 9), List.of(at(1), at(3)), 0, 0));
    AskState ask = said(at(3), AskState.class);
    say(at(3), new State(ask.token(), at(1), list(7, 9)));
    assertTrue(node.isMember());
    assertEquals(at(3), node.predecessor());
    assertEquals(list(7, 9), node.successors());
    said(at(7), AskState.class);
  }

  @Test
  void aJoinerThatIsNotBetweenThemBeginsAgain() {
    node.join(List.of(at(1)), now);
    Query query = said(at(1), Route.class).query();
    say(at(1), new Found(query.ticket(), list(3, 7), List.of(at(1)), 0, 0));
    AskState ask = said(at(1), AskState.class);
    say(at(1), new State(ask.token(), at(9), list(3, 7)));
    assertFalse(node.isMember());
    passes(2 * SETTINGS.answerNanos());
    assertEquals(at(5).id(), said(at(1), Route.class).query().key());
  }

  @Test
  void whoWaitsShowsNothingButLives() {
    founded(node);
    untilRound();
    say(at(3), new AskState(1));
    assertEquals(new Pending(1), said(at(3), Pending.class));
    say(at(3), new Ping(2));
    assertEquals(new Pong(2), said(at(3), Pong.class));
    say(at(7), new State(said(at(7), AskState.class).token(), at(5), list(9, 1)));
    say(at(3), new AskState(3));
    assertEquals(list(7, 9), said(at(3), State.class).successors());
  }

  @Test
  void whoIsNamedIsTakenOverOnlyWhenItAnswers() {
    founded(node);
    untilRound();
    say(at(7), new State(said(at(7), AskState.class).token(), at(6), list(9, 1)));
    assertEquals(list(7, 9), node.successors());
    AskState ask = said(at(6), AskState.class);
    passes(SETTINGS.answerNanos() * SETTINGS.tries());
    assertEquals(list(7, 9), node.successors(), "it did not answer");
    said(at(7), Notify.class);
    say(at(6), new State(ask.token(), at(5), list(7, 9)));
    assertEquals(list(7, 9), node.successors(), "it answered too late");
    sent.clear();
    untilRound();
    say(at(7), new State(said(at(7), AskState.class).token(), at(6), list(9, 1)));
    say(at(6), new State(said(at(6), AskState.class).token(), at(5), list(7, 9)));
    assertEquals(list(6, 7), node.successors());
    said(at(6), Notify.class);
  }

  @Test
  void aDeadHeadMakesRoomForAnArtificialEntry() {
    founded(node);
    untilRound();
    passes(SETTINGS.answerNanos() * SETTINGS.tries());
    assertEquals(List.of(at(9), at(9).artificialNext()), node.successors().list());
    say(at(9), new State(said(at(9), AskState.class).token(), at(7), list(1, 3)));
    assertEquals(list(9, 1), node.successors());
  }

  @Test
  void aPredecessorIsReplacedByANearerOneOrWhenItIsDead() {
    founded(node);
    say(at(4), new Notify());
    assertEquals(at(4), node.predecessor());
    say(at(3), new Notify());
    Ping ping = said(at(4), Ping.class);
    say(at(3), new Pong(ping.token()));
    say(at(4), new Pong(ping.token()));
    assertEquals(at(4), node.predecessor());
    say(at(3), new Notify());
    said(at(4), Ping.class);
    passes(SETTINGS.answerNanos() * SETTINGS.tries());
    assertEquals(at(3), node.predecessor());
  }

  @Test
  void aClaimIsTakenOrDeniedByWhoIsBefore() {
    founded(node);
    say(at(4), new Notify());
    Query query = new Query(at(9), 77, 0, at(4).id(), false, List.of(at(3), at(5)), 1, 0);
    say(at(3), new Claim(8, query));
    assertEquals(new Pending(8), said(at(3), Pending.class));
    say(at(4), new Pong(said(at(4), Ping.class).token()));
    assertEquals(new Denied(8, at(4)), said(at(3), Denied.class));
    say(at(3), new Claim(9, query));
    said(at(4), Ping.class);
    passes(SETTINGS.answerNanos() * SETTINGS.tries());
    assertEquals(new Taken(9), said(at(3), Taken.class));
    assertEquals(77, said(at(9), Found.class).ticket());
    assertTrue(node.owns(at(4).id()));
  }

  @Test
  void aWrongOwnerIsNoAnswer() {
    founded(node);
    node.lookup(1, at(6).id(), now);
    Claim claim = said(at(7), Claim.class);
    say(at(7), new Denied(claim.token(), at(6)));
    Claim second = said(at(6), Claim.class);
    say(at(6), new Taken(second.token()));
    say(at(6), new Found(claim.query().ticket(), list(7, 9), second.query().path(), 2, 0));
    assertEquals(at(6), found.get(1L).owner());
    assertEquals(List.of(at(7), at(6)), found.get(1L).path());
    assertEquals(0, found.get(1L).hopsToPredecessor());
  }

  /** Whatever is said to it: it answers in time, and says why it failed. */
  @Test
  void everyLookupEndsInTime() {
    founded(node);
    node.lookup(1, at(6).id(), now);
    node.lookup(2, at(2).id(), now);
    passes(SETTINGS.lookupNanos());
    // What it has seen is that nobody answers: it is a ring of its own, and owns all.
    assertEquals(2, found.size() + failed.size(), found + " " + failed);
    assertTrue(node.owns(at(6).id()));
  }

  @Test
  void aLookupThatIsTakenAndNotAnsweredEndsAtItsDeadline() {
    founded(node);
    node.lookup(1, at(2).id(), now);
    long deadline = now + SETTINGS.lookupNanos();
    while (failed.isEmpty() && now < deadline + MILLI) {
      for (Envelope envelope : List.copyOf(sent)) {
        if (envelope.message() instanceof Route route) {
          say(envelope.target(), new Taken(route.token()));
        } else if (envelope.message() instanceof AskState ask) {
          say(envelope.target(), new Pending(ask.token()));
        }
      }
      sent.clear();
      passes(MILLI);
    }
    assertEquals(Map.of(1L, Failure.DEADLINE), failed);
    assertTrue(now >= deadline, "before its time");
  }

  @Test
  void hopsAndLookupsHaveLimits() {
    RingSettings narrow =
        new RingSettings(2, 1, 300 * MILLI, 1, MILLI, MILLI, 900 * MILLI, 3, 2, 1);
    RingNode one = founded(node(narrow));
    List<Member> path = List.of(at(7), at(9), at(5));
    Query query = new Query(at(1), 9, 0, at(8).id(), false, path, 0, 0);
    one.received(new Envelope(at(3), at(5), new Route(4, query)), now);
    said(at(3), Taken.class);
    assertEquals(new Unfound(9, Failure.HOP_LIMIT), said(at(1), Unfound.class));
    one.lookup(1, at(6).id(), now);
    one.lookup(2, at(6).id(), now);
    one.lookup(3, at(6).id(), now);
    assertEquals(Map.of(3L, Failure.BUSY), failed);
  }

  @Test
  void whoIsOutsideLooksUpNothing() {
    node.lookup(1, at(6).id(), now);
    assertEquals(Map.of(1L, Failure.NO_MEMBER), failed);
    founded(node);
    node.lookup(2, at(6).id(), now);
    node.leave(now);
    assertEquals(Failure.NO_MEMBER, failed.get(2L));
    said(at(7), Gone.class);
    said(at(3), Gone.class);
    say(at(1), new Ping(3));
    assertEquals(new Gone(at(5)), said(at(1), Gone.class));
    assertThrows(IllegalStateException.class, () -> node.join(List.of(at(1)), now));
  }

  @Test
  void whatIsMeantForAnEarlierLifeIsNotTaken() {
    founded(node);
    Member earlier = new Member(at(5).id(), at(5).node(), 3);
    node.received(new Envelope(at(4), earlier, new Notify()), now);
    assertEquals(at(3), node.predecessor());
    assertEquals(new Gone(earlier), said(at(4), Gone.class));
    node.received(new Envelope(at(4), earlier, new Gone(at(9))), now);
    assertFalse(isSaid(Gone.class), "an answer to an answer");
    node.received(new Envelope(at(4), at(6), new Notify()), now);
    assertEquals(at(3), node.predecessor(), "meant for somebody else");
  }

  @Test
  void deathIsBelievedOfItsOwnNodeOnly() {
    founded(node);
    say(at(9), new Gone(at(7)));
    assertEquals(list(7, 9), node.successors());
    say(another(at(7)), new Gone(at(7)));
    assertEquals(at(9), node.successors().head());
    said(at(9), AskState.class);
    say(at(3), new Gone(at(5)));
    say(another(at(5)), new Gone(at(5)));
    assertTrue(node.isMember());
  }

  /** What nobody asked for, or somebody else was asked, changes nothing. */
  @Test
  void nonsenseChangesNothing() {
    founded(node);
    untilRound();
    node.lookup(1, at(6).id(), now);
    long asked = said(at(7), AskState.class).token();
    Claim claim = said(at(7), Claim.class);
    List<RingMessage> nonsense =
        List.of(
            new State(asked, at(6), list(7, 9)),
            new State(0, at(6), list(7, 9)),
            new Pending(asked),
            new Pong(asked),
            new Taken(claim.token()),
            new Denied(claim.token(), at(6)),
            new Found(claim.query().ticket() + 1, list(7, 9), List.of(), 9, 9),
            new Unfound(4_711, Failure.NOBODY));
    for (RingMessage message : nonsense) {
      say(at(1), message);
    }
    assertEquals(list(7, 9), node.successors());
    assertEquals(at(3), node.predecessor());
    assertTrue(found.isEmpty() && failed.isEmpty());
    say(at(7), new State(asked, at(5), list(9, 1)));
    assertEquals(list(7, 9), node.successors(), "the answer still counts");
  }

  @Test
  void whoShowsAListOfAnotherLengthHasNotAnswered() {
    founded(node);
    untilRound();
    say(at(7), new State(said(at(7), AskState.class).token(), at(5), list(8, 9, 1)));
    assertEquals(at(9), node.successors().head());
    assertEquals(2, node.successors().size());
  }

  @Test
  void aSilentMemberIsAskedAgainAndIntroducedTo() {
    founded(node);
    untilRound();
    passes(SETTINGS.answerNanos() * SETTINGS.tries());
    say(at(9), new State(said(at(9), AskState.class).token(), at(5), list(1, 3)));
    sent.clear();
    untilRound();
    say(at(9), new State(said(at(9), AskState.class).token(), at(5), list(1, 3)));
    say(at(7), new Pong(said(at(7), Ping.class).token()));
    untilRound();
    assertEquals(at(5), said(at(7), Meet.class).stranger());
    say(at(9), new State(said(at(9), AskState.class).token(), at(5), list(1, 3)));
    assertEquals(list(9, 1), node.successors());
    // Its ring brings it here in turn; it is taken in when it has answered.
    say(at(3), new Meet(at(7), 1));
    assertEquals(list(9, 1), node.successors());
    say(at(7), new State(said(at(7), AskState.class).token(), at(3), list(9, 1)));
    assertEquals(list(7, 9), node.successors());
    assertEquals(at(9), said(at(7), Meet.class).stranger());
  }

  @Test
  void aStrangerIsBroughtToItsPlace() {
    founded(node);
    say(at(3), new Meet(at(2), 1));
    assertEquals(new Meet(at(2), 2), said(at(1), Meet.class));
    say(at(3), new Meet(at(2), SETTINGS.hopsMax()));
    say(at(3), new Meet(at(7), 1));
    say(at(3), new Meet(at(5), 1));
    say(at(3), new Meet(at(6).anyLife(), 1));
    assertFalse(isSaid(Meet.class) || isSaid(AskState.class), sent.toString());
  }

  /** Else it would spread from predecessor to predecessor that there is nobody else. */
  @Test
  void whoHasLostAllItsSuccessorsIsShownOne() {
    founded(node);
    untilRound();
    say(at(7), new State(said(at(7), AskState.class).token(), at(5), list(7, 7)));
    assertEquals(list(7, 9), node.successors());
    assertEquals(at(9), said(at(7), Meet.class).stranger());
    said(at(7), Notify.class);
    untilRound();
    say(at(7), new State(said(at(7), AskState.class).token(), at(6), list(9, 1)));
    say(at(6), new State(said(at(6), AskState.class).token(), at(6), list(6, 6)));
    assertEquals(list(6, 7), node.successors());
    assertEquals(at(7), said(at(6), Meet.class).stranger());
  }

  @Test
  void whoIsAloneOutlivesItsPredecessor() {
    founded(node);
    passes(20 * SETTINGS.roundNanosMax());
    assertEquals(list(5, 5), node.successors());
    assertEquals(at(5), node.predecessor());
    assertFalse(node.hasNoDuplicates() || node.hasOrderedSuccessors());
    said(at(1).anyLife(), Meet.class);
    say(at(4), new Notify());
    sent.clear();
    untilRound();
    passes(SETTINGS.answerNanos() * SETTINGS.tries());
    assertEquals(at(5), node.predecessor(), "it died as well");
    assertTrue(node.owns(at(4).id()));
  }
}
