// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static io.clowder.failure.detector.MonitorWorld.GOAL;
import static io.clowder.failure.detector.MonitorWorld.MILLI;
import static io.clowder.failure.detector.MonitorWorld.SECOND;
import static io.clowder.failure.detector.MonitorWorld.id;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureEvent.Kind;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.Suspicion.State;
import io.clowder.failure.detector.MonitorWorld.Box;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MonitorTest {
  private static final long SETTLED = 5 * SECOND;

  private static Detector patience(NodeId self) {
    return new Patience(500 * MILLI, 2_300 * MILLI);
  }

  private static MonitorWorld world(long seed, int count) {
    MonitorWorld world = new MonitorWorld(seed, count, MonitorTest::patience).startAll();
    return world.runFor(SETTLED);
  }

  private static State state(MonitorWorld world, int observer, int node) {
    return world.box(observer).monitor.suspicions().get(id(node)).state();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 7})
  void theHealthyAreNotBlamed(int count) {
    MonitorWorld world = world(1, count);
    world.loss = 0.02;
    world.delayMillis = 20;
    world.runFor(600 * SECOND);
    assertEquals(0, world.events());
    world
        .nodes
        .values()
        .forEach(
            box ->
                box.monitor
                    .suspicions()
                    .values()
                    .forEach(it -> assertEquals(State.ALIVE, it.state())));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 7})
  void aKilledProcessIsSuspectedAtOnceByAll(int count) {
    MonitorWorld world = world(2, count);
    world.box(1).kill();
    world.runFor(100 * MILLI);
    for (int observer = 2; observer <= count; observer++) {
      FailureEvent event = world.box(observer).events.get(0);
      assertEquals(Evidence.REFUSED, event.evidence());
      assertEquals(id(1), event.node());
      assertEquals(1, world.box(observer).events.size());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 7})
  void aFrozenProcessIsSuspectedInTimeAndBlamesNobody(int count) {
    for (int seed = 0; seed < 20; seed++) {
      MonitorWorld world = world(seed, count);
      world.runFor(world.random.nextLong(SECOND));
      long frozen = world.now();
      world.box(1).pause();
      world.runFor(10 * SECOND);
      for (int observer = 2; observer <= count; observer++) {
        Box box = world.box(observer);
        assertEquals(1, box.events.size());
        assertEquals(Evidence.SILENCE, box.events.get(0).evidence());
        long took = box.eventTimes.get(0) - frozen;
        assertTrue(took <= GOAL.detection().toNanos(), took + " ns");
      }
      world.box(1).resume();
      world.runFor(5 * SECOND);
      assertEquals(List.of(), world.box(1).events, "seed " + seed);
      for (int observer = 2; observer <= count; observer++) {
        assertEquals(2, world.box(observer).events.size());
        assertEquals(Kind.TRUST, world.box(observer).events.get(1).kind());
        assertEquals(1, world.box(observer).monitor.qualities().get(id(1)).mistakes());
      }
      assertTrue(world.box(1).monitor.self().longestStallMillis() > 9_900);
    }
  }

  @Test
  void aNodeThatStoodStillSuspectsNobodyHoweverOften() {
    for (int seed = 0; seed < 50; seed++) {
      MonitorWorld world = world(seed, 3);
      for (int stall = 0; stall < 20; stall++) {
        world.runFor(world.random.nextLong(3 * SECOND));
        world.box(1).pause();
        world.runFor(world.random.nextLong(12 * SECOND));
        world.box(1).resume();
      }
      assertEquals(List.of(), world.box(1).events, "seed " + seed);
    }
  }

  @Test
  void whoWokeUpWaitsForItsConnectionsToComeBack() {
    for (int seed = 0; seed < 20; seed++) {
      MonitorWorld world = world(seed, 3);
      Box box = world.box(1);
      box.pause();
      world.runFor(12 * SECOND);
      // The others have given it up meanwhile: nothing waits for it, and dialling takes a while.
      box.held.clear();
      world.block(1, 2);
      world.block(1, 3);
      world.block(2, 1);
      world.block(3, 1);
      box.resume();
      world.runFor(900 * MILLI);
      world.unblockAll();
      world.runFor(5 * SECOND);
      assertEquals(List.of(), box.events, "seed " + seed);
    }
  }

  @Test
  void whatPiledUpInAStallIsNoSample() {
    List<Long> samples = new ArrayList<>();
    MonitorWorld world =
        new MonitorWorld(
            17,
            2,
            self ->
                new Patience(500 * MILLI, 2_300 * MILLI) {
                  @Override
                  public void heartbeat(NodeId peer, long sequence, long interval, long nanos) {
                    super.heartbeat(peer, sequence, interval, nanos);
                    if (self.equals(id(1))) {
                      samples.add(nanos);
                    }
                  }
                });
    world.startAll().runFor(SETTLED);
    world.box(1).pause();
    world.runFor(4 * SECOND);
    world.box(1).resume();
    world.runFor(5 * SECOND);
    assertTrue(samples.size() > 15, samples.toString());
    for (int i = 1; i < samples.size(); i++) {
      long gap = samples.get(i) - samples.get(i - 1);
      assertTrue(gap > 450 * MILLI, "two heartbeats within " + gap / MILLI + " ms");
    }
  }

  @Test
  void aHiccupDuringAnExchangeOfTheAlgorithmIsNoFailure() {
    MonitorWorld world = world(18, 2);
    Box box = world.box(1);
    box.monitor.use("hasty", new Patience(100 * MILLI, 150 * MILLI), box.time());
    world.block(2, 1);
    world.runFor(900 * MILLI);
    world.unblockAll();
    world.runFor(10 * SECOND);
    assertEquals(0, world.events());
  }

  @Test
  void aNodeThatDidNotRunStillNoticesWhoDiedMeanwhile() {
    MonitorWorld world = world(3, 3);
    world.box(1).pause();
    world.runFor(SECOND);
    world.box(3).pause();
    world.runFor(10 * SECOND);
    world.box(1).resume();
    world.runFor(4 * SECOND);
    assertEquals(Evidence.SILENCE, world.box(1).events.get(0).evidence());
    assertEquals(id(3), world.box(1).events.get(0).node());
    assertEquals(1, world.box(1).events.size());
  }

  @Test
  void aLinkThatWorksOneWayIsToldFromAFailure() {
    MonitorWorld world = world(4, 3);
    world.block(3, 1);
    world.runFor(30 * SECOND);
    assertEquals(0, world.events());
    assertEquals(State.UNREACHABLE, state(world, 1, 3));
    assertEquals(State.ALIVE, state(world, 3, 1));
    assertTrue(
        world.box(3).monitor.suspicions().get(id(1)).detail().contains("through others"),
        world.box(3).monitor.suspicions().toString());
    world.box(3).pause();
    world.runFor(5 * SECOND);
    assertEquals(State.SUSPECT, state(world, 1, 3));
    world.box(3).resume();
    world.unblockAll();
    world.runFor(5 * SECOND);
    assertEquals(State.ALIVE, state(world, 1, 3));
  }

  @Test
  void whoIsCutOffIsSuspectedAndSuspects() {
    MonitorWorld world = world(5, 3);
    for (int other = 1; other <= 2; other++) {
      world.block(3, other);
      world.block(other, 3);
    }
    world.runFor(4 * SECOND);
    assertEquals(State.SUSPECT, state(world, 1, 3));
    assertEquals(State.SUSPECT, state(world, 2, 3));
    assertEquals(State.SUSPECT, state(world, 3, 1));
    assertEquals(State.SUSPECT, state(world, 3, 2));
    assertEquals(State.ALIVE, state(world, 1, 2));
    world.unblockAll();
    world.runFor(5 * SECOND);
    assertEquals(State.ALIVE, state(world, 3, 2));
    assertEquals(State.ALIVE, state(world, 1, 3));
  }

  @Test
  void whoSaysGoodbyeIsGoneUntilItsNextLife() {
    MonitorWorld world = world(6, 3);
    Box leaver = world.box(3);
    leaver.monitor.goodbye(leaver.time());
    world.runFor(20 * MILLI);
    assertEquals(State.LEFT, state(world, 1, 3));
    // It falls silent; what it had said before may still come late.
    world.runFor(10 * SECOND);
    Box observer = world.box(1);
    Signal late =
        new Signal(
            new Signal.Head(leaver.monitor.self().incarnation(), 0, 500, false, false, List.of()),
            new Signal.Heartbeat(99, 500, 1, 0, 0));
    observer.monitor.received(id(3), late, observer.time());
    assertEquals(State.LEFT, state(world, 1, 3));
    leaver.kill();
    world.runFor(10 * SECOND);
    leaver.start();
    world.runFor(SECOND);
    assertEquals(State.ALIVE, state(world, 1, 3));
    assertEquals(0, world.box(1).monitor.qualities().get(id(3)).mistakes());
  }

  @Test
  void aQuickRestartIsTheEndOfALife() {
    MonitorWorld world = world(7, 3);
    world.box(3).kill();
    world.runFor(2 * MILLI);
    world.box(3).start();
    world.runFor(SECOND);
    List<FailureEvent> events = world.box(1).events;
    assertEquals(2, events.size(), events.toString());
    assertEquals(Evidence.RESTARTED, events.get(0).evidence());
    assertEquals(Kind.TRUST, events.get(1).kind());
    assertTrue(events.get(1).incarnation() > events.get(0).incarnation());
    assertEquals(State.ALIVE, state(world, 3, 1));
  }

  @Test
  void aClockThatWentBackDoesNotMakeAGhost() {
    MonitorWorld world = world(8, 3);
    world.box(3).kill();
    world.runFor(SECOND);
    world.box(3).wallShiftMillis = -3_600_000;
    world.box(3).start();
    world.runFor(2 * SECOND);
    assertEquals(State.ALIVE, state(world, 1, 3));
    assertEquals(State.ALIVE, state(world, 3, 1));
  }

  @Test
  void aSuspendedMachineSuspectsNobody() {
    MonitorWorld world = world(9, 3);
    Box box = world.box(1);
    // Its monotonic clock stood still, the wall clock did not.
    box.wallShiftMillis += 3_600_000;
    world.runFor(2 * SECOND);
    assertEquals(List.of(), box.events);
    assertTrue(box.monitor.self().longestStallMillis() >= 3_599_000);
  }

  @Test
  void whoSaysItIsNotWellIsBelieved() {
    MonitorWorld world = world(10, 3);
    Box box = world.box(2);
    box.monitor.unwell(List.of("store"), box.time());
    world.runFor(50 * MILLI);
    FailureEvent event = world.box(1).events.get(0);
    assertEquals(Evidence.UNWELL, event.evidence());
    assertTrue(event.detail().contains("store"), event.detail());
    world.runFor(10 * SECOND);
    assertEquals(1, world.box(1).events.size());
    box.monitor.unwell(List.of(), box.time());
    world.runFor(50 * MILLI);
    assertEquals(Kind.TRUST, world.box(1).events.get(1).kind());
    assertEquals(0, world.box(1).monitor.qualities().get(id(2)).mistakes());
  }

  @Test
  void anExchangeOfTheAlgorithmChangesNobodysState() {
    MonitorWorld world = world(11, 3);
    world.box(3).pause();
    world.runFor(4 * SECOND);
    Box box = world.box(1);
    assertEquals(1, box.events.size());
    for (int i = 0; i < 50; i++) {
      box.monitor.use("other", new Patience((100 + 10 * i) * MILLI, 2_400 * MILLI), box.time());
      world.runFor(world.random.nextLong(SECOND));
    }
    assertEquals(1, box.events.size());
    assertEquals(State.SUSPECT, state(world, 1, 3));
    assertEquals("other", box.monitor.self().algorithm());
    assertEquals(590, box.monitor.qualities().get(id(2)).intervalMillis());
    world.runFor(20 * SECOND);
    assertEquals(1, box.events.size());
    world.box(2).pause();
    world.runFor(3 * SECOND);
    assertEquals(State.SUSPECT, state(world, 1, 2));
  }

  @Test
  void aJoinerHasTimeToSpeakFirst() {
    MonitorWorld world = new MonitorWorld(12, 3, MonitorTest::patience);
    world.box(1).start();
    world.box(2).start();
    world.runFor(2_900 * MILLI);
    assertEquals(State.NEW, state(world, 1, 3));
    assertEquals(0, world.events());
    world.runFor(SECOND);
    assertEquals(State.SUSPECT, state(world, 1, 3));
    assertTrue(world.box(1).events.get(0).detail().contains("never"));
    world.box(3).start();
    world.runFor(SECOND);
    assertEquals(State.ALIVE, state(world, 1, 3));
    assertEquals(0, world.box(1).monitor.qualities().get(id(3)).mistakes());
  }

  @Test
  void whoIsNoMemberAnyMoreIsNobodysSuspect() {
    MonitorWorld world = world(13, 3);
    world.box(3).kill();
    world.runFor(SECOND);
    Box box = world.box(1);
    box.monitor.members(new TreeSet<>(List.of(id(1), id(2))), box.time());
    assertEquals(Kind.TRUST, box.events.get(1).kind());
    assertFalse(box.monitor.suspicions().containsKey(id(3)));
    world.runFor(10 * SECOND);
    assertEquals(2, box.events.size());
    box.monitor.members(new TreeSet<>(List.of(id(1), id(2), id(3))), box.time());
    assertEquals(State.NEW, state(world, 1, 3));
  }

  @Test
  void trafficCountsForAWhile() {
    MonitorWorld world = world(14, 2);
    world.block(2, 1);
    world.box(1).silentNanos = 5 * MILLI;
    world.runFor(8 * SECOND);
    assertEquals(State.ALIVE, state(world, 1, 2));
    world.runFor(6 * SECOND);
    assertEquals(State.SUSPECT, state(world, 1, 2), "its detector has said nothing for too long");
  }

  private static Detector adaptive(NodeId self) {
    return new AdaptiveDetection().open(self, 1, GOAL, new SplittableRandom(1));
  }

  private static Detector swim(NodeId self) {
    return new SwimAlgorithm(AlgorithmsTest.config(SwimAlgorithm.Config.class, Map.of()))
        .open(self, 1, GOAL, new SplittableRandom(self.hashCode()));
  }

  @Test
  void whoFailsBeforeItsFirstHeartbeatIsSuspected() {
    MonitorWorld world = new MonitorWorld(20, 3, MonitorTest::adaptive).startAll();
    world.runFor(200 * MILLI);
    world.box(1).pause();
    world.runFor(4 * SECOND);
    assertEquals(State.SUSPECT, state(world, 2, 1));
  }

  @Test
  void whoFailsRightAfterARestartIsSuspected() {
    MonitorWorld world = new MonitorWorld(21, 3, MonitorTest::adaptive).startAll();
    world.runFor(SETTLED);
    world.box(1).kill();
    world.runFor(SETTLED);
    world.box(1).start();
    world.runFor(200 * MILLI);
    assertEquals(State.ALIVE, state(world, 2, 1));
    world.box(1).pause();
    world.runFor(4 * SECOND);
    assertEquals(State.SUSPECT, state(world, 2, 1));
  }

  @Test
  void whoFailsDuringAnExchangeOfTheAlgorithmIsSuspected() {
    MonitorWorld world = new MonitorWorld(22, 3, MonitorTest::swim).startAll();
    world.runFor(SETTLED);
    world.box(1).pause();
    for (int observer = 2; observer <= 3; observer++) {
      Box box = world.box(observer);
      box.monitor.use("adaptive", adaptive(box.id), box.time());
    }
    world.runFor(4 * SECOND);
    assertEquals(State.SUSPECT, state(world, 2, 1));
    assertEquals(State.SUSPECT, state(world, 3, 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"adaptive", "swim"})
  void aWallClockThatIsSetMovesNoDeadline(String name) {
    MonitorWorld world =
        new MonitorWorld(23, 3, name.equals("swim") ? MonitorTest::swim : MonitorTest::adaptive);
    world.startAll().runFor(SETTLED);
    for (int when = 0; when < 30; when++) {
      world.box(2).wallShiftMillis += 7_200_000;
      world.box(3).wallShiftMillis += 7_200_000;
      world.runFor(100 * MILLI);
    }
    world.box(1).pause();
    world.runFor(2_500 * MILLI);
    world.box(2).wallShiftMillis += 7_200_000;
    world.box(3).wallShiftMillis += 7_200_000;
    world.runFor(4 * SECOND);
    assertEquals(State.SUSPECT, state(world, 2, 1));
    assertEquals(State.SUSPECT, state(world, 3, 1));
    assertTrue(world.box(2).monitor.qualities().get(id(3)).observedMillis() > 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 500, 700, 1_000})
  void whoStandsStillAgainAndAgainSuspectsTheDeadAllTheSame(int everyMillis) {
    MonitorWorld world = new MonitorWorld(24, 3, MonitorTest::adaptive).startAll();
    world.runFor(SETTLED);
    world.box(1).pause();
    for (int i = 0; i < 20_000 / everyMillis; i++) {
      world.box(2).pause();
      world.runFor(150 * MILLI);
      world.box(2).resume();
      world.runFor((everyMillis - 150) * MILLI);
    }
    assertEquals(State.SUSPECT, state(world, 2, 1));
    assertEquals(State.ALIVE, state(world, 2, 3));
  }

  @Test
  void whoCameBackBehindABrokenLinkIsUnreachable() {
    MonitorWorld world = world(25, 3);
    world.box(1).kill();
    world.runFor(SETTLED);
    assertEquals(Evidence.REFUSED, world.box(2).monitor.suspicions().get(id(1)).evidence());
    world.block(1, 2);
    world.box(1).start();
    world.runFor(SETTLED);
    assertEquals(State.UNREACHABLE, state(world, 2, 1));
    assertEquals(State.ALIVE, state(world, 3, 1));
  }

  @Test
  void aPeerThatCountsAnewIsLearntFromAnew() {
    MonitorWorld world = world(26, 3);
    world.runFor(60 * SECOND);
    Box box = world.box(1);
    box.monitor.members(new TreeSet<>(List.of(id(1), id(3))), box.time());
    world.runFor(500 * MILLI);
    box.monitor.members(new TreeSet<>(world.nodes.keySet()), box.time());
    long before = world.box(2).monitor.qualities().get(id(1)).heartbeats();
    world.runFor(20 * SECOND);
    assertTrue(world.box(2).monitor.qualities().get(id(1)).heartbeats() >= before + 38);
    assertEquals(0, world.events());
  }

  @Test
  void whoIsConnectedAndHasNoDetectorIsNotBlamed() {
    MonitorWorld world = new MonitorWorld(27, 3, MonitorTest::patience);
    world.box(1).start();
    world.box(2).start();
    world.box(1).silentNanos = 5 * MILLI;
    world.runFor(20 * SECOND);
    assertEquals(State.NEW, state(world, 1, 3));
    assertTrue(world.box(1).monitor.suspicions().get(id(3)).detail().contains("detector"));
    world.box(1).silentNanos = 60 * SECOND;
    world.runFor(SECOND);
    assertEquals(State.SUSPECT, state(world, 1, 3));
  }

  @Test
  void afterALargerIncarnationSwimRefutesUnderIt() {
    MonitorWorld world = new MonitorWorld(28, 3, MonitorTest::swim).startAll();
    world.runFor(SETTLED);
    world.box(3).kill();
    world.runFor(SECOND);
    world.box(3).wallShiftMillis = -3_600_000;
    world.box(3).start();
    world.runFor(SETTLED);
    long life = world.box(3).monitor.self().incarnation();
    byte[] accusation =
        new SwimGossip(
                new SwimIncarnation(world.box(1).monitor.self().incarnation(), 0),
                List.of(
                    new SwimClaim(
                        SwimClaim.Kind.SUSPECT, id(3), new SwimIncarnation(life, 0), id(1))))
            .encode();
    int told = world.box(1).events.size();
    Signal.Head head =
        new Signal.Head(world.box(1).monitor.self().incarnation(), 0, 0, false, false, List.of());
    world.block(3, 1);
    world
        .box(2)
        .monitor
        .received(id(1), new Signal(head, new Signal.Gossip(accusation)), world.box(2).time());
    world.runFor(SETTLED);
    assertEquals(State.ALIVE, state(world, 2, 3));
    assertEquals(told, world.box(1).events.size());
  }

  @Test
  void theQualityIsMeasured() {
    MonitorWorld world = world(15, 3);
    world.loss = 0.1;
    world.runFor(100 * SECOND);
    QosReport report = world.box(1).monitor.qualities().get(id(2));
    assertEquals(500, report.intervalMillis());
    assertEquals(0.1, report.lossRate(), 0.05);
    assertEquals(1.1, report.roundTripMillis(), 4);
    assertTrue(report.heartbeats() > 150);
    assertTrue(report.detectionMillis() <= 3_000, report.toString());
    world.loss = 0;
    world.box(2).pause();
    world.runFor(13 * SECOND);
    world.box(2).resume();
    world.runFor(SECOND);
    report = world.box(1).monitor.qualities().get(id(2));
    assertEquals(1, report.mistakes());
    List<Long> times = world.box(1).eventTimes;
    assertEquals((times.get(1) - times.get(0)) / 1e6, report.durationMillis(), 1);
    assertEquals(1 - report.durationMillis() / 119_000, report.accuracy(), 0.01);
  }
}
