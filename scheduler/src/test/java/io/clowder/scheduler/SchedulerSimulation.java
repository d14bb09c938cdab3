// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A random life of a cluster that runs {@link Errands} and fires schedules: nodes are killed,
 * paused, cut off, the leader goes, protocols stop on a node, replicas begin anew.
 */
final class SchedulerSimulation {
  private static final long MILLI = TaskWorld.MILLI;
  private static final long SECOND = TaskWorld.SECOND;
  private static final int NODES = 5;

  /** After which time a schedule is made again if it is not there. */
  private static final long RETRY = 6 * SECOND;

  private static final List<Schedule.Overlap> OVERLAPS = List.of(Schedule.Overlap.values());

  private static final List<String> FAULTS =
      List.of("kill", "pause", "cut", "swap", "disturb", "stop the protocol of", "skew");

  private final TaskWorld world;
  private final Random random;
  private final Map<String, TreeMap<Long, Integer>> instants = new HashMap<>();
  private final Map<String, Integer> made = new HashMap<>();
  private final Errands errands;
  int faults;

  SchedulerSimulation(long seed) {
    this.world = new TaskWorld(seed, NODES);
    this.random = world.random;
    this.errands = new Errands(seed, random, world);
    world.canon.add(errands.new Watch(world.canon));
  }

  private void start(TaskWorld.Computer computer) {
    AtomicReference<Errands.Place> place = new AtomicReference<>();
    TaskWorld.Life life =
        computer.start(
            Errands.setting(), run -> errands.work(Objects.requireNonNull(place.get()), run));
    place.set(place(life));
    Errands.equip(life.scheduler);
  }

  private Errands.Place place(TaskWorld.Life life) {
    return new Errands.Place() {
      @Override
      public ReplicatedScheduler scheduler() {
        return life.scheduler;
      }

      @Override
      public long wallMillis() {
        return life.wallMillis();
      }

      @Override
      public void after(long delayNanos, Runnable task) {
        life.after(delayNanos, task);
      }

      @Override
      public void crash(Run run) {
        kill(life.computer);
      }
    };
  }

  private void submit() {
    TaskWorld.Computer computer = world.computers.get(random.nextInt(NODES));
    TaskWorld.Life life = computer.process;
    if (life != null && computer.isThere()) {
      errands.submit(place(life));
    }
  }

  // ---- schedules -------------------------------------------------------------------------------

  private void schedule() {
    for (int i = 0; i < 4; i++) {
      Trigger trigger =
          switch (i) {
            case 0 ->
                new Trigger.FixedRate(
                    Instant.ofEpochMilli(TaskWorld.EPOCH_MILLIS + 2_000), Duration.ofMillis(700));
            case 1 ->
                new Trigger.FixedDelay(
                    Instant.ofEpochMilli(TaskWorld.EPOCH_MILLIS + 2_000), Duration.ofMillis(900));
            case 2 -> new Trigger.Cron("*/2 * * * * *", java.time.ZoneOffset.UTC);
            default -> new Trigger.At(Instant.ofEpochMilli(TaskWorld.EPOCH_MILLIS + 60_000));
          };
      Schedule schedule =
          Schedule.of(
                  "s" + i, trigger, TaskRequest.of("tick/" + i, new byte[0]).withKeep(Errands.KEEP))
              .withOverlap(OVERLAPS.get(random.nextInt(OVERLAPS.size())));
      schedule(schedule);
    }
  }

  /** Makes a schedule, again if nobody can say whether it was made. */
  private void schedule(Schedule schedule) {
    TaskWorld.Life process = world.computers.get(random.nextInt(NODES)).process;
    made.merge(schedule.name(), 1, Integer::sum);
    if (process != null) {
      var unused = process.scheduler.schedule(schedule);
    }
    world.at(
        RETRY,
        () -> {
          if (!world.canon.board().plans().all().containsKey(schedule.name())) {
            schedule(schedule);
          }
        });
  }

  // ---- faults ----------------------------------------------------------------------------------

  private void kill(TaskWorld.Computer computer) {
    if (computer.process == null) {
      return;
    }
    errands.trace("kill " + computer.node);
    faults++;
    computer.kill();
    world.at(
        (100 + random.nextInt(random.nextInt(4) == 0 ? 20_000 : 1_500)) * MILLI,
        () -> {
          if (computer.process == null) {
            start(computer);
          }
        });
  }

  private void fault() {
    TaskWorld.Computer computer = world.computers.get(random.nextInt(NODES));
    faults++;
    int which = random.nextInt(7);
    errands.trace(FAULTS.get(which) + " " + computer.node);
    switch (which) {
      case 0 -> kill(computer);
      case 1 -> {
        computer.pause((100 + random.nextInt(random.nextInt(3) == 0 ? 20_000 : 2_000)) * MILLI);
      }
      case 2 -> {
        computer.cut((100 + random.nextInt(random.nextInt(3) == 0 ? 20_000 : 2_000)) * MILLI);
      }
      case 3 -> {
        world.swap((50 + random.nextInt(500)) * MILLI);
      }
      case 4 -> {
        TaskWorld.Life process = computer.process;
        if (process != null && computer.isThere()) {
          process.after(0, process::disturb);
        }
      }
      case 5 ->
          computer.pauseReplica(
              (100 + random.nextInt(random.nextInt(3) == 0 ? 20_000 : 2_000)) * MILLI);
      default -> computer.skewMillis += random.nextInt(10_000) - 5_000;
    }
  }

  private void every(long period, long until, Runnable task) {
    world.at(
        period / 2 + random.nextInt((int) (period / MILLI)) * MILLI,
        () -> {
          if (world.now() < until) {
            task.run();
            every(period, until, task);
          }
        });
  }

  /** One life, and the look at what came of it. */
  SchedulerSimulation run() {
    world.computers.forEach(this::start);
    world.run(SECOND);
    schedule();
    long until = (20 + random.nextInt(20)) * SECOND;
    long load = (5 + random.nextInt(60)) * MILLI;
    long calm = (200 + random.nextInt(4_000)) * MILLI;
    every(load, until, this::submit);
    every(calm, until, this::fault);
    world.run(until + 2 * SECOND);
    errands.isCalm = true;
    world.run(60 * SECOND);
    for (TaskWorld.Computer computer : world.computers) {
      if (computer.process == null) {
        start(computer);
      }
    }
    world.run(100 * SECOND);
    for (String schedule : List.of("s0", "s1", "s2")) {
      TaskWorld.Life process = world.computers.get(0).process;
      if (process != null) {
        var unused = process.scheduler.pauseSchedule(schedule, true);
      }
    }
    world.run(20 * SECOND);
    check();
    return this;
  }

  private void check() {
    Board board = world.canon.board();
    errands.check(board);
    world.computers.forEach(it -> errands.checkWorks(board, it.node));
    byte[] expected = TaskWorld.snapshot(world.canon);
    for (TaskWorld.Computer computer : world.computers) {
      TaskWorld.Life process = computer.process;
      if (process != null
          && process.machine.position() == world.canon.position()
          && !Arrays.equals(expected, TaskWorld.snapshot(process.machine))) {
        throw errands.wrong(computer.node + " has another state");
      }
    }
    checkSchedules(board);
  }

  private void checkSchedules(Board board) {
    for (Task task : board.tasks().values()) {
      String schedule = task.work().schedule();
      if (schedule != null) {
        int times =
            instants
                .computeIfAbsent(schedule, absent -> new TreeMap<>())
                .merge(task.work().notBefore(), 1, Integer::sum);
        if (times > 1) {
          throw errands.wrong(schedule + " fired twice for " + task.work().notBefore());
        }
      }
    }
    SortedMap<String, Plan> plans = board.plans().all();
    if (plans.containsKey("s3") || instants.getOrDefault("s3", new TreeMap<>()).size() != 1) {
      throw errands.wrong("the one-shot schedule fired " + instants.get("s3"));
    }
    checkEven(plans.get("s0"), TaskWorld.EPOCH_MILLIS + 2_000, 700);
    checkEven(plans.get("s2"), -1, 2_000);
    Plan delayed = plans.get("s1");
    if (delayed == null || delayed.fired() < 20) {
      throw errands.wrong("the schedule with a delay: " + delayed);
    }
  }

  private void checkEven(Plan plan, long first, long period) {
    if (plan == null) {
      throw errands.wrong("a schedule is lost");
    }
    TreeMap<Long, Integer> fired = instants.get(plan.name());
    if (fired == null) {
      throw errands.wrong(plan.name() + " never fired: " + plan);
    }
    long passed = plan.fired() + plan.missed() + plan.skipped();
    long from = plan.next() - passed * period;
    // One that was made again counts those that it finds served already once more.
    int tries = made.getOrDefault(plan.name(), 1);
    long again = (tries - 1) * 20L * period;
    // Skewed clocks, or that nobody could be asked, may have had it begin with a later one.
    long late = 20_000 + (tries - 1) * RETRY / MILLI;
    if (first > 0) {
      if (from < first - again || (from - first) % period != 0 || from - first > late) {
        throw errands.wrong(plan.name() + ": " + passed + " instants before " + plan.next());
      }
    } else if (Math.floorMod(from, period) != Math.floorMod(plan.next(), period)) {
      throw errands.wrong(plan.name() + " is out of step");
    }
    if (fired.size() != plan.fired()) {
      throw errands.wrong(plan.name() + " fired " + plan.fired() + ", there are " + fired.size());
    }
    for (long instant : fired.keySet()) {
      if (Math.floorMod(instant - plan.next(), period) != 0) {
        throw errands.wrong(plan.name() + " fired for " + instant);
      }
    }
  }

  int entries() {
    return world.applied;
  }

  Errands errands() {
    return errands;
  }
}
