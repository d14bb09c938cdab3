// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Does harm, as drawn from the seed: each world has its own kinds of faults and its own rates, so
 * that rare combinations get their turn. In the end it heals everything.
 */
public final class Nemesis {
  private static final long MILLIS = 1_000_000;

  /** What may go wrong. */
  public enum Fault {
    /** A process is killed; its disk forgets nothing. */
    KILL,
    /** A computer loses its power and what it had not synced. */
    POWER,
    /** All computers lose their power at once. */
    BLACKOUT,
    /** A computer dies at one of the next operations of its disk. */
    DISK_POINT,
    /** A computer dies between two of its next actions: messages, entries, disk operations. */
    ACTION_POINT,
    /** A computer dies soon after it said something in an election, and is back at once. */
    ELECTION_POINT,
    /** A process stops for a while. */
    PAUSE,
    /** The network falls apart. */
    PARTITION,
    /** Whoever leads dies, or is left with a minority. */
    LEADER,
    /** A connection breaks. */
    RESET,
    /** The network gets better or worse. */
    WEATHER,
    /** A disk gets twenty times as slow. */
    SLOW_DISK,
    /** A disk answers nothing for a while. */
    HUNG_DISK,
    /** A sync fails, and what it should have synced is lost in part. */
    FAILED_SYNC,
    /** A disk is full for a while. */
    FULL_DISK,
    /** A monotonic clock changes its speed. */
    CLOCK_RATE,
    /** A wall clock jumps. */
    CLOCK_JUMP,
    /** A computer sleeps: its process stops, and its monotonic clock. */
    SUSPEND
  }

  private final World world;
  private final SimulatedNetwork network;
  private final List<Computer> computers;
  private final RandomGenerator random;
  private final Set<Fault> faults = EnumSet.noneOf(Fault.class);
  private final long meanNanos;
  private final double drift;
  private final Supplier<@Nullable NodeId> leader;
  private final boolean storm;
  private boolean over;

  /**
   * A nemesis that has not begun.
   *
   * @param allowed the faults that it may choose from
   * @param drift how much it may put monotonic clocks off, at most
   * @param leader who was the last to become a leader
   */
  public Nemesis(
      World world,
      SimulatedNetwork network,
      List<Computer> computers,
      Set<Fault> allowed,
      double drift,
      Supplier<@Nullable NodeId> leader) {
    this.world = world;
    this.network = network;
    this.computers = List.copyOf(computers);
    this.drift = drift;
    this.leader = leader;
    this.random = world.random("nemesis");
    for (var fault : Fault.values()) {
      if (random.nextInt(5) < 2 && allowed.contains(fault)) {
        faults.add(fault);
      }
    }
    // In some worlds one thing comes right after the other, so that no leader has its way for long.
    this.storm = random.nextInt(4) == 0;
    this.meanNanos = (storm ? random.nextLong(30, 400) : random.nextLong(200, 3_000)) * MILLIS;
  }

  /** The faults that this seed has. */
  public Set<Fault> faults() {
    return Collections.unmodifiableSet(faults);
  }

  /** Begins. */
  public void begin() {
    for (var computer : computers) {
      if (faults.contains(Fault.CLOCK_RATE)) {
        computer.process().clock().setRate(drawRate());
      }
    }
    if (faults.contains(Fault.WEATHER)) {
      network.setWeather(Weather.drawn(random));
    }
    if (!faults.isEmpty()) {
      next();
    }
  }

  /** Ends, and makes everything well: all computers run, all connections come back. */
  public void heal() {
    over = true;
    network.unblockAll();
    network.setWeather(Weather.fair());
    for (var computer : computers) {
      computer.disarm();
      computer.disk().failSyncs(0);
      computer.disk().limitCapacity(Long.MAX_VALUE);
      computer.diskPace().recover();
      computer.process().clock().setRate(1);
      computer.process().resume();
      computer.start();
    }
    setWallClocks();
  }

  /** To the latest that any has shown: the log's clock, which never falls, is not later. */
  private void setWallClocks() {
    long latest = Long.MIN_VALUE;
    for (var computer : computers) {
      latest = Math.max(latest, computer.process().clock().wallMillisMax());
    }
    for (var computer : computers) {
      var clock = computer.process().clock();
      clock.jumpWall(latest - clock.wallMillis());
    }
  }

  /** A core on that computer, which knows no leader, has written something down and speaks. */
  void election(Computer computer) {
    if (faults.contains(Fault.ELECTION_POINT) && !over && random.nextInt(4) == 0) {
      computer.dieAtAction(random.nextLong(10), drawLoss());
      world.after(
          random.nextLong(1, 200) * MILLIS,
          "back at once",
          () -> {
            if (!over) {
              computer.start();
            }
          });
    }
  }

  private void next() {
    long wait = (long) (-Math.log(1 - random.nextDouble()) * meanNanos);
    world.after(
        wait,
        "nemesis",
        () -> {
          if (!over) {
            var choice = List.copyOf(faults).get(random.nextInt(faults.size()));
            next();
            if (choice == Fault.ELECTION_POINT) {
              // It has a moment of its own; something else may make for an election.
              choice = Fault.KILL;
            }
            world.sighted("nemesis " + choice);
            strike(choice, computers.get(random.nextInt(computers.size())));
          }
        });
  }

  private void strike(Fault fault, Computer computer) {
    switch (fault) {
      case KILL -> {
        computer.kill();
        restart(computer);
      }
      case POWER -> {
        computer.powerOff(drawLoss());
        restart(computer);
      }
      case BLACKOUT ->
          computers.forEach(
              each -> {
                each.powerOff(drawLoss());
                restart(each);
              });
      case DISK_POINT -> {
        computer.dieAtDisk(random.nextLong(100), random.nextInt(4) == 0 ? null : drawLoss());
        restart(computer);
      }
      case ACTION_POINT -> {
        computer.dieAtAction(random.nextLong(60), random.nextInt(3) == 0 ? null : drawLoss());
        restart(computer);
      }
      case PAUSE -> {
        computer.process().pause();
        later(3_000, () -> computer.process().resume());
      }
      case SUSPEND -> {
        computer.process().suspend();
        later(8_000, () -> computer.process().resume());
      }
      case PARTITION -> {
        partition();
        later(4_000, network::unblockAll);
      }
      case LEADER -> strikeLeader();
      case RESET -> network.reset(computer.id(), other(computer).id());
      case WEATHER -> network.setWeather(Weather.drawn(random));
      default -> strikeDevice(fault, computer);
    }
  }

  private void strikeLeader() {
    NodeId id = leader.get();
    for (var computer : computers) {
      if (computer.id().equals(id)) {
        switch (random.nextInt(4)) {
          case 0 -> {
            computer.powerOff(drawLoss());
            restart(computer);
          }
          case 1 -> {
            computer.process().pause();
            later(1_000, () -> computer.process().resume());
          }
          default -> leaveWithMinority(id);
        }
      }
    }
  }

  /** Some still hear what a leader says, and nobody else does; one way, or both. */
  private void leaveWithMinority(NodeId id) {
    List<NodeId> others = new ArrayList<>();
    for (var computer : computers) {
      if (!computer.id().equals(id)) {
        others.add(random.nextInt(others.size() + 1), computer.id());
      }
    }
    int with = random.nextInt(Math.max(1, (others.size() + 1) / 2));
    boolean oneWay = random.nextInt(3) == 0;
    for (int i = with; i < others.size(); i++) {
      for (int j = 0; j <= with; j++) {
        NodeId inside = j == with ? id : others.get(j);
        network.block(inside, others.get(i));
        if (!oneWay) {
          network.block(others.get(i), inside);
        }
      }
    }
    later(1_500, network::unblockAll);
  }

  private void strikeDevice(Fault fault, Computer computer) {
    var disk = computer.disk();
    switch (fault) {
      case SLOW_DISK -> {
        computer.diskPace().slowDown(20);
        later(5_000, computer.diskPace()::recover);
      }
      case HUNG_DISK -> {
        computer.diskPace().hang();
        later(5_000, computer.diskPace()::recover);
      }
      case FAILED_SYNC -> {
        disk.failSyncs(1);
        restart(computer);
      }
      case FULL_DISK -> {
        disk.limitCapacity(disk.usedBytes() + random.nextInt(64 << 10));
        later(3_000, () -> disk.limitCapacity(Long.MAX_VALUE));
        restart(computer);
      }
      case CLOCK_RATE -> computer.process().clock().setRate(drawRate());
      case CLOCK_JUMP ->
          // While a machine sleeps, its wall clock is all that it has.
          computer
              .process()
              .clock()
              .jumpWall(
                  random.nextLong(faults.contains(Fault.SUSPEND) ? 0 : -3_600_000, 3_600_000));
      default -> throw new AssertionError("no such fault of a device: " + fault);
    }
  }

  /** Starts a computer again after a while, and again if it is not up then. */
  private void restart(Computer computer) {
    later(
        2_000,
        () -> {
          computer.start();
          if (!over) {
            world.after(
                5_000 * MILLIS,
                "look after " + computer.id(),
                () -> {
                  if (!over && !computer.isUp()) {
                    restart(computer);
                  }
                });
          }
        });
  }

  private void later(long maxMillis, Runnable action) {
    world.after(
        random.nextLong(1, storm ? Math.max(2, maxMillis / 5) : maxMillis) * MILLIS,
        "relief",
        () -> {
          if (!over) {
            action.run();
          }
        });
  }

  private void partition() {
    List<NodeId> nodes = new ArrayList<>();
    for (var computer : computers) {
      nodes.add(random.nextInt(nodes.size() + 1), computer.id());
    }
    int kind = random.nextInt(5);
    world.sighted("partition " + kind);
    int count = nodes.size();
    int half = 1 + random.nextInt(Math.max(1, count - 1));
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        if (i != j && isCut(kind, i, j, half, count)) {
          network.block(nodes.get(i), nodes.get(j));
        }
      }
    }
  }

  private static boolean isCut(int kind, int i, int j, int half, int count) {
    int apart = Math.min(Math.abs(i - j), count - Math.abs(i - j));
    return switch (kind) {
      case 0 -> (i < half) != (j < half); // two parts
      case 1 -> i < half && j >= half; // one way
      case 2 -> i == 0 || j == 0; // one alone
      case 3 -> apart > Math.max(1, count / 4); // a ring: each hears its neighbours
      default -> i != 0 && j != 0 && (i <= count / 2) != (j <= count / 2); // a bridge
    };
  }

  private Computer other(Computer computer) {
    int index = computers.indexOf(computer);
    int step = 1 + random.nextInt(Math.max(1, computers.size() - 1));
    return computers.get((index + step) % computers.size());
  }

  private Loss drawLoss() {
    return switch (random.nextInt(4)) {
      case 0 -> Loss.everything();
      default -> Loss.random(random, true);
    };
  }

  private double drawRate() {
    return 1 - drift + random.nextDouble() * 2 * drift;
  }
}
