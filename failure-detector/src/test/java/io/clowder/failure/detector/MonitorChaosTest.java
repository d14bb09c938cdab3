// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static io.clowder.failure.detector.MonitorWorld.GOAL;
import static io.clowder.failure.detector.MonitorWorld.MILLI;
import static io.clowder.failure.detector.MonitorWorld.SECOND;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionAlgorithm;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.failure.FailureEvent.Kind;
import io.clowder.api.failure.Suspicion.State;
import io.clowder.failure.detector.MonitorWorld.Box;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold whatever goes wrong, for every algorithm, alone and mixed with others. */
class MonitorChaosTest {
  /** More seeds: {@code -Dfd.seeds=N}. */
  private static final int SEEDS = Integer.getInteger("fd.seeds", 25);

  static final Map<String, Supplier<DetectionAlgorithm>> ALGORITHMS =
      Map.of(
          "adaptive", AdaptiveDetection::new,
          "chen", () -> new ChenDetection(usual(ChenDetection.Config.class)),
          "phi", () -> new PhiDetection(usual(PhiDetection.Config.class)),
          "fixed", () -> new FixedDetection(usual(FixedDetection.Config.class)),
          "swim", () -> new SwimAlgorithm(usual(SwimAlgorithm.Config.class)));

  private static <T> T usual(Class<T> config) {
    return AlgorithmsTest.config(config, Map.of());
  }

  private static DetectionAlgorithm algorithm(String name, SplittableRandom random) {
    if (!name.equals("mixed")) {
      return ALGORITHMS.get(name).get();
    }
    List<String> names = ALGORITHMS.keySet().stream().sorted().toList();
    return ALGORITHMS.get(names.get(random.nextInt(names.size()))).get();
  }

  private static MonitorWorld world(String name, long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed ^ 0x5EED);
    MonitorWorld world =
        new MonitorWorld(
            seed, count, id -> algorithm(name, random).open(id, 1, GOAL, random.split()));
    return world.startAll().runFor(5 * SECOND);
  }

  @ParameterizedTest
  @ValueSource(strings = {"adaptive", "chen", "phi", "fixed", "swim", "mixed"})
  void aloneOrMixedTheHealthyAreNotBlamed(String name) {
    for (int count : new int[] {3, 5, 7}) {
      MonitorWorld world = world(name, count, count);
      world.loss = 0.01;
      world.delayMillis = 10;
      world.runFor(300 * SECOND);
      assertEquals(0, world.events(), name + " with " + count);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"adaptive", "chen", "phi", "fixed", "swim", "mixed"})
  void whateverHappensEventsAlternateAndTheTruthWinsInTheEnd(String name) {
    for (int seed = 0; seed < SEEDS; seed++) {
      MonitorWorld world = world(name, seed, 3 + seed % 5);
      SplittableRandom random = world.random;
      for (int fault = 0; fault < 30; fault++) {
        fault(world, name, random);
        world.runFor(random.nextLong(4 * SECOND));
      }
      world.unblockAll();
      world.loss = 0;
      world.nodes.values().stream().filter(it -> it.paused).forEach(Box::resume);
      world.runFor(10 * SECOND);
      String run = name + ", seed " + seed;
      world.nodes.values().forEach(box -> check(world, box, run));
    }
  }

  private static void fault(MonitorWorld world, String name, SplittableRandom random) {
    int count = world.nodes.size();
    Box box = world.box(1 + random.nextInt(count));
    switch (random.nextInt(8)) {
      case 0 -> world.block(1 + random.nextInt(count), 1 + random.nextInt(count));
      case 1 -> world.unblockAll();
      case 2 -> world.loss = random.nextDouble() * 0.3;
      case 3 -> world.loss = 0;
      case 4 -> {
        if (box.up && !box.paused) {
          box.pause();
        }
      }
      case 5 -> {
        if (box.paused) {
          box.resume();
        }
      }
      case 6 -> {
        if (!box.up) {
          box.start();
        } else if (random.nextBoolean()) {
          box.kill();
        }
      }
      default -> {
        if (box.up && !box.paused) {
          box.monitor.use(
              "next", algorithm(name, random).open(box.id, 1, GOAL, random.split()), box.time());
        }
      }
    }
  }

  private static void check(MonitorWorld world, Box box, String run) {
    Map<NodeId, FailureEvent> last = new HashMap<>();
    for (FailureEvent event : sinceStart(box)) {
      FailureEvent before = last.put(event.node(), event);
      Kind expected = before == null || before.kind() == Kind.TRUST ? Kind.SUSPECT : Kind.TRUST;
      assertEquals(expected, event.kind(), run + ": " + box.events);
      assertTrue(
          before == null || before.incarnation() <= event.incarnation(), run + ": " + box.events);
    }
    if (!box.up) {
      return;
    }
    for (Box other : world.nodes.values()) {
      if (other != box) {
        State state = box.monitor.suspicions().get(other.id).state();
        State expected = other.up ? State.ALIVE : State.SUSPECT;
        assertEquals(expected, state, run + ": " + box.id + " on " + other.id);
      }
    }
  }

  private static List<FailureEvent> sinceStart(Box box) {
    return new ArrayList<>(box.events.subList(box.eventsBefore, box.events.size()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"adaptive", "chen", "phi", "fixed", "swim", "mixed"})
  void aFrozenProcessIsSuspectedWithinTheGoal(String name) {
    for (int seed = 0; seed < SEEDS; seed++) {
      MonitorWorld world = world(name, seed, 3 + seed % 5);
      world.delayMillis = 3;
      world.runFor(30 * SECOND + world.random.nextLong(SECOND));
      long frozen = world.now();
      world.box(1).pause();
      world.runFor(6 * SECOND);
      for (Box box : world.nodes.values()) {
        if (box != world.box(1)) {
          assertEquals(1, box.events.size(), name + ", seed " + seed);
          long took = box.eventTimes.get(0) - frozen;
          // SWIM counts on others who run it, too: alone among others it may be late by a third.
          boolean isOddOneOut = name.equals("mixed") && asks(box, world.box(1));
          long limit = GOAL.detection().toNanos() / 3 * (isOddOneOut ? 4 : 3);
          assertTrue(took <= limit, name + ", seed " + seed + ": " + took / MILLI + " ms");
        }
      }
    }
  }

  /** Whether a node probes instead of listening. */
  private static boolean asks(Box box, Box other) {
    return box.monitor.qualities().get(other.id).intervalMillis() == 0;
  }

  @ParameterizedTest
  @ValueSource(strings = {"adaptive", "chen", "phi", "fixed", "swim", "mixed"})
  void whoStoodStillSuspectsNobody(String name) {
    for (int seed = 0; seed < SEEDS; seed++) {
      MonitorWorld world = world(name, seed, 3);
      for (int stall = 0; stall < 15; stall++) {
        world.runFor(world.random.nextLong(3 * SECOND));
        world.box(1).pause();
        world.runFor(world.random.nextLong(12 * SECOND));
        world.box(1).resume();
      }
      world.runFor(5 * SECOND);
      assertEquals(List.of(), world.box(1).events, name + ", seed " + seed);
    }
  }
}
