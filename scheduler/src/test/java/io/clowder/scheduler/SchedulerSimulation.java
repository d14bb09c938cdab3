// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.clowder.api.CoordinationException;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * A random life of a cluster that runs tasks: nodes are killed, paused, cut off, the leader goes,
 * replicas begin anew, handlers fail, hang, or take their node with them. In the end every task
 * that was taken must be over, once, and what it wrote through a fence must be what counts.
 */
final class SchedulerSimulation {
  private static final long MILLI = TaskWorld.MILLI;
  private static final long SECOND = TaskWorld.SECOND;
  private static final int NODES = 5;
  private static final List<String> TYPES = List.of("mail/send", "mail/list", "report");

  private static final List<Schedule.Overlap> OVERLAPS = List.of(Schedule.Overlap.values());

  private record Written(long token, int times) {}

  private final long seed;
  private final TaskWorld world;
  private final Random random;
  private final boolean isTraced = Boolean.getBoolean("scheduler.trace");

  /** A store that checks tokens: by resource the largest that wrote. */
  private final Map<String, Written> store = new HashMap<>();

  private final Map<Long, Integer> begun = new HashMap<>();
  private final Map<Long, Integer> ended = new HashMap<>();
  private final Map<String, Long> lastOfKey = new HashMap<>();
  private final Map<Long, TaskRequest> taken = new TreeMap<>();
  private final Map<String, Long> byDedupe = new HashMap<>();
  private final Map<String, TreeMap<Long, Integer>> instants = new HashMap<>();
  private long lastToken;
  private final Map<String, Integer> made = new HashMap<>();
  private boolean isCalm;
  private @Nullable AssertionError wrong;
  int faults;
  int overlaps;
  int unknown;

  SchedulerSimulation(long seed) {
    this.seed = seed;
    this.world = new TaskWorld(seed, NODES);
    this.random = world.random;
    world.canon.add(new Watch());
  }

  private void trace(String text) {
    if (isTraced) {
      System.out.println(world.now() / MILLI + " " + text);
    }
  }

  /** The first thing that was wrong: it may be found where an exception is not heard. */
  private AssertionError wrong(String what) {
    if (wrong == null) {
      wrong = new AssertionError("seed " + seed + " at " + world.now() / MILLI + " ms: " + what);
    }
    return wrong;
  }

  /** What the log says, as it says it. */
  private final class Watch implements Events {
    @Override
    public void given(Worker worker, Attempt attempt, Task task) {
      trace("given " + task.id() + " token " + attempt.token() + " to " + worker.node);
      if (attempt.token() <= lastToken) {
        throw wrong("token " + attempt.token() + " after " + lastToken);
      }
      lastToken = attempt.token();
      if (worker.given().size() > worker.slots() && worker.slots() > 0) {
        throw wrong(worker.node + " has " + worker.given().size() + " tasks");
      }
      String key = task.work().orderingKey();
      if (key != null) {
        String name = task.work().type() + " " + key;
        long last = lastOfKey.getOrDefault(name, 0L);
        Task former = world.canon.board().task(last);
        if (task.id() < last) {
          throw wrong("task " + task.id() + " of key " + name + " after " + last);
        } else if (former != null && task.id() != last && !former.state().isEnd()) {
          throw wrong("task " + task.id() + " of key " + name + " beside " + last);
        }
        lastOfKey.put(name, task.id());
      }
    }

    @Override
    public void ended(Task task) {
      trace("ended " + task.id() + " " + task.state() + " " + task.error());
      if (ended.merge(task.id(), 1, Integer::sum) > 1) {
        throw wrong("task " + task.id() + " ended twice");
      }
    }
  }

  // ---- work ------------------------------------------------------------------------------------

  private SchedulerSetting setting() {
    return new SchedulerSetting(
        4, new TreeMap<>(), Duration.ofSeconds(5), 100_000, Duration.ofSeconds(2), Duration.ZERO);
  }

  private void start(TaskWorld.Computer computer) {
    TaskWorld.Life[] started = new TaskWorld.Life[1];
    trace("start " + computer.node);
    started[0] = computer.start(setting(), run -> work(started, run), process -> {});
    TaskWorld.Life process = started[0];
    process.scheduler.add(entry(List.of("mail/*"), 1));
    process.scheduler.add(entry(List.of("report", "tick/**"), 2));
  }

  private static Roster.Entry entry(List<String> patterns, long order) {
    return new Roster.Entry(
        context -> {
          throw new AssertionError("the world runs it");
        },
        patterns,
        new Skill(order == 2 ? 3 : 0, order == 2 ? 4_000 : 0),
        0,
        order);
  }

  /** Runs a handler in virtual time. */
  private void work(TaskWorld.Life[] on, Run run) {
    TaskWorld.Life process = on[0];
    long id = run.id().number();
    begun.merge(id, 1, Integer::sum);
    int fate = isCalm ? 0 : random.nextInt(200);
    int longest = isCalm ? 20 : random.nextInt(5) == 0 ? 3_000 : 60;
    long duration = (1 + random.nextInt(longest)) * MILLI;
    if (fate == 199) {
      process.after(duration, () -> kill(process.computer));
      return;
    }
    boolean isDeaf = fate % 10 == 8;
    boolean fails = fate >= 180 && fate < 198;
    step(process, run, duration, isDeaf, fails);
  }

  private void step(TaskWorld.Life process, Run run, long left, boolean isDeaf, boolean fails) {
    long slice = Math.min(left, 50 * MILLI);
    process.after(
        slice,
        () -> {
          if (run.isCancelled() && !isDeaf) {
            run.finish(new Report.Threw(run.attempt.token(), "interrupted", false));
          } else if (left > slice) {
            if (random.nextInt(4) == 0) {
              run.progress(0.5, "half");
            }
            step(process, run, left - slice, isDeaf, fails);
          } else if (fails) {
            run.finish(new Report.Threw(run.attempt.token(), "failed", random.nextInt(10) == 0));
          } else {
            write(process, run);
          }
        });
  }

  /** Writes through the fence, some time later, and is done when the store has it. */
  private void write(TaskWorld.Life process, Run run) {
    long token = run.fence().token();
    String resource = run.fence().resource();
    world.at(
        (1 + random.nextInt(20)) * MILLI,
        () -> {
          Written last = store.get(resource);
          boolean isStale = last != null && last.token > token;
          if (!isStale) {
            store.put(resource, new Written(token, last == null ? 1 : last.times + 1));
          } else {
            overlaps++;
          }
          process.after(
              MILLI,
              () ->
                  run.finish(
                      isStale
                          ? new Report.Threw(token, "stale", false)
                          : new Report.Done(token, Long.toString(token).getBytes(UTF_8))));
        });
  }

  // ---- users -----------------------------------------------------------------------------------

  private void submit() {
    TaskWorld.Computer computer = world.computers.get(random.nextInt(NODES));
    TaskWorld.Life process = computer.process;
    if (process == null || !computer.isThere()) {
      return;
    }
    TaskRequest request =
        TaskRequest.of(TYPES.get(random.nextInt(TYPES.size())), new byte[random.nextInt(20)])
            .withPriority(random.nextInt(10))
            .withRetry(
                new Retry(20, Duration.ofMillis(50), Duration.ofSeconds(2), 1 + random.nextInt(8)))
            .withKeep(Duration.ofHours(5));
    Instant time = Instant.ofEpochMilli(computer.wallMillis());
    if (random.nextInt(10) == 0) {
      request = request.withNotBefore(time.plusMillis(random.nextInt(5_000)));
    }
    if (random.nextInt(10) == 0) {
      request = request.withDeadline(time.plusMillis(5_001 + random.nextInt(10_000)));
    }
    if (random.nextInt(6) == 0) {
      request = request.withOrderingKey("k" + random.nextInt(4));
    }
    if (random.nextInt(8) == 0) {
      request = request.withMode(TaskMode.AT_MOST_ONCE);
    }
    String dedupe = random.nextInt(8) == 0 ? "d" + random.nextInt(40) : null;
    if (dedupe != null) {
      request = request.withDedupeKey(dedupe);
    }
    TaskRequest its = request;
    process
        .scheduler
        .submit(its)
        .whenComplete(
            (id, failure) -> {
              if (failure == null) {
                taken.put(id.number(), its);
                trace("taken " + id + " " + its.type());
                if (dedupe != null) {
                  Long other = byDedupe.put(its.type() + " " + dedupe, id.number());
                  if (other != null && other != id.number()) {
                    throw wrong("dedupe key " + dedupe + " has " + other + " and " + id);
                  }
                }
                if (random.nextInt(20) == 0) {
                  process.after(
                      random.nextInt(2_000) * MILLI,
                      () -> {
                        var unused = process.scheduler.cancel(id);
                      });
                }
                if (random.nextInt(10) == 0) {
                  process
                      .scheduler
                      .result(id, Duration.ofSeconds(60))
                      .whenComplete(
                          (result, late) -> {
                            if (result != null && !result.state().isEnd()) {
                              throw wrong("a result of " + result.state());
                            }
                          });
                }
              } else if (cause(failure) instanceof CoordinationException refused
                  && refused.outcome() == CoordinationException.Outcome.MAY_HAVE_HAPPENED) {
                unknown++;
              } else {
                throw wrong("refused: " + failure);
              }
            });
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException ? failure.getCause() : failure;
  }

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
                  "s" + i,
                  trigger,
                  TaskRequest.of("tick/" + i, new byte[0]).withKeep(Duration.ofHours(5)))
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
        6 * SECOND,
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
    trace("kill " + computer.node);
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
    switch (random.nextInt(6)) {
      case 0 -> kill(computer);
      case 1 -> {
        trace("pause " + computer.node);
        computer.pause((100 + random.nextInt(random.nextInt(3) == 0 ? 20_000 : 2_000)) * MILLI);
      }
      case 2 -> {
        trace("cut " + computer.node);
        computer.cut((100 + random.nextInt(random.nextInt(3) == 0 ? 20_000 : 2_000)) * MILLI);
      }
      case 3 -> {
        trace("swap");
        world.swap((50 + random.nextInt(500)) * MILLI);
      }
      case 4 -> {
        TaskWorld.Life process = computer.process;
        if (process != null && computer.isThere()) {
          trace("disturb " + computer.node);
          process.after(0, process::disturb);
        }
      }
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
    isCalm = true;
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
    if (wrong != null) {
      throw wrong;
    }
    Board board = world.canon.board();
    Map<Long, Task> tasks = board.tasks();
    for (Map.Entry<Long, TaskRequest> it : taken.entrySet()) {
      Task task = tasks.get(it.getKey());
      if (task == null) {
        throw wrong("task " + it.getKey() + " is lost");
      } else if (!task.state().isEnd()) {
        throw wrong("task " + task + " is not over; " + board.floor().workers().keySet());
      }
    }
    for (Task task : tasks.values()) {
      checkEnd(task);
      if (!task.state().isEnd()) {
        throw wrong("task " + task + " is not over");
      }
    }
    byte[] expected = TaskWorld.snapshot(world.canon);
    for (TaskWorld.Computer computer : world.computers) {
      TaskWorld.Life process = computer.process;
      if (process != null
          && process.machine.position() == world.canon.position()
          && !Arrays.equals(expected, TaskWorld.snapshot(process.machine))) {
        throw wrong(computer.node + " has another state");
      }
    }
    checkSchedules(board);
  }

  private void checkEnd(Task task) {
    if (task.work().terms().mode() == TaskMode.AT_MOST_ONCE
        && begun.getOrDefault(task.id(), 0) > 1) {
      throw wrong("task " + task.id() + " began " + begun.get(task.id()) + " times");
    }
    if (task.state() == TaskState.SUCCEEDED && task.work().orderingKey() == null) {
      Written written = store.get("task/" + task.id());
      long token = Long.parseLong(new String(task.value(), UTF_8));
      if (written == null || written.token != token) {
        throw wrong(
            "task " + task.id() + " succeeded with " + token + ", the store has " + written);
      }
    }
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
          throw wrong(schedule + " fired twice for " + task.work().notBefore());
        }
      }
    }
    SortedMap<String, Plan> plans = board.plans().all();
    if (plans.containsKey("s3") || instants.getOrDefault("s3", new TreeMap<>()).size() != 1) {
      throw wrong("the one-shot schedule fired " + instants.get("s3"));
    }
    checkEven(plans.get("s0"), TaskWorld.EPOCH_MILLIS + 2_000, 700);
    checkEven(plans.get("s2"), -1, 2_000);
    Plan delayed = plans.get("s1");
    if (delayed == null || delayed.fired() < 20) {
      throw wrong("the schedule with a delay: " + delayed);
    }
  }

  private void checkEven(Plan plan, long first, long period) {
    if (plan == null) {
      throw wrong("a schedule is lost");
    }
    TreeMap<Long, Integer> fired = instants.get(plan.name());
    if (fired == null) {
      throw wrong(plan.name() + " never fired: " + plan);
    }
    long passed = plan.fired() + plan.missed() + plan.skipped();
    long from = plan.next() - passed * period;
    // One that was made again counts those that it finds served already once more.
    long again = (made.getOrDefault(plan.name(), 1) - 1) * 20L * period;
    if (first > 0) {
      // Skewed clocks, or that nobody could be asked, may have had it begin with a later one.
      if (from < first - again || (from - first) % period != 0 || from - first > 20_000) {
        throw wrong(plan.name() + ": " + passed + " instants before " + plan.next());
      }
    } else if (Math.floorMod(from, period) != Math.floorMod(plan.next(), period)) {
      throw wrong(plan.name() + " is out of step");
    }
    if (fired.size() != plan.fired()) {
      throw wrong(plan.name() + " fired " + plan.fired() + ", there are " + fired.size());
    }
    for (long instant : fired.keySet()) {
      if (Math.floorMod(instant - plan.next(), period) != 0) {
        throw wrong(plan.name() + " fired for " + instant);
      }
    }
  }

  int tasks() {
    return taken.size();
  }

  int entries() {
    return world.applied;
  }

  int attempts() {
    return begun.values().stream().mapToInt(Integer::intValue).sum();
  }
}
