// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Committed;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.GroupStatus;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.consensus.Successor;
import io.clowder.api.consensus.Swap;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.failure.Suspicion.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The keeper of a in a cluster of a, b and c; the clock goes in ticks of 250 ms. */
class ViewKeeperTest {
  private static final long REPORT_MILLIS = 1000;

  private final ViewMachine machine = new ViewMachine(view -> {});
  private final Log log = new Log();
  private final SortedMap<NodeId, Suspicion> peers = new TreeMap<>();
  private @Nullable GroupStatus status = status(0, "a", "abc");
  private long incarnation = 7;
  private long now = -5_000_000_000L;
  private long position;
  private final List<Long> outlived = new ArrayList<>();
  private final ViewKeeper keeper =
      new ViewKeeper(
          machine,
          node("a"),
          REPORT_MILLIS,
          () -> incarnation,
          outlived::add,
          () -> peers,
          () -> status);

  @Test
  void theLeaderNamesTheMembersAtOnce() {
    keeper.offer(log);
    assertNull(keeper.view());
    ticks(1);
    assertEquals(List.of("roster 0 abc"), log.submitted);
    log.commit();
    ticks(20);
    assertEquals(List.of("roster 0 abc"), log.submitted);
    assertEquals(machine.state().view(), keeper.view());
    assertEquals(List.of(Duration.ofSeconds(5)), log.deadlines);
  }

  @Test
  void anotherMemberNamesThemWhenTheLeaderDoesNot() {
    keeper.offer(log);
    status = status(0, "b", "abc");
    ticks(8);
    assertEquals(List.of(), log.submitted);
    ticks(1);
    assertEquals(List.of("roster 0 abc"), log.submitted);
    log.commit();
    ticks(1);
    status = status(1, null, "abcd");
    ticks(8);
    assertEquals(1, log.submitted.size());
    ticks(1);
    assertEquals(List.of("roster 0 abc", "roster 1 abcd"), log.submitted);
  }

  @Test
  void whoIsNoMemberSaysNothing() {
    keeper.offer(log);
    status = status(0, "a", "bcd");
    ticks(20);
    status = null;
    ticks(20);
    assertEquals(List.of(), log.submitted);
  }

  @Test
  void withoutALogNothingHappens() {
    suspect("c", State.SUSPECT, 1, 3);
    ticks(20);
    assertNull(keeper.view());
    keeper.offer(log);
    keeper.offer(null);
    ticks(20);
    assertEquals(List.of(), log.submitted);
  }

  @Test
  void aSuspicionIsReportedWhenItIsOldEnough() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(4);
    assertEquals(List.of(), log.submitted);
    ticks(1);
    assertEquals(List.of("a7 c3"), log.submitted);
    log.commit();
    ticks(20);
    assertEquals(1, log.submitted.size());
    suspect("c", State.ALIVE, 2, 3);
    ticks(1);
    assertEquals(List.of("a7 c3", "a7"), log.submitted);
    log.commit();
    ticks(20);
    assertEquals(2, log.submitted.size());
  }

  @Test
  void aSuspicionThatEndedInBetweenIsANewOne() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(4);
    suspect("c", State.SUSPECT, 2, 3);
    ticks(4);
    suspect("c", State.ALIVE, 3, 3);
    ticks(1);
    suspect("c", State.SUSPECT, 4, 3);
    ticks(4);
    assertEquals(List.of(), log.submitted);
    suspect("c", State.LEFT, 5, 3);
    ticks(1);
    assertEquals(List.of("a7 c3"), log.submitted);
  }

  @Test
  void onlyMembersAreReported() {
    begin();
    suspect("x", State.SUSPECT, 1, 3);
    suspect("b", State.UNREACHABLE, 1, 3);
    ticks(20);
    assertEquals(List.of(), log.submitted);
  }

  @Test
  void oneCommandIsOnItsWayAtMost() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(5);
    suspect("b", State.SUSPECT, 2, 4);
    ticks(40);
    assertEquals(List.of("a7 c3"), log.submitted);
    log.commit();
    ticks(1);
    assertEquals(List.of("a7 c3", "a7 b4 c3"), log.submitted);
  }

  @Test
  void failuresAreRetriedAfterPausesThatDouble() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(5);
    for (int pause : new int[] {4, 8, 16, 32, 40, 40}) {
      int before = log.submitted.size();
      log.fail();
      ticks(pause);
      assertEquals(before, log.submitted.size(), "after less than " + pause + " ticks");
      ticks(1);
      assertEquals(before + 1, log.submitted.size(), "after " + pause + " ticks");
    }
    log.commit();
    suspect("c", State.ALIVE, 2, 3);
    ticks(1);
    log.fail();
    ticks(5);
    assertEquals(List.of("a7", "a7"), log.submitted.subList(7, 9));
  }

  @Test
  void aServiceThatThrowsIsLikeAFailure() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    log.isClosed = true;
    ticks(5);
    log.isClosed = false;
    ticks(4);
    assertEquals(List.of(), log.submitted);
    ticks(1);
    assertEquals(List.of("a7 c3"), log.submitted);
  }

  @Test
  void whatWasGivenToALogThatIsGoneIsSaidToTheNext() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(5);
    Log next = new Log();
    keeper.offer(next);
    ticks(4);
    assertEquals(List.of(), next.submitted);
    ticks(1);
    assertEquals(List.of("a7 c3"), next.submitted);
    assertEquals(List.of("a7 c3"), log.submitted);
  }

  @Test
  void whatWasAppliedAndIsGoneIsSaidAgainButNotAtEveryTick() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(5);
    log.commit();
    apply(Entry.Kind.SESSION_ENDED, new byte[0]);
    ticks(4);
    assertEquals(List.of("a7 c3"), log.submitted);
    ticks(1);
    assertEquals(List.of("a7 c3", "a7 c3"), log.submitted);
  }

  @Test
  void whoIsOutOfTheViewSaysNothing() {
    begin();
    apply(opinion("b", 1, "a"));
    apply(opinion("c", 1, "a"));
    suspect("c", State.SUSPECT, 1, 3);
    ticks(20);
    assertEquals(List.of(), log.submitted);
    apply(opinion("b", 1, ""));
    apply(opinion("c", 1, ""));
    ticks(1);
    assertEquals(List.of("a7 c3"), log.submitted);
  }

  @Test
  void aLifeThatWouldNotBeHeardSaysNothing() {
    begin();
    apply(opinion("a", 8, ""));
    suspect("c", State.SUSPECT, 1, 3);
    ticks(20);
    assertEquals(List.of(), log.submitted);
    assertEquals(8L, outlived.get(0), "it is told to rise above that");
    incarnation = 8;
    ticks(1);
    assertEquals(List.of("a8 c3"), log.submitted);
  }

  @Test
  void whoLeavesTakesBackWhatItHasSaid() {
    begin();
    keeper.leave(1);
    assertEquals(List.of(), log.submitted, "there is nothing to take back");
    suspect("c", State.SUSPECT, 1, 3);
    ticks(5);
    log.commit();
    keeper.leave(1);
    assertEquals(List.of("a7 c3", "a7"), log.submitted);
  }

  @Test
  void anotherLifeOfTheSuspectIsReported() {
    begin();
    suspect("c", State.SUSPECT, 1, 3);
    ticks(5);
    log.commit();
    suspect("c", State.SUSPECT, 1, 4);
    ticks(1);
    assertEquals(List.of("a7 c3", "a7 c4"), log.submitted);
  }

  @Test
  void aNewLifeStandsByWhatTheOldOneSaidUntilItKnowsBetter() {
    apply(new ViewRequest.Roster(0, nodes("abc")));
    apply(opinion("a", 6, "bc"));
    keeper.offer(log);
    ticks(4);
    suspect("b", State.NEW, 1, 0);
    suspect("c", State.NEW, 1, 0);
    ticks(4);
    suspect("b", State.SUSPECT, 2, 1);
    ticks(4);
    assertEquals(List.of(), log.submitted);
    suspect("c", State.ALIVE, 3, 2);
    ticks(1);
    assertEquals(List.of("a7 b1"), log.submitted);
  }

  /** The log knows the members. */
  private void begin() {
    apply(new ViewRequest.Roster(0, nodes("abc")));
    keeper.offer(log);
    ticks(1);
    assertEquals(List.of(), log.submitted);
  }

  private void ticks(int count) {
    for (int i = 0; i < count; i++) {
      now += ViewKeeper.TICK_NANOS;
      keeper.tick(now);
    }
  }

  private void suspect(String peer, State state, long sinceMillis, long life) {
    peers.put(
        node(peer), new Suspicion(node(peer), state, 0, sinceMillis, 0, life, Evidence.NONE, ""));
  }

  private byte[] apply(ViewRequest request) {
    return apply(Entry.Kind.COMMAND, request.encode());
  }

  private byte[] apply(Entry.Kind kind, byte[] command) {
    return machine.apply(new Entry(kind, ++position, 0, 1, command));
  }

  private static ViewRequest opinion(String observer, long life, String suspects) {
    SortedMap<NodeId, Long> lives = new TreeMap<>();
    nodes(suspects).forEach(node -> lives.put(node, 1L));
    return new ViewRequest.Opinion(node(observer), life, lives);
  }

  private static GroupStatus status(int segment, @Nullable String leader, String members) {
    SortedMap<NodeId, Address> addresses = new TreeMap<>();
    nodes(members).forEach(node -> addresses.put(node, new Address("localhost", 1)));
    NodeId leads = leader == null ? null : node(leader);
    return new GroupStatus(
        "main", node("a"), "raft", segment, "", leads, 1, 0, 0, 0, 0, addresses, "", List.of());
  }

  private static NodeId node(String letter) {
    return new NodeId(letter);
  }

  private static SortedSet<NodeId> nodes(String letters) {
    SortedSet<NodeId> nodes = new TreeSet<>();
    letters.chars().forEach(letter -> nodes.add(node(String.valueOf((char) letter))));
    return nodes;
  }

  /** A log that decides when it is told to. */
  private final class Log implements ConsensusService {
    final List<String> submitted = new ArrayList<>();
    final List<Duration> deadlines = new ArrayList<>();
    boolean isClosed;
    private byte[] command = {};
    private CompletableFuture<Committed> result = CompletableFuture.failedFuture(late());

    @Override
    public CompletionStage<Committed> submit(byte[] bytes, Duration deadline) {
      if (isClosed) {
        throw new IllegalStateException("closed");
      }
      assertTrue(result.isDone(), "one on its way at most");
      submitted.add(inWords(ViewRequest.decode(bytes)));
      deadlines.add(deadline);
      command = bytes;
      result = new CompletableFuture<>();
      return result.minimalCompletionStage();
    }

    void commit() {
      result.complete(new Committed(position + 1, apply(Entry.Kind.COMMAND, command)));
    }

    void fail() {
      result.completeExceptionally(late());
    }

    private static CoordinationException late() {
      return CoordinationException.refused(Reason.TIMEOUT, "too late");
    }

    private static String inWords(ViewRequest request) {
      if (request instanceof ViewRequest.Roster it) {
        String members = it.members().stream().map(NodeId::value).collect(Collectors.joining());
        return "roster " + it.segment() + " " + members;
      } else if (request instanceof ViewRequest.Opinion it) {
        StringBuilder words = new StringBuilder(it.observer().value() + it.incarnation());
        it.suspects().forEach((node, life) -> words.append(" " + node + life));
        return words.toString();
      }
      throw new AssertionError("not to be submitted: " + request);
    }

    @Override
    public CompletionStage<byte[]> query(
        byte[] query, ReadConsistency consistency, Duration deadline) {
      throw new UnsupportedOperationException("nothing is asked");
    }

    @Override
    public CompletionStage<Swap> swap(
        Successor successor, Consumer<String> progress, Duration deadline) {
      throw new UnsupportedOperationException("the status is given");
    }

    @Override
    public Session session() {
      throw new UnsupportedOperationException("nothing is held");
    }

    @Override
    public @Nullable NodeId leader() {
      return null;
    }

    @Override
    public GroupStatus status() {
      throw new UnsupportedOperationException("it would have to wait");
    }
  }
}
