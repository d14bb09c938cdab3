// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.NodeId;
import io.clowder.api.runtime.Timer;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.Trigger;
import io.clowder.simulator.SimulatedProcess;
import io.clowder.simulator.Tenant;
import io.clowder.simulator.World;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/**
 * The scheduler on every node of a cluster whose consensus is the real one: its disks fail, its
 * members change, and its protocol is exchanged, while it has {@link Errands} to run.
 */
final class TaskTenant implements Tenant, Errands.Stage {
  private static final long MILLI = 1_000_000;
  private static final String TICK = "tick";

  /** After which submissions that were on their way are answered. */
  private static final long SETTLING = 10_000 * MILLI;

  private final World world;
  private final RandomGenerator random;
  private final Errands errands;
  private final SortedMap<NodeId, House> houses = new TreeMap<>();
  private long healedAt = Long.MAX_VALUE / 2;

  /** The tenant of the cluster of this seed, which runs in this world. */
  TaskTenant(long seed, World world) {
    this.world = world;
    this.random = world.random("errands");
    this.errands = new Errands(seed, random, this);
  }

  @Override
  public long now() {
    return world.now();
  }

  @Override
  public void at(long delayNanos, Runnable task) {
    world.after(delayNanos, "errand", task);
  }

  @Override
  public void boot(Lodging lodging) {
    House house = new House(lodging);
    houses.put(lodging.id(), house);
    house.begin();
  }

  /** One incarnation of a node. */
  private final class House implements Errands.Place {
    private final SimulatedProcess process;
    private final int incarnation;
    private final Timer timer;
    final TaskMachine machine = new TaskMachine();
    private final ReplicatedScheduler scheduler;

    House(Lodging lodging) {
      this.process = lodging.process();
      this.incarnation = process.incarnation();
      this.timer = lodging.timer("task");
      machine.add(errands.new Watch(machine));
      this.scheduler =
          new ReplicatedScheduler(
              lodging.join("task", machine),
              machine,
              lodging.id(),
              Errands.setting(),
              timer,
              run -> errands.work(this, run),
              random.nextLong());
    }

    void begin() {
      Errands.equip(scheduler);
      scheduler.start();
      submitNowAndThen();
      after(500 * MILLI, this::keepSchedule);
    }

    private void submitNowAndThen() {
      after(
          random.nextLong(5, 150) * MILLI,
          () -> {
            if (!errands.isCalm) {
              errands.submit(this);
              submitNowAndThen();
            }
          });
    }

    /** Makes the schedule unless it is there; in the end, until it is not. */
    private void keepSchedule() {
      if (errands.isCalm) {
        var unused = scheduler.unschedule(TICK);
      } else {
        var unused =
            scheduler
                .schedule(TICK)
                .thenCompose(
                    found ->
                        found == null
                            ? scheduler.schedule(tick())
                            : CompletableFuture.completedStage(false));
      }
      after(2_000 * MILLI, this::keepSchedule);
    }

    private Schedule tick() {
      return Schedule.of(
          TICK,
          new Trigger.FixedRate(Instant.EPOCH, Duration.ofMillis(500)),
          TaskRequest.of("tick/it", new byte[0]).withKeep(Errands.KEEP));
    }

    @Override
    public ReplicatedScheduler scheduler() {
      return scheduler;
    }

    @Override
    public long wallMillis() {
      return timer.wallMillis();
    }

    /** What the store answers to a node that is dead by then, nobody hears. */
    @Override
    public void after(long delayNanos, Runnable task) {
      if (process.incarnation() == incarnation) {
        process.after(delayNanos, "task", task);
      }
    }

    /** Nodes die often enough here. */
    @Override
    public void crash(Run run) {
      run.finish(new Report.Threw(run.attempt.token(), "no crash", false));
    }
  }

  @Override
  public void heal() {
    errands.isCalm = true;
    healedAt = world.now();
  }

  /** Of the node that knows most: others may not be members any more. */
  private House newest() {
    return houses.values().stream()
        .max(Comparator.comparingLong(house -> house.machine.board().counters().now()))
        .orElseThrow();
  }

  @Override
  public boolean isOver() {
    Board board = newest().machine.board();
    return world.now() > healedAt + SETTLING
        && board.pending() == 0
        && board.plans().all().isEmpty();
  }

  @Override
  public void check() {
    House newest = newest();
    errands.check(newest.machine.board());
    Set<Long> instants = new HashSet<>();
    for (Task task : newest.machine.board().tasks().values()) {
      if (task.work().schedule() != null && !instants.add(task.work().notBefore())) {
        throw errands.wrong("fired twice for " + task.work().notBefore());
      }
    }
    byte[] expected = TaskWorld.snapshot(newest.machine);
    houses.forEach(
        (node, house) -> {
          // Others are not members any more.
          if (house.machine.position() == newest.machine.position()) {
            if (!Arrays.equals(expected, TaskWorld.snapshot(house.machine))) {
              throw errands.wrong(node + " has another state");
            }
            errands.checkWorks(newest.machine.board(), node);
          }
        });
  }

  Errands errands() {
    return errands;
  }

  @Override
  public String toString() {
    Board board = newest().machine.board();
    return board.pending() + " tasks are not over, " + board.floor().workers().keySet() + " work";
  }
}
