// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.task.Schedule;
import io.clowder.api.task.Schedule.Misfire;
import io.clowder.api.task.Schedule.Overlap;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Instants of schedules: which make a task, which are passed over, and when they fire. */
class InstantsTest {
  private static final long BEGIN = Desk.BEGIN;
  private static final long MINUTE = 60_000;

  private final Desk desk = new Desk();

  private static Instant in(long millis) {
    return Instant.ofEpochMilli(BEGIN + millis);
  }

  private static Trigger every(long period) {
    return new Trigger.FixedRate(in(period), Duration.ofMillis(period));
  }

  private static Schedule schedule(Trigger trigger) {
    return Schedule.of("s", trigger, Desk.request("t"));
  }

  private Plan arrange(Schedule schedule) {
    long next = Instants.first(schedule.trigger(), desk.now);
    long due = Instants.due(schedule.trigger(), schedule.name(), schedule.jitter(), next);
    desk.entry(() -> desk.board.plans().put(Shows.plan(schedule, Desk.AGING, next, due)));
    return plan();
  }

  private Plan plan() {
    Plan plan = desk.board.plans().get("s");
    if (plan == null) {
      throw new AssertionError("no schedule");
    }
    return plan;
  }

  /** What the leader does when it looks. */
  private int fire() {
    int looks = 0;
    while (!desk.board.plans().due(desk.now, 10).isEmpty()) {
      for (Plan plan : desk.board.plans().due(desk.now, 10)) {
        Firing firing = Instants.firing(plan, desk.now);
        assertTrue(desk.entry(() -> desk.board.fire(firing, Desk.QUEUE_MAX)));
      }
      looks++;
    }
    return looks;
  }

  private List<Long> made() {
    return desk.board.tasks().values().stream()
        .filter(task -> task.work().schedule() != null)
        .map(task -> task.work().notBefore() - BEGIN)
        .toList();
  }

  private static List<Long> list(LongStream stream) {
    return stream.boxed().toList();
  }

  // ---- first -----------------------------------------------------------------------------------

  @Test
  void theFirstInstantIsTheNextOneThatComes() {
    assertEquals(BEGIN + 700, Instants.first(every(700), BEGIN));
    assertEquals(BEGIN + 700, Instants.first(every(700), BEGIN + 700));
    assertEquals(BEGIN + 1_400, Instants.first(every(700), BEGIN + 701));
    Trigger fromEpoch = new Trigger.FixedRate(Instant.EPOCH, Duration.ofHours(1));
    assertEquals(0, Instants.first(fromEpoch, BEGIN) % 3_600_000);
    Trigger delay = new Trigger.FixedDelay(in(500), Duration.ofSeconds(1));
    assertEquals(BEGIN + 500, Instants.first(delay, BEGIN));
    assertEquals(BEGIN + 900, Instants.first(delay, BEGIN + 900));
    assertEquals(BEGIN + 500, Instants.first(new Trigger.At(in(500)), BEGIN));
    assertEquals(BEGIN + 900, Instants.first(new Trigger.At(in(500)), BEGIN + 900), "at once");
  }

  @Test
  void whatHasNoInstantOrOneOutOfRangeIsRefused() {
    Trigger never = new Trigger.Cron("0 0 31 2 *", ZoneOffset.UTC);
    assertEquals(
        "its expression has no instant any more",
        assertThrows(IllegalArgumentException.class, () -> Instants.first(never, BEGIN))
            .getMessage());
    for (Instant instant : List.of(Instant.MIN, Instant.MAX)) {
      for (Trigger trigger :
          List.of(
              new Trigger.At(instant),
              new Trigger.FixedRate(instant, Duration.ofSeconds(1)),
              new Trigger.FixedDelay(instant, Duration.ofSeconds(1)))) {
        assertEquals(
            "the instant " + instant + " is out of range",
            assertThrows(IllegalArgumentException.class, () -> Instants.first(trigger, BEGIN))
                .getMessage());
      }
    }
  }

  // ---- in time ---------------------------------------------------------------------------------

  @Test
  void eachInstantMakesOneTaskForIt() {
    arrange(schedule(every(1_000)).withOverlap(Overlap.ALLOW));
    for (int i = 0; i < 100; i++) {
      desk.now += 100;
      fire();
    }
    assertEquals(list(LongStream.rangeClosed(1, 10).map(i -> i * 1_000)), made());
    assertEquals(10, plan().fired());
    assertEquals(BEGIN + 11_000, plan().next());
    assertEquals(BEGIN + 10_000, plan().last());
  }

  @Test
  void twoWhoLookAtOnceMakeOneTask() {
    Plan plan = arrange(schedule(every(1_000)).withOverlap(Overlap.ALLOW));
    desk.now += 1_000;
    Firing one = Instants.firing(plan, desk.now);
    desk.now += 1_000;
    Firing other = Instants.firing(plan, desk.now);
    assertTrue(desk.entry(() -> desk.board.fire(one, Desk.QUEUE_MAX)));
    assertFalse(desk.entry(() -> desk.board.fire(other, Desk.QUEUE_MAX)));
    assertEquals(List.of(1_000L), made());
  }

  @Test
  void aScheduleThatIsMadeAgainDoesNotRepeatAnInstant() {
    Schedule schedule = schedule(every(1_000)).withOverlap(Overlap.ALLOW);
    arrange(schedule);
    desk.now += 1_000;
    fire();
    desk.now = BEGIN + 999; // Made by a node whose clock is behind.
    assertEquals(BEGIN + 1_000, arrange(schedule).next());
    desk.now += 1_001;
    fire();
    assertEquals(List.of(1_000L, 2_000L), made());
    assertEquals(1, plan().skipped());
  }

  @Test
  void aOneShotIsGoneWhenItHasFired() {
    arrange(schedule(new Trigger.At(in(500))));
    desk.now += 499;
    assertEquals(0, fire());
    desk.now += 1;
    fire();
    assertEquals(List.of(500L), made());
    assertNull(desk.board.plans().get("s"));
  }

  @Test
  void aDelayBeginsWhenTheTaskIsOver() {
    desk.worker("n1", 1, "t");
    arrange(schedule(new Trigger.FixedDelay(in(0), Duration.ofSeconds(1))));
    fire();
    assertEquals(Plan.NEVER, plan().next());
    desk.now += 5_000;
    assertEquals(0, fire());
    desk.done(desk.last().token());
    assertEquals(desk.now + 1_000, plan().next());
    desk.now += 1_000;
    fire();
    assertEquals(List.of(0L, 6_000L), made());
    // One that is not taken is over at once.
    desk.done(desk.last().token());
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, 0, 1)));
    desk.submit("t");
    desk.now += 1_000;
    fire();
    assertEquals(1, plan().skipped());
    assertEquals(desk.now + 1_000, plan().next());
  }

  @Test
  void aDelayWithJitterFiresEachTime() {
    desk.worker("n1", 1, "t");
    arrange(
        schedule(new Trigger.FixedDelay(in(0), Duration.ofSeconds(1)))
            .withJitter(Duration.ofSeconds(9)));
    long longest = 0;
    for (int i = 1; i <= 20; i++) {
      long wait = plan().due() - plan().next();
      assertTrue(wait >= 0 && wait <= 9_000, "" + wait);
      longest = Math.max(longest, wait);
      desk.now = plan().due();
      fire();
      assertEquals(i, plan().fired());
      desk.done(desk.last().token());
    }
    assertTrue(longest > 4_000);
  }

  @Test
  void aPausedScheduleLetsInstantsPassAndGoesOnWithTheNext() {
    Plan before = arrange(schedule(every(1_000)));
    desk.entry(() -> desk.board.plans().set(before.paused(true)));
    assertEquals(Plan.NEVER, desk.board.plans().nextDue());
    desk.now += 5_500;
    assertEquals(0, fire());
    Firing late = Instants.firing(before, desk.now);
    assertFalse(desk.entry(() -> desk.board.fire(late, Desk.QUEUE_MAX)));
  }

  // ---- missed ----------------------------------------------------------------------------------

  /** Every minute, and nobody there for an hour and half a minute. */
  private List<Long> missed(Misfire misfire, int catchUp) {
    arrange(schedule(every(MINUTE)).withMisfire(misfire, catchUp).withOverlap(Overlap.ALLOW));
    desk.now += 60 * MINUTE + 30_000;
    fire();
    assertEquals(60, plan().fired() + plan().missed());
    assertEquals(BEGIN + 61 * MINUTE, plan().next());
    return made().stream().map(millis -> millis / MINUTE).toList();
  }

  @Test
  void whatWasMissedIsSkipped() {
    assertEquals(List.of(60L), missed(Misfire.SKIP, 1));
  }

  @Test
  void whatWasMissedIsMadeUpForByOneOnlyIfNoneIsInTime() {
    assertEquals(List.of(60L), missed(Misfire.FIRE_ONCE, 1));
    InstantsTest hourly = new InstantsTest();
    hourly.arrange(schedule(every(60 * MINUTE)));
    hourly.desk.now += 182 * MINUTE;
    hourly.fire();
    assertEquals(List.of(180 * MINUTE), hourly.made());
    assertEquals(2, hourly.plan().missed());
  }

  @Test
  void theLastFewAreCaughtUpWithInOrder() {
    assertEquals(List.of(57L, 58L, 59L, 60L), missed(Misfire.CATCH_UP, 3));
  }

  @Test
  void moreThanWereMissedAreNotMadeUpFor() {
    assertEquals(list(LongStream.rangeClosed(1, 60)), missed(Misfire.CATCH_UP, 1000));
  }

  @Test
  void anInstantIsInTimeForAMinuteAndNotLonger() {
    for (int late = 0; late <= 1; late++) {
      InstantsTest its = new InstantsTest();
      its.arrange(schedule(every(60 * MINUTE)).withMisfire(Misfire.SKIP, 1));
      its.desk.now += 61 * MINUTE + late;
      its.fire();
      assertEquals(late, its.plan().missed());
    }
  }

  /** Whatever the backlog, as many as should be are made up for, and it has an end. */
  @Test
  void aHugeBacklogEnds() {
    for (long seconds : List.of(9_990L, 10_000L, 10_010L, 19_000L, 86_400L)) {
      InstantsTest its = new InstantsTest();
      its.arrange(
          schedule(every(1_000)).withMisfire(Misfire.CATCH_UP, 700).withOverlap(Overlap.ALLOW));
      its.desk.now += seconds * 1_000;
      int looks = its.fire();
      assertTrue(looks <= 1 + seconds / 7_000, looks + " looks");
      // 61 are in time: the last minute's, at both its ends.
      assertEquals(
          list(LongStream.rangeClosed(seconds - 760, seconds).map(i -> i * 1_000)), its.made());
      assertEquals(seconds - 761, its.plan().missed());
    }
  }

  @Test
  void theShortestPeriodIsCaughtUpWithAsFarAsShouldBe() {
    InstantsTest its = new InstantsTest();
    its.arrange(
        schedule(every(100)).withMisfire(Misfire.CATCH_UP, 1_000).withOverlap(Overlap.ALLOW));
    its.desk.now += 1_000_000;
    while (!its.desk.board.plans().due(its.desk.now, 1).isEmpty()) {
      Firing firing = Instants.firing(its.plan(), its.desk.now);
      its.desk.entry(() -> its.desk.board.fire(firing, 10_000));
    }
    assertEquals(1_000 + 601, its.plan().fired());
    assertEquals(10_000 - 1_601, its.plan().missed());
  }

  // ---- overlaps --------------------------------------------------------------------------------

  private void overlapping(Overlap overlap) {
    desk.worker("n1", 5, "t");
    arrange(schedule(every(1_000)).withOverlap(overlap));
    for (int i = 0; i < 3; i++) {
      desk.now += 1_000;
      fire();
    }
  }

  @Test
  void whatOverlapsIsPassedOver() {
    overlapping(Overlap.SKIP);
    assertEquals(List.of(1_000L), made());
    assertEquals(2, plan().skipped());
    desk.done(desk.last().token());
    desk.now += 1_000;
    fire();
    assertEquals(List.of(1_000L, 4_000L), made());
  }

  @Test
  void whatOverlapsWaits() {
    overlapping(Overlap.QUEUE);
    assertEquals(List.of(1_000L, 2_000L, 3_000L), made());
    assertEquals(List.of(1L), desk.order());
    assertEquals(TaskState.SUBMITTED, desk.state(3));
    desk.done(desk.last().token());
    desk.done(desk.last().token());
    assertEquals(List.of(1L, 2L, 3L), desk.order());
  }

  @Test
  void whatOverlapsRunsBeside() {
    overlapping(Overlap.ALLOW);
    assertEquals(List.of(1L, 2L, 3L), desk.order());
  }

  @Test
  void anInstantThatFindsTheQueueFullIsPassedOver() {
    desk.entry(() -> desk.board.limit("t", new TypeLimits(0, 0, 1)));
    arrange(schedule(every(1_000)).withOverlap(Overlap.ALLOW));
    desk.now += 1_000;
    fire();
    desk.now += 1_000;
    fire();
    assertEquals(List.of(1_000L), made());
    assertEquals(1, plan().skipped());
  }

  // ---- jitter ----------------------------------------------------------------------------------

  @Test
  void anInstantsDelayIsAlwaysTheSameWithinItsBoundAndNotThatOfOthers() {
    Trigger trigger = every(10_000);
    Set<Long> delays = new HashSet<>();
    for (long instant = BEGIN; instant < BEGIN + 10_000_000; instant += 10_000) {
      long delay = Instants.due(trigger, "s", Duration.ofSeconds(5), instant) - instant;
      assertTrue(delay >= 0 && delay <= 5_000, "" + delay);
      assertEquals(delay, Instants.due(trigger, "s", Duration.ofSeconds(5), instant) - instant);
      delays.add(delay);
    }
    assertTrue(delays.size() > 850 && delays.size() < 1_000, delays.size() + " delays");
    assertEquals(
        List.of(BEGIN, Plan.NEVER),
        List.of(
            Instants.due(trigger, "s", Duration.ZERO, BEGIN),
            Instants.due(trigger, "s", Duration.ofSeconds(5), Plan.NEVER)));
    Set<Long> others = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      others.add(Instants.due(trigger, "s" + i, Duration.ofSeconds(5), BEGIN));
    }
    assertTrue(others.size() > 90, others.size() + " of a hundred schedules");
  }

  /** A delay longer than the period must not make instants seem missed, nor change their order. */
  @Test
  void noInstantIsDelayedBeyondTheNext() {
    for (Trigger trigger : List.of(every(60_000), new Trigger.Cron("* * * * *", ZoneOffset.UTC))) {
      InstantsTest its = new InstantsTest();
      its.arrange(
          schedule(trigger)
              .withJitter(Duration.ofHours(1))
              .withMisfire(Misfire.SKIP, 1)
              .withOverlap(Overlap.ALLOW));
      List<Long> fired = new ArrayList<>();
      while (its.desk.now < BEGIN + 100 * MINUTE) {
        its.desk.now = its.plan().due();
        its.fire();
        fired.add(its.desk.now);
        assertTrue(its.desk.now - its.plan().last() <= MINUTE);
      }
      assertEquals(0, its.plan().missed());
      assertEquals(fired.size(), its.plan().fired());
      assertTrue(fired.size() >= 99, fired.size() + " in a hundred minutes");
    }
  }
}
