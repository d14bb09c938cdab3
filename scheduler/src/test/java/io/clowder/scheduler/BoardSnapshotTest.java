// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A board that is written and read is the same board, now and in all that comes. */
class BoardSnapshotTest {
  private static final List<Schedule.Overlap> OVERLAPS = List.of(Schedule.Overlap.values());

  /** Random entries, most of them to the point. */
  private static final class Entries {
    private final Random random;
    private final TaskMachine machine;
    private long time = Desk.BEGIN;
    private long position;

    Entries(long seed, TaskMachine machine) {
      this.random = new Random(seed);
      this.machine = machine;
    }

    Entry next() {
      time += random.nextInt(4) == 0 ? random.nextInt(2_000) : random.nextInt(5);
      if (random.nextInt(60) == 0) {
        return new Entry(
            Entry.Kind.SESSION_ENDED, ++position, time, 1 + random.nextInt(6), new byte[0]);
      }
      long session = 1L + random.nextInt(6);
      return new Entry(Entry.Kind.COMMAND, ++position, time, session, command().encode());
    }

    private String type() {
      return List.of("a", "a/b", "a/c", "z").get(random.nextInt(4));
    }

    private NodeId node() {
      return new NodeId("n" + random.nextInt(4));
    }

    private long task() {
      SortedMap<Long, Task> tasks = machine.board().tasks();
      return tasks.isEmpty() ? 1 : 1 + random.nextInt((int) (long) tasks.lastKey());
    }

    private TaskCommand command() {
      switch (random.nextInt(24)) {
        case 0, 1:
          return announce();
        case 2:
          return random.nextInt(3) == 0
              ? new TaskCommand.Leave(1 + random.nextInt(30))
              : new TaskCommand.Evict(1 + random.nextInt(30));
        case 3:
          return new TaskCommand.Cancel(task());
        case 4:
          return new TaskCommand.Retry(task());
        case 5:
          return new TaskCommand.Forget(task());
        case 6:
          return random.nextBoolean()
              ? new TaskCommand.Drain(node(), random.nextInt(3) == 0)
              : new TaskCommand.Pause(type(), random.nextInt(3) == 0);
        case 7:
          return new TaskCommand.Limit(
              type(), new TypeLimits(random.nextInt(4), random.nextInt(9), random.nextInt(60)));
        case 8:
          return plan();
        case 9:
          return fire();
        case 10:
          return new TaskCommand.Tick();
        case 11, 12, 13, 14:
          return submit();
        default:
          return reports();
      }
    }

    private TaskCommand announce() {
      SortedMap<String, Skill> skills = new TreeMap<>();
      for (String pattern : List.of("a", "a/*", "**")) {
        if (random.nextBoolean()) {
          skills.put(pattern, new Skill(random.nextInt(4), random.nextInt(2) * 900L));
        }
      }
      SortedMap<String, String> labels =
          new TreeMap<>(random.nextBoolean() ? Map.of("gpu", "yes") : Map.of());
      return new TaskCommand.Announce(
          random.nextInt(3), random.nextInt(300), node(), random.nextInt(9), skills, labels);
    }

    private Work work() {
      TaskRequest request =
          TaskRequest.of(type(), new byte[random.nextInt(9)])
              .withPriority(random.nextInt(10))
              .withRetry(
                  new Retry(
                      1 + random.nextInt(4),
                      Duration.ofMillis(random.nextInt(900)),
                      Duration.ofSeconds(2),
                      1 + random.nextInt(3)))
              .withMode(random.nextBoolean() ? TaskMode.AT_MOST_ONCE : TaskMode.AT_LEAST_ONCE)
              .withKeep(Duration.ofMillis(random.nextInt(90_000)));
      if (random.nextInt(4) == 0) {
        request = request.withDedupeKey("d" + random.nextInt(9));
      }
      if (random.nextInt(3) == 0) {
        request = request.withOrderingKey("o" + random.nextInt(3));
      }
      if (random.nextInt(4) == 0) {
        request = request.withNotBefore(Instant.ofEpochMilli(time + random.nextInt(5_000)));
      }
      if (random.nextInt(4) == 0) {
        request = request.withDeadline(Instant.ofEpochMilli(time + 5_001 + random.nextInt(9_000)));
      }
      if (random.nextInt(4) == 0) {
        request = request.withLabel("gpu", "yes");
      }
      return Shows.work(request, 1 + random.nextInt(2_000));
    }

    private TaskCommand submit() {
      List<Work> works = new ArrayList<>();
      for (int i = random.nextInt(4); i >= 0; i--) {
        works.add(work());
      }
      return new TaskCommand.Submit(works, 80);
    }

    private TaskCommand reports() {
      List<Worker> workers = List.copyOf(machine.board().floor().workers().values());
      if (workers.isEmpty()) {
        return new TaskCommand.Reports(1, List.of(new Report.Done(1, Task.NO_VALUE)));
      }
      Worker worker = workers.get(random.nextInt(workers.size()));
      List<Report> reports = new ArrayList<>();
      for (long token : worker.given().keySet()) {
        switch (random.nextInt(10)) {
          case 0, 1 -> reports.add(new Report.Done(token, new byte[random.nextInt(3)]));
          case 2 -> reports.add(new Report.Threw(token, "no", random.nextInt(4) == 0));
          case 3 -> reports.add(new Report.GivenBack(token, random.nextBoolean()));
          case 4 -> reports.add(new Report.Progress(token, random.nextInt(1001), "so far"));
          default -> {}
        }
      }
      return new TaskCommand.Reports(worker.number, reports);
    }

    private TaskCommand plan() {
      String name = "s" + random.nextInt(6);
      if (random.nextInt(4) == 0) {
        return random.nextBoolean()
            ? new TaskCommand.Disband(name)
            : new TaskCommand.PausePlan(name, random.nextBoolean(), time + 50, time + 60);
      } else if (random.nextInt(4) == 0) {
        return new TaskCommand.FireNow(name, 80);
      }
      Instant first = Instant.ofEpochMilli(time + random.nextInt(500));
      Trigger trigger =
          switch (random.nextInt(4)) {
            case 0 -> new Trigger.Cron("* * * * * *", ZoneOffset.UTC);
            case 1 -> new Trigger.FixedRate(first, Duration.ofMillis(700));
            case 2 -> new Trigger.FixedDelay(first, Duration.ofMillis(700));
            default -> new Trigger.At(first);
          };
      Schedule schedule =
          Schedule.of(name, trigger, TaskRequest.of(type(), new byte[0]))
              .withOverlap(OVERLAPS.get(random.nextInt(3)));
      long next = Instants.first(trigger, time);
      return new TaskCommand.Arrange(Shows.plan(schedule, 1_000, next, next));
    }

    private TaskCommand fire() {
      List<Firing> firings = new ArrayList<>();
      for (Plan plan : machine.board().plans().due(time, 9)) {
        firings.add(Instants.firing(plan, time));
      }
      return new TaskCommand.Fire(firings, 80);
    }
  }

  private static TaskMachine restored(byte[] snapshot) throws IOException {
    TaskMachine machine = new TaskMachine();
    machine.restore(new ByteArrayInputStream(snapshot));
    return machine;
  }

  private static TaskMachine random(long seed, int entries) {
    TaskMachine machine = new TaskMachine();
    Entries random = new Entries(seed, machine);
    for (int i = 0; i < entries; i++) {
      machine.apply(random.next());
    }
    return machine;
  }

  @Test
  void theEmptyBoardIsReadBackAndSoIsNothing() throws IOException {
    byte[] empty = TaskWorld.snapshot(new TaskMachine());
    assertArrayEquals(empty, TaskWorld.snapshot(restored(empty)));
    assertArrayEquals(empty, TaskWorld.snapshot(restored(new byte[0])));
  }

  @Test
  void whatIsReadIsWhatWasWrittenAndGoesOnTheSameWay() throws IOException {
    int ends = 0;
    for (int seed = 1; seed <= 12; seed++) {
      TaskMachine machine = new TaskMachine();
      Entries random = new Entries(seed, machine);
      List<TaskMachine> copies = new ArrayList<>();
      for (int i = 0; i < 1_200; i++) {
        if (i % 200 == 150) {
          byte[] snapshot = TaskWorld.snapshot(machine);
          TaskMachine copy = restored(snapshot);
          assertArrayEquals(snapshot, TaskWorld.snapshot(copy), "seed " + seed);
          copies.add(copy);
        }
        Entry entry = random.next();
        byte[] result = machine.apply(entry);
        for (TaskMachine copy : copies) {
          assertArrayEquals(result, copy.apply(entry), "seed " + seed + ", entry " + i);
          assertEquals(machine.nextPlan(), copy.nextPlan(), "seed " + seed + ", entry " + i);
        }
      }
      byte[] last = TaskWorld.snapshot(machine);
      for (TaskMachine copy : copies) {
        assertArrayEquals(last, TaskWorld.snapshot(copy), "seed " + seed);
        assertTrue(
            copy.nextAlarm() <= machine.nextAlarm(), "nothing that is due is forgotten: " + seed);
      }
      ends += machine.board().results() + machine.board().dead();
    }
    assertTrue(ends > 250, "there was something to it: " + ends);
  }

  /** What was noted stays as it was then, though the board goes on while it is written. */
  @Test
  void aSnapshotIsOfItsMomentThoughItIsWrittenLater() throws IOException {
    for (int seed = 1; seed <= 20; seed++) {
      TaskMachine machine = new TaskMachine();
      Entries random = new Entries(seed, machine);
      for (int i = 0; i < 500; i++) {
        machine.apply(random.next());
      }
      byte[] at = TaskWorld.snapshot(machine);
      var noted = machine.snapshot();
      for (int i = 0; i < 500; i++) {
        machine.apply(random.next());
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      noted.writeTo(out);
      assertArrayEquals(at, out.toByteArray(), "seed " + seed);
    }
  }

  @Test
  void whatIsCutShortOrGoesOnOrHasAnotherFormatIsRefused() {
    byte[] sound = TaskWorld.snapshot(random(3, 300));
    for (int length = 1; length <= sound.length + 1; length += length > 200 ? 7 : 1) {
      byte[] cut = Arrays.copyOf(sound, length);
      if (length != sound.length) {
        assertThrows(IOException.class, () -> restored(cut), length + " of " + sound.length);
      }
    }
    sound[0] = 2;
    assertThrows(IOException.class, () -> restored(sound));
  }

  @Test
  void aCorruptSnapshotIsReadOrRefusedAndNothingElse() {
    byte[] sound = TaskWorld.snapshot(random(5, 400));
    Random random = new Random(1);
    int refused = 0;
    for (int i = 0; i < 1_500; i++) {
      byte[] bytes = sound.clone();
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        restored(bytes);
      } catch (IOException e) {
        refused++;
      }
    }
    assertTrue(refused > 250, "refused " + refused);
  }
}
