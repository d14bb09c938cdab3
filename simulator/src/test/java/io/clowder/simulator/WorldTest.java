// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WorldTest {
  private final World world = new World(7);
  private final List<String> log = new ArrayList<>();
  private final SimulatedProcess process = new SimulatedProcess(world, "p", () -> log.add("death"));

  @Test
  void eventsHappenByTimeThenByOrderOfPlanning() {
    world.after(20, "c", () -> log.add("c"));
    world.after(10, "a", () -> log.add("a"));
    world.after(10, "b", () -> log.add("b"));
    world.after(15, "x", () -> log.add("x")).cancel();
    world.runUntil(100);
    assertEquals(List.of("a", "b", "c"), log);
    assertEquals(100, world.now());
    assertEquals(3, world.steps());
  }

  @Test
  void whatIsCancelledMakesNothingElseHappenEarly() {
    world.after(10, "x", () -> log.add("x")).cancel();
    world.after(20, "a", () -> log.add("a"));
    world.runUntil(15);
    assertEquals(List.of(), log);
    assertFalse(world.runUntil(() -> !log.isEmpty(), 19));
    assertEquals(15, world.now());
  }

  @Test
  void chanceOfOneConcernIsIndependentOfOthers() {
    var other = new World(7);
    long unused = other.random("network").nextLong();
    assertEquals(other.random("disk").nextLong(), world.random("disk").nextLong());
    assertNotEquals(unused, world.random("disk").nextLong());
    assertNotEquals(new World(8).random("disk").nextLong(), world.random("disk").nextLong());
  }

  @Test
  void whatADeadIncarnationPlannedNeverHappens() {
    process.start(() -> process.after(50, "late", () -> log.add("late")));
    world.runUntil(10);
    process.die();
    process.start(() -> log.add("again"));
    world.runUntil(100);
    assertEquals(List.of("death", "again"), log);
  }

  @Test
  void aPausedProcessCatchesUpInOrder() {
    process.start(
        () -> {
          process.after(10, "a", () -> log.add("a"));
          process.after(20, "b", () -> log.add("b"));
          process.after(60, "c", () -> log.add("c"));
        });
    world.runUntil(5);
    process.pause();
    world.runUntil(50);
    assertEquals(List.of(), log);
    process.resume();
    world.runUntil(50);
    assertEquals(List.of("a", "b"), log);
    world.runUntil(60);
    assertEquals(List.of("a", "b", "c"), log);
  }

  @Test
  void dyingWithinAnEventEndsTheIncarnationEvenIfTheProgramCatchesIt() {
    process.start(
        () -> {
          process.afterEveryEvent(() -> log.add("after"));
          try {
            throw process.dieHere("here");
          } catch (Crash caught) {
            log.add("caught");
          }
          process.after(1, "never", () -> log.add("never"));
        });
    world.runUntil(100);
    assertEquals(List.of("caught", "death"), log);
    assertFalse(process.isUp());
  }

  @Test
  void aClockThatRunsFastWakesItsProcessEarly() {
    process.clock().setRate(1.1);
    long origin = process.clock().nanoTime();
    process.start(() -> process.afterLocal(1_100, "alarm", () -> log.add("alarm")));
    world.runUntil(999);
    assertEquals(List.of(), log);
    world.runUntil(1_000);
    assertEquals(List.of("alarm"), log);
    assertEquals(1_100, process.clock().nanoTime() - origin);
    process.clock().setRate(0.9);
    assertEquals(1_100, process.clock().nanoTime() - origin);
    world.runUntil(2_000);
    assertEquals(2_000, process.clock().nanoTime() - origin);
    long wall = process.clock().wallMillis();
    process.clock().jumpWall(-5_000);
    assertEquals(wall - 5_000, process.clock().wallMillis());
  }

  @Test
  void whileAComputerSleepsOnlyItsWallClockGoesOn() {
    long origin = process.clock().nanoTime();
    process.start(() -> process.after(10, "late", () -> log.add("late")));
    world.runUntil(5);
    process.suspend();
    long wall = process.clock().wallMillis();
    world.runUntil(2_000_005);
    assertEquals(5, process.clock().nanoTime() - origin);
    assertEquals(wall + 2, process.clock().wallMillis());
    process.resume();
    world.runUntil(2_000_010);
    assertEquals(List.of("late"), log);
    assertEquals(10, process.clock().nanoTime() - origin);
    process.clock().jumpWall(-5);
    assertEquals(wall + 2, process.clock().wallMillisMax());
  }

  @Test
  void anAlarmGoesOffByTheClockOfItsProcess() {
    var timer = new SimulatedTimer(process, Runnable::run);
    process.start(
        () -> {
          timer.after(Duration.ofNanos(1_000), () -> log.add("alarm"));
          timer.after(Duration.ofNanos(1_000), () -> log.add("never")).run();
        });
    world.runUntil(100);
    process.clock().setRate(0.5);
    world.runUntil(1_899);
    assertEquals(List.of(), log);
    world.runUntil(1_901);
    assertEquals(List.of("alarm"), log);
  }

  @Test
  void aHungDeviceFinishesAfterItRecovers() {
    var pace = new Pace(world.random("pace"), 10, 20);
    process.start(
        () -> {
          var executor = new SimulatedExecutor(process, "disk", pace);
          pace.hang();
          executor.execute(() -> log.add("one"));
          executor.execute(() -> log.add("two"));
        });
    world.runUntil(10_000);
    assertEquals(List.of(), log);
    pace.recover();
    world.runUntil(20_000);
    assertEquals(List.of("one", "two"), log);
  }

  @Test
  void whatHungInADeadIncarnationStaysUndone() {
    var pace = new Pace(world.random("pace"), 10, 20);
    process.start(
        () -> {
          pace.hang();
          new SimulatedExecutor(process, "disk", pace).execute(() -> log.add("one"));
        });
    world.runUntil(10_000);
    process.die();
    process.start(() -> log.add("again"));
    pace.recover();
    world.runUntil(20_000);
    assertEquals(List.of("death", "again"), log);
  }

  @Test
  void invariantsAreCheckedAfterEveryEvent() {
    world.always(
        () -> {
          if (log.size() > 1) {
            throw new AssertionError("two");
          }
        });
    world.after(1, "a", () -> log.add("a"));
    world.after(2, "b", () -> log.add("b"));
    assertTrue(world.step());
    var broken = assertThrows(AssertionError.class, world::step);
    assertEquals("two", broken.getMessage());
  }
}
