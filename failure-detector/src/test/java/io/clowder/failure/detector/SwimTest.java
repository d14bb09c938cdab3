// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.Evidence;
import io.clowder.failure.detector.SwimClaim.Kind;
import io.clowder.failure.detector.SwimCluster.Member;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** One detector by hand, and what a cluster of them does that the papers do not speak of. */
class SwimTest {
  private static final SwimSettings SETTINGS = SwimPaperTest.PRODUCTION;
  private static final long LIFE = 1_000;
  private static final NodeId SELF = new NodeId("n0");
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final NodeId X = new NodeId("x");

  private final Recorder out = new Recorder();
  private final Swim swim = new Swim(SELF, LIFE, SETTINGS, new SplittableRandom(1));
  private long now;

  @Test
  void silenceIsSuspectedInsideAndThenDeclared() {
    peers(A);
    greet(A);
    wakeUntil(() -> swim.level(A, now) == 1);
    assertEquals(List.of(), out.verdicts);
    wakeUntil(() -> !out.verdicts.isEmpty());
    assertEquals(List.of("suspect a SILENCE"), out.verdicts);
    assertEquals(Double.POSITIVE_INFINITY, swim.level(A, now));
    assertTrue(now <= SwimPaperTest.GOAL.detection().toNanos(), "after " + now);
  }

  @Test
  void aSignOfLifeEndsWhatASilenceBegan() {
    peers(A);
    greet(A);
    wakeUntil(() -> swim.level(A, now) == 1);
    swim.heartbeat(A, 1, 0, now);
    assertEquals(0, swim.level(A, now));
    wakeUntil(() -> !out.verdicts.isEmpty());
    swim.sign(A, now);
    assertTrue(swim.wakeAt() <= now);
    swim.wake(now, out);
    assertEquals(List.of("suspect a SILENCE", "trust a HEARD"), out.verdicts);
  }

  @Test
  void aSignOfLifeMeetsARunningProbe() {
    peers(A);
    greet(A);
    wakeUntil(() -> !out.pinged.isEmpty());
    swim.sign(A, now);
    long end = now + SETTINGS.roundNanos();
    while (swim.wakeAt() <= end) {
      now = swim.wakeAt();
      swim.wake(now, out);
      swim.sign(A, now);
    }
    assertEquals(0, swim.level(A, now));
    assertEquals(0, swim.health());
  }

  @Test
  void aDeadClaimIsHearsay() {
    peers(A, B, X);
    greet(A, B, X);
    hear(A, claim(Kind.DEAD, X, 0, B));
    assertEquals(List.of("suspect x HEARSAY"), out.verdicts);
    hear(A, SwimClaim.alive(X, new SwimIncarnation(LIFE, 1)));
    assertEquals(List.of("suspect x HEARSAY", "trust x HEARSAY"), out.verdicts);
    hear(B, claim(Kind.DEAD, X, 0, B));
    assertEquals(2, out.verdicts.size());
  }

  @Test
  void rumoursAddNobody() {
    peers(A);
    greet(A);
    hear(A, claim(Kind.SUSPECT, X, 0, A), claim(Kind.DEAD, X, 0, A));
    assertEquals(0, swim.level(X, now));
    assertEquals(List.of(), out.verdicts);
    peers(A, X);
    assertEquals(0, swim.level(X, now));
  }

  @Test
  void aJoinerIsProbedBeforeARumourAboutItIsBelieved() {
    peers(A, B, X);
    greet(A, B);
    hear(A, claim(Kind.DEAD, X, 0, A));
    assertEquals(0, swim.level(X, now));
    wakeUntil(() -> !out.pinged.isEmpty());
    assertEquals(X, out.pinged.get(0));
    assertEquals(List.of(), out.verdicts);
  }

  @Test
  void aRumourThatWasOutlivedGoesToWhomItIsAbout() {
    peers(A, X);
    greet(A, X);
    hear(A, claim(Kind.SUSPECT, X, 0, A));
    assertEquals(1, swim.level(X, now));
    swim.sign(X, now);
    hear(A, claim(Kind.SUSPECT, X, 0, A));
    assertEquals(0, swim.level(X, now));
    wakeUntil(() -> !out.pinged.isEmpty());
    assertEquals(X, out.pinged.get(0));
    assertEquals(X, SwimGossip.decode(out.gossips.get(0)).claims().get(0).node());
  }

  @Test
  void aPeerThatAnswersWithoutGossipIsNotJudgedByRumour() {
    peers(A, X);
    greet(A, X);
    wakeUntil(() -> out.pinged.contains(X));
    swim.answered(X, out.token, new byte[0], now, out);
    hear(A, claim(Kind.DEAD, X, 0, A));
    assertEquals(0, swim.level(X, now));
    assertEquals(List.of(), out.verdicts);
  }

  @Test
  void gossipThatIsNoneIsASignOfLifeAndNoMore() {
    peers(A);
    greet(A);
    wakeUntil(() -> swim.level(A, now) == 1);
    swim.gossip(A, new byte[] {1, 2, 3}, now, out);
    assertEquals(0, swim.level(A, now));
  }

  @Test
  void itRefutesWhatIsSaidAboutItself() {
    peers(A);
    greet(A);
    hear(A, claim(Kind.SUSPECT, SELF, 0, A));
    assertEquals(1, swim.refutations());
    hear(A, claim(Kind.DEAD, SELF, 0, A));
    assertEquals(1, swim.refutations());
    hear(A, claim(Kind.DEAD, SELF, 7, A));
    assertEquals(8, swim.refutations());
    SwimGossip gossip = SwimGossip.decode(swim.gossipFor(A));
    assertEquals(new SwimIncarnation(LIFE, 8), gossip.sender());
    assertEquals(List.of(SwimClaim.alive(SELF, new SwimIncarnation(LIFE, 8))), gossip.claims());
  }

  @Test
  void aNewLifeForgetsTheOldOne() {
    peers(A);
    greet(A);
    wakeUntil(() -> !out.verdicts.isEmpty());
    swim.restarted(A, LIFE + 1, now);
    assertEquals(0, swim.level(A, now));
    hear(A, claim(Kind.DEAD, A, 99, B));
    assertEquals(0, swim.level(A, now));
  }

  @Test
  void theTimeOfAStallIsNobodysSilence() {
    for (boolean isTold : new boolean[] {true, false}) {
      SwimTest test = new SwimTest();
      test.peers(A);
      test.greet(A);
      test.wakeUntil(() -> test.swim.level(A, test.now) == 1);
      int health = test.swim.health();
      test.now += 10 * SwimCluster.SECONDS;
      if (isTold) {
        test.swim.stalled(10 * SwimCluster.SECONDS, test.now);
        assertEquals(health + 1, test.swim.health());
      }
      test.swim.wake(test.now, test.out);
      assertEquals(isTold ? 0 : 1, test.out.verdicts.size());
    }
  }

  @Test
  void anObserverThatStoodStillForTenSecondsSuspectsNobody() {
    for (int seed = 0; seed < 20; seed++) {
      SwimCluster cluster = new SwimCluster(7, SETTINGS, seed);
      cluster.isStallAware = true;
      cluster.runUntil(10 * SwimCluster.SECONDS);
      Member observer = cluster.members.get(0);
      for (int i = 0; i < 5; i++) {
        observer.stall(10 * SwimCluster.SECONDS);
        cluster.run(10 * SwimCluster.SECONDS + 50 * SwimCluster.MILLIS);
      }
      assertEquals(
          List.of(), cluster.verdicts.stream().filter(v -> v.about() != observer).toList());
    }
  }

  @Test
  void whoIsReachedThroughOthersIsNotSuspected() {
    SwimCluster cluster = new SwimCluster(5, SETTINGS, 1);
    Member one = cluster.members.get(0);
    Member other = cluster.members.get(1);
    cluster.isCut = (from, to) -> from == one && to == other;
    cluster.runUntil(60 * SwimCluster.SECONDS);
    assertEquals(List.of(), cluster.verdicts);
  }

  @Test
  void theEndsOfAPartitionMeetAgain() {
    SwimCluster cluster = new SwimCluster(8, SETTINGS, 1);
    cluster.runUntil(5 * SwimCluster.SECONDS);
    cluster.isCut = (from, to) -> from.index < 4 != to.index < 4;
    cluster.run(10 * SwimCluster.SECONDS);
    assertEquals(2 * 4 * 4, cluster.verdicts.size());
    cluster.isCut = (from, to) -> false;
    cluster.run(10 * SwimCluster.SECONDS);
    for (Member member : cluster.members) {
      for (Member peer : cluster.members) {
        assertEquals(0, member.detector.level(peer.id, 0), member + " about " + peer);
      }
    }
  }

  @Test
  void theSameSeedIsTheSameRun() {
    List<List<SwimCluster.Verdict>> runs = new ArrayList<>();
    long[] messages = new long[2];
    for (int i = 0; i < 2; i++) {
      SwimCluster cluster = new SwimCluster(20, SETTINGS, 7);
      cluster.loss = 0.2;
      cluster.runUntil(60 * SwimCluster.SECONDS);
      runs.add(cluster.verdicts);
      messages[i] = cluster.messages;
    }
    assertEquals(runs.get(0).toString(), runs.get(1).toString());
    assertEquals(messages[0], messages[1]);
  }

  private void peers(NodeId... peers) {
    swim.peers(new TreeSet<>(Set.of(peers)), now);
  }

  private void greet(NodeId... peers) {
    for (NodeId peer : peers) {
      swim.restarted(peer, LIFE, now);
      swim.sign(peer, now);
    }
  }

  private void hear(NodeId from, SwimClaim... claims) {
    SwimGossip gossip = new SwimGossip(new SwimIncarnation(LIFE, 0), List.of(claims));
    swim.gossip(from, gossip.encode(), now, out);
  }

  private static SwimClaim claim(Kind kind, NodeId node, long refutations, NodeId source) {
    return new SwimClaim(kind, node, new SwimIncarnation(LIFE, refutations), source);
  }

  private void wakeUntil(BooleanSupplier end) {
    for (int i = 0; !end.getAsBoolean(); i++) {
      assertTrue(i < 1_000, "it never comes");
      now = Math.max(now, swim.wakeAt());
      swim.wake(now, out);
    }
  }

  /** What the detector asked for. */
  private static final class Recorder implements Detector.Probes {
    final List<NodeId> pinged = new ArrayList<>();
    final List<String> verdicts = new ArrayList<>();
    final List<byte[]> gossips = new ArrayList<>();
    long token;

    @Override
    public void ping(NodeId peer, long token, byte[] gossip) {
      pinged.add(peer);
      this.token = token;
      gossips.add(gossip);
    }

    @Override
    public void pingThrough(NodeId relay, NodeId peer, long token, long withinNanos) {}

    @Override
    public void tell(NodeId peer, byte[] gossip) {}

    @Override
    public void suspect(NodeId peer, Evidence evidence, String detail) {
      verdicts.add("suspect " + peer + " " + evidence);
    }

    @Override
    public void trust(NodeId peer, Evidence evidence) {
      verdicts.add("trust " + peer + " " + evidence);
    }
  }
}
