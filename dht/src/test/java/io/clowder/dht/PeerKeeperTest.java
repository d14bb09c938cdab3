// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.DhtVersion;
import io.clowder.dht.KeeperMessage.Compare;
import io.clowder.dht.KeeperMessage.Keep;
import io.clowder.dht.KeeperMessage.Look;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What chance seldom meets, arranged. */
class PeerKeeperTest {
  private static final long SECOND = KeeperWorld.SECOND;
  private static final int NODES = 9;

  private PeerWorld peers = world(1);
  private KeeperWorld world = peers.world;
  private long requests;

  private static PeerWorld world(long seed) {
    KeeperSettings settings =
        new KeeperSettings(
            PeerWorld.REPLICAS,
            2,
            SECOND,
            SECOND / 5,
            1_000,
            1 << 20,
            1 << 20,
            3_600_000,
            6 * SECOND);
    return new PeerWorld(seed, RingSettings.USUAL.withSuccessors(4), settings, true);
  }

  /** The one that is so many places behind the owner of a key. */
  private NodeId behind(String key, int places) {
    Founders circle = peers.circle();
    Member member = circle.get(circle.placeFrom(PeerLoad.id(key)) + places);
    return Objects.requireNonNull(member.node());
  }

  private List<Reply> ask(NodeId at, Ask.Kind kind, String key) {
    List<Reply> replies = new ArrayList<>();
    byte[] content = kind == Ask.Kind.STORE ? ("v" + requests).getBytes(UTF_8) : null;
    byte[] bytes = key.getBytes(UTF_8);
    RequestKey request = new RequestKey(1, ++requests);
    Ask ask = new Ask(kind, PeerLoad.id(key), bytes, content, null, 0, 0, request, false);
    world.computer(at).onIt(0, () -> peers.up(at).ask(ask, 8 * SECOND, replies::add));
    return replies;
  }

  private DhtVersion store(NodeId at, String key) {
    List<Reply> replies = ask(at, Ask.Kind.STORE, key);
    world.run(2 * SECOND);
    return done(replies).answer().version();
  }

  private static Reply done(List<Reply> replies) {
    assertEquals(1, replies.size());
    assertEquals(Answer.Code.DONE, replies.get(0).answer().code());
    return replies.get(0);
  }

  private static DhtVersion read(List<Reply> replies) {
    Value value = done(replies).answer().value();
    assertNotNull(value);
    return value.version();
  }

  @Test
  void anOwnerThatTakesOverAsksAllWhoMayHaveAValue() {
    peers.found(NODES);
    world.run(10 * SECOND);
    NodeId heir = behind("k", 1);
    NodeId last = behind("k", 2);
    peers.filter =
        (source, target, message) ->
            target.equals(heir) && (message instanceof Keep || message instanceof Compare);
    DhtVersion version = store(behind("k", 4), "k");
    assertNull(peers.up(heir).shelf.values.get(PeerLoad.id("k")));
    // Only one has it now, and that one is the last to be heard.
    world.computer(behind("k", 0)).wipe();
    boolean[] isSlow = {true};
    peers.filter =
        (source, target, message) ->
            target.equals(last)
                && (message instanceof Look || message instanceof Compare)
                && isSlow[0];
    world.run(4 * SECOND);
    List<Reply> replies = ask(heir, Ask.Kind.FETCH, "k");
    world.run(SECOND);
    assertTrue(replies.isEmpty(), replies.toString());
    isSlow[0] = false;
    world.run(3 * SECOND);
    assertEquals(version, read(replies));
  }

  @Test
  void whoJoinsOwnsNothingBeforeTheNextOneKnows() {
    peers.found(NODES);
    NodeId joiner = PeerWorld.node(NODES + 1);
    peers.add(joiner);
    world.run(10 * SECOND);
    String key = keyBefore(joiner);
    NodeId owner = behind(key, 0);
    NodeId next = behind(key, 1);
    NodeId last = behind(key, 2);
    store(owner, key);
    // The owner hears of the joiner last of all; nor does the former owner hear its values.
    peers.filter =
        (source, target, message) ->
            source.equals(joiner)
                && (message instanceof RingMessage.Notify
                    || message instanceof RingMessage.Claim
                    || (message instanceof Keep && !target.equals(next)));
    world.computer(joiner).start();
    world.run(3 * SECOND);
    assertTrue(peers.up(joiner).keeper.ring().isMember());
    DhtVersion version = store(joiner, key);
    PeerWorld.Filter before = peers.filter;
    peers.filter =
        (source, target, message) ->
            before.loses(source, target, message)
                || (message instanceof Look && source.equals(owner) && !target.equals(last));
    List<Reply> replies = ask(owner, Ask.Kind.FETCH, key);
    world.run(SECOND);
    assertEquals(version, read(replies));
    assertFalse(peers.up(joiner).keeper.placement().accepts(PeerLoad.id(key)));
    peers.filter = (source, target, message) -> false;
    world.run(20 * SECOND);
    assertTrue(peers.up(joiner).keeper.placement().accepts(PeerLoad.id(key)));
    assertEquals(List.of(), peers.up(joiner).keeper.problems());
    assertNull(peers.ringFlaw());
    assertNull(peers.copiesFlaw(false));
  }

  /** Its former life is in all lists still, and the next one takes over from that. */
  @Test
  void whoComesBackAtOnceOwnsNothingBeforeTheNextOneKnows() {
    int both = 0;
    for (int seed = 1; seed <= 8; seed++) {
      peers = world(seed);
      world = peers.world;
      peers.found(NODES);
      world.run(10 * SECOND);
      NodeId returning = behind("k", 0);
      NodeId next = behind("k", 1);
      peers.filter =
          (source, target, message) ->
              source.equals(returning)
                  && (message instanceof RingMessage.Notify
                      || message instanceof RingMessage.Claim);
      world.computer(returning).kill();
      world.run(SECOND / 20);
      world.computer(returning).start();
      world.run(5 * SECOND);
      boolean isOwner = peers.up(returning).keeper.placement().accepts(PeerLoad.id("k"));
      assertFalse(isOwner, "seed " + seed);
      both += peers.up(returning).keeper.ring().isMember() ? 1 : 0;
      assertTrue(peers.up(next).keeper.placement().accepts(PeerLoad.id("k")), "seed " + seed);
      peers.filter = (source, target, message) -> false;
      world.run(30 * SECOND);
      assertNull(peers.ringFlaw());
      assertTrue(peers.up(returning).keeper.placement().accepts(PeerLoad.id("k")));
    }
    assertTrue(both > 0);
  }

  /** A key that it will own when it is on the ring. */
  private String keyBefore(NodeId joiner) {
    Founders circle = peers.circle();
    Identifier id = PeerWorld.id(joiner);
    return keyBetween(circle.get(circle.placeFrom(id) - 1).id(), id);
  }

  private static String keyBetween(Identifier after, Identifier before) {
    int i = 0;
    while (!Identifier.between(after, PeerLoad.id("k" + i), before)) {
      i++;
    }
    return "k" + i;
  }

  /** A value that a node has, wherever it has it from. */
  private Value place(NodeId node, String key, long major) {
    byte[] bytes = key.getBytes(UTF_8);
    RequestKey request = new RequestKey(1, 1_000);
    DhtVersion version = new DhtVersion(major, 1);
    Value value = new Value(PeerLoad.id(key), bytes, version, new byte[9], 0, request);
    world.computer(node).onIt(0, () -> peers.up(node).shelf.keep(value));
    return value;
  }

  /** Loses what a node compares with others, and others with it; not what they look for. */
  private void keepFromComparing(NodeId node) {
    peers.filter =
        (source, target, message) ->
            message instanceof Compare && (source.equals(node) || target.equals(node));
  }

  private Takeover takeover(NodeId node) {
    return peers.up(node).keeper.placement().takeover();
  }

  /** It has it from the one after it, which had not got it yet, and knows one more. */
  @Test
  void whoJoinsOwnsNothingThatMayBeWhereItDoesNotLook() {
    peers.found(NODES);
    NodeId joiner = PeerWorld.node(NODES + 1);
    peers.add(joiner);
    world.run(10 * SECOND);
    String key = keyBefore(joiner);
    NodeId next = behind(key, 1);
    NodeId last = behind(key, 5);
    keepFromComparing(last);
    Value value = place(last, key, 1);
    world.computer(behind(key, 0)).wipe();
    world.run(5 * SECOND);
    assertNull(peers.ringFlaw());
    assertFalse(takeover(next).isSettled());
    world.computer(joiner).start();
    world.run(3 * SECOND);
    assertNull(peers.ringFlaw());
    assertFalse(takeover(joiner).sources().contains(peers.up(last).seat()));
    List<Reply> replies = ask(joiner, Ask.Kind.FETCH, key);
    world.run(SECOND);
    assertEquals(List.of(), replies);
    peers.filter = (source, target, message) -> false;
    world.run(5 * SECOND);
    assertEquals(value.version(), read(replies));
  }

  @Test
  void butWaitsForNobodyWhoDoesNotAnswer() {
    peers.found(NODES);
    NodeId joiner = PeerWorld.node(NODES + 1);
    peers.add(joiner);
    world.run(10 * SECOND);
    String key = keyBefore(joiner);
    keepFromComparing(behind(key, 5));
    world.computer(behind(key, 0)).wipe();
    world.run(5 * SECOND);
    world.computer(joiner).start();
    world.run(8 * SECOND);
    assertTrue(peers.up(joiner).keeper.placement().accepts(PeerLoad.id(key)));
  }

  /** The one after it is new itself, and may not know either. */
  @Test
  void norBeforeTheOneAfterItOwnsAnything() {
    peers.found(NODES);
    world.run(10 * SECOND);
    NodeId first = PeerWorld.node(NODES + 1);
    Founders circle = peers.circle();
    Identifier before = circle.get(circle.placeFrom(PeerWorld.id(first)) - 1).id();
    int number = NODES + 2;
    while (!Identifier.between(before, PeerWorld.id(PeerWorld.node(number)), PeerWorld.id(first))) {
      number++;
    }
    NodeId second = PeerWorld.node(number);
    String key = keyBetween(before, PeerWorld.id(second));
    NodeId last = behind(key, 5);
    keepFromComparing(last);
    Value value = place(last, key, 1);
    world.computer(behind(key, 0)).wipe();
    world.run(5 * SECOND);
    peers.add(first).start();
    world.run(SECOND);
    peers.add(second).start();
    world.run(3 * SECOND / 2);
    assertNull(peers.ringFlaw());
    List<Reply> replies = ask(second, Ask.Kind.FETCH, key);
    world.run(SECOND);
    assertEquals(List.of(), replies);
    peers.filter = (source, target, message) -> false;
    world.run(7 * SECOND);
    assertEquals(value.version(), read(replies));
  }

  /** Somebody has come between, and the list is full without it. */
  @Test
  void whoHasNotShownWhatItHasIsAskedThoughItIsInTheListNoMore() {
    peers.found(NODES);
    NodeId joiner = PeerWorld.node(NODES + 1);
    peers.add(joiner);
    world.run(10 * SECOND);
    Founders circle = peers.circle();
    int place = circle.placeFrom(PeerWorld.id(joiner));
    String key = keyBetween(circle.get(place - 4).id(), circle.get(place - 3).id());
    NodeId heir = behind(key, 1);
    NodeId last = behind(key, 5);
    Seat dropped = peers.up(last).seat();
    keepFromComparing(last);
    Value value = place(last, key, 1);
    world.computer(behind(key, 0)).wipe();
    world.run(5 * SECOND);
    assertTrue(peers.up(heir).keeper.placement().successors().contains(dropped));
    assertFalse(takeover(heir).isSettled());
    world.computer(joiner).start();
    for (int i = 0; peers.up(heir).keeper.placement().successors().contains(dropped); i++) {
      assertTrue(i < 50, "it stays in the list");
      world.run(SECOND / 10);
    }
    world.run(SECOND / 2);
    assertEquals(value.version(), read(askAndRun(heir, key)));
  }

  private List<Reply> askAndRun(NodeId at, String key) {
    List<Reply> replies = ask(at, Ask.Kind.FETCH, key);
    world.run(SECOND);
    return replies;
  }

  @Test
  void strangersValuesAreForgottenWhenAllCopiesAreThereAndNotBefore() {
    peers.found(NODES);
    world.run(30 * SECOND);
    NodeId stranger = behind("k", 4);
    Value value =
        new Value(
            PeerLoad.id("k"),
            "k".getBytes(UTF_8),
            new DhtVersion(1, 1),
            new byte[9],
            0,
            new RequestKey(1, 1));
    peers.filter =
        (source, target, message) -> message instanceof Compare compare && compare.isReplica();
    world.computer(stranger).onIt(0, () -> peers.up(stranger).shelf.keep(value));
    world.run(40 * SECOND);
    assertNotNull(peers.up(behind("k", 0)).shelf.values.get(value.id()));
    assertNull(peers.up(behind("k", 1)).shelf.values.get(value.id()));
    assertNotNull(peers.up(stranger).shelf.values.get(value.id()));
    peers.filter = (source, target, message) -> false;
    world.run(60 * SECOND);
    assertNull(peers.copiesFlaw(true));
  }

  /** Nobody brings lookups on, and the ring's own patience is longer. */
  @Test
  void aReadOfAnyCopyEndsInTimeThoughItsKeepersAreNotFound() {
    peers.found(NODES);
    world.run(10 * SECOND);
    NodeId reader = behind("k", 3);
    peers.filter =
        (source, target, message) ->
            message instanceof RingMessage.Route || message instanceof RingMessage.Claim;
    List<Reply> replies = new ArrayList<>();
    world
        .computer(reader)
        .onIt(0, () -> peers.up(reader).look(PeerLoad.id("k"), SECOND, replies::add));
    world.run(SECOND - 1);
    assertEquals(List.of(), replies);
    world.run(SECOND / 10);
    assertEquals(1, replies.size());
    assertTrue(replies.get(0).isOver());
    // What is found later is for nobody.
    world.run(30 * SECOND);
    assertEquals(1, replies.size());
  }

  /** As after a time in which others took it for dead, and did not when that was over. */
  @Test
  void whatAnotherOwnerWroteIsSeenThoughAllIsSettled() {
    peers.found(NODES);
    world.run(10 * SECOND);
    store(behind("k", 4), "k");
    Value newer =
        new Value(
            PeerLoad.id("k"),
            "k".getBytes(UTF_8),
            new DhtVersion(Long.MAX_VALUE - 1, 1),
            new byte[9],
            0,
            new RequestKey(1, 1_000));
    peers.filter = (source, target, message) -> message instanceof Compare;
    for (int i = 1; i < PeerWorld.REPLICAS; i++) {
      NodeId replica = behind("k", i);
      world.computer(replica).onIt(0, () -> peers.up(replica).shelf.keep(newer));
    }
    world.run(SECOND);
    List<Reply> replies = ask(behind("k", 0), Ask.Kind.FETCH, "k");
    world.run(SECOND);
    assertEquals(newer.version(), read(replies));
  }

  @Test
  void whoLeavesTakesNothingOverAnyMore() {
    peers.found(NODES);
    world.run(10 * SECOND);
    NodeId leaver = behind("k", 1);
    NodeId other = behind("k", 2);
    peers.filter =
        (source, target, message) ->
            (source.equals(leaver)
                    && message instanceof Compare
                    && peers.up(leaver).keeper.placement().isClosed())
                || (target.equals(other) && message instanceof Keep);
    List<String> problems = leave(leaver, 20 * SECOND);
    world.run(2 * SECOND);
    assertTrue(peers.up(leaver).keeper.placement().isClosed());
    List<Reply> replies = ask(behind("k", 0), Ask.Kind.STORE, "k");
    world.run(SECOND);
    // It would be on one node when that is gone.
    assertTrue(replies.isEmpty(), replies.toString());
    world.run(30 * SECOND);
    assertEquals(1, problems.size());
    assertTrue(problems.get(0).contains("did not take over"), problems.get(0));
    peers.filter = (source, target, message) -> false;
    store(leaver, "k");
    List<String> better = leave(leaver, 20 * SECOND);
    world.run(10 * SECOND);
    assertEquals(List.of("left"), better);
    assertFalse(peers.up(leaver).keeper.ring().isMember());
  }

  private List<String> leave(NodeId node, long within) {
    List<String> results = new ArrayList<>();
    world
        .computer(node)
        .onIt(
            0,
            () ->
                peers
                    .up(node)
                    .keeper
                    .leave(
                        world.now() + within,
                        problem -> results.add(problem == null ? "left" : problem),
                        world.now()));
    return results;
  }

  @Test
  void whatIsNotAsItShouldBeIsSaid() {
    peers.found(NODES);
    peers.add(PeerWorld.node(NODES + 1)).start();
    PeerKeeper joiner = peers.up(PeerWorld.node(NODES + 1)).keeper;
    assertTrue(joiner.problems().get(0).startsWith("this node is not on the ring"));
    world.run(10 * SECOND);
    assertEquals(List.of(), joiner.problems());
    for (int i = 1; i <= NODES; i++) {
      world.computer(PeerWorld.node(i)).kill();
    }
    world.run(60 * SECOND);
    assertTrue(
        joiner.problems().get(0).contains("cannot have 3 copies"), joiner.problems().toString());
    List<String> problems = leave(PeerWorld.node(NODES + 1), SECOND);
    List<Reply> replies = ask(PeerWorld.node(NODES + 1), Ask.Kind.FETCH, "k");
    world.run(10 * SECOND);
    assertEquals(List.of("there is nobody to hand over to"), problems);
    // Who is alone cannot know what is newest.
    assertEquals(Answer.Code.TOO_FEW, replies.get(0).answer().code());
  }

  @Test
  void thatCopiesAreMissingIsSaidAndThatTheyAreNotAnyMore() {
    peers.found(NODES);
    NodeId owner = behind("k", 0);
    world.run(10 * SECOND);
    boolean[] isLost = {true};
    peers.filter =
        (source, target, message) ->
            isLost[0] && source.equals(owner) && message instanceof Compare;
    // Somebody else is to keep a copy.
    world.computer(behind("k", 1)).kill();
    world.run(10 * SECOND);
    String missing = "not all copies of what this node owns are in order yet";
    assertEquals(List.of(missing), peers.up(owner).keeper.problems());
    assertFalse(peers.up(owner).keeper.isWhole());
    isLost[0] = false;
    world.run(5 * SECOND);
    assertEquals(List.of(), peers.up(owner).keeper.problems());
    assertTrue(peers.up(owner).keeper.isWhole());
  }
}
