// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.FailureEvent;
import io.clowder.simulator.World;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/** Some nodes with their monitors, and a network between them; virtual time, one seed. */
final class MonitorWorld {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;
  static final DetectionGoal GOAL =
      new DetectionGoal(Duration.ofSeconds(3), Duration.ofHours(24), Duration.ofSeconds(1));

  /** Wall clocks begin here. */
  private static final long EPOCH_MILLIS = 1_700_000_000_000L;

  private record Way(NodeId source, NodeId target) {}

  final SplittableRandom random;
  final SortedMap<NodeId, Box> nodes = new TreeMap<>();
  final Function<NodeId, Detector> algorithm;
  final Set<Way> blocked = new HashSet<>();
  private final World world;

  /** Share of messages that get lost. */
  double loss;

  /** Mean of the delay beyond the least one. */
  double delayMillis = 0.5;

  long messages;

  MonitorWorld(long seed, int count, Function<NodeId, Detector> algorithm) {
    this.random = new SplittableRandom(seed);
    this.world = new World(seed);
    this.algorithm = algorithm;
    for (int i = 1; i <= count; i++) {
      NodeId id = new NodeId("n" + i);
      nodes.put(id, new Box(id));
    }
  }

  static NodeId id(int number) {
    return new NodeId("n" + number);
  }

  Box box(int number) {
    return nodes.get(id(number));
  }

  MonitorWorld startAll() {
    nodes.values().forEach(Box::start);
    return this;
  }

  long now() {
    return world.now();
  }

  MonitorWorld runFor(long nanos) {
    world.runUntil(world.now() + nanos);
    return this;
  }

  void after(long nanos, Runnable action) {
    world.after(nanos, "event", action);
  }

  void block(int source, int target) {
    blocked.add(new Way(id(source), id(target)));
  }

  void unblockAll() {
    blocked.clear();
  }

  /** Events of all nodes about a node, in the order in which they happened. */
  List<FailureEvent> eventsAbout(NodeId node) {
    List<FailureEvent> all = new ArrayList<>();
    nodes
        .values()
        .forEach(box -> box.events.stream().filter(it -> it.node().equals(node)).forEach(all::add));
    return all;
  }

  long events() {
    return nodes.values().stream().mapToLong(box -> box.events.size()).sum();
  }

  /** A process that has a monitor. */
  final class Box implements Outlet {
    final NodeId id;
    final List<FailureEvent> events = new ArrayList<>();
    final List<Long> eventTimes = new ArrayList<>();
    final List<Runnable> held = new ArrayList<>();
    Monitor monitor;
    boolean up;
    boolean paused;
    long silentNanos = -1;
    long wallShiftMillis;

    /** How many events belong to earlier lives. */
    int eventsBefore;

    private int life;
    private long started;
    private long ticks;

    Box(NodeId id) {
      this.id = id;
    }

    void start() {
      up = true;
      life++;
      eventsBefore = events.size();
      started = now();
      monitor =
          new Monitor(
              id,
              Math.max(1, millis()),
              GOAL,
              100 * MILLI,
              "test",
              algorithm.apply(id),
              this,
              random.split(),
              0);
      monitor.members(new TreeSet<>(nodes.keySet()), 0);
      for (Box other : nodes.values()) {
        if (other != this && other.up) {
          meet(other);
          other.meet(this);
        }
      }
      tick();
    }

    private void meet(Box other) {
      happen(MILLI, () -> monitor.connected(other.id, time()));
    }

    void kill() {
      up = false;
      life++;
      held.clear();
      paused = false;
      for (Box other : nodes.values()) {
        if (other.up) {
          other.happen(MILLI, () -> other.monitor.disconnected(id, other.time()));
          other.happen(
              25 * MILLI,
              () -> {
                if (!up) {
                  other.monitor.refused(id, other.time());
                }
              });
        }
      }
    }

    void pause() {
      paused = true;
    }

    void resume() {
      paused = false;
      monitor.tick(time());
      List<Runnable> waiting = List.copyOf(held);
      held.clear();
      waiting.forEach(Runnable::run);
      tick();
    }

    /** Has something happen here, when this process runs. */
    void happen(long nanos, Runnable action) {
      int present = life;
      after(
          nanos,
          () -> {
            if (life != present || !up) {
              return;
            } else if (paused) {
              held.add(action);
            } else {
              action.run();
              tick();
            }
          });
    }

    private void tick() {
      long mine = ++ticks;
      int present = life;
      if (monitor.wakeAt() == Long.MAX_VALUE) {
        return;
      }
      long pause = Math.max(0, started + monitor.wakeAt() - now());
      after(
          pause,
          () -> {
            if (life == present && ticks == mine && !paused) {
              monitor.tick(time());
              tick();
            }
          });
    }

    /** Its monotonic clock. */
    long time() {
      return now() - started;
    }

    @Override
    public boolean send(NodeId to, Signal signal) {
      Box target = nodes.get(to);
      ByteBuffer bytes = signal.encode();
      if (!target.up) {
        return false;
      }
      messages++;
      boolean self = target == this;
      if (!self && (blocked.contains(new Way(id, to)) || random.nextDouble() < loss)) {
        return true;
      }
      double tail = -Math.log(1 - random.nextDouble()) * delayMillis;
      long delay = self ? MILLI / 10 : MILLI / 10 + (long) (tail * MILLI);
      target.happen(delay, () -> target.monitor.received(id, Signal.decode(bytes), target.time()));
      return true;
    }

    @Override
    public long silentNanos(NodeId peer) {
      return silentNanos;
    }

    @Override
    public long millis() {
      return EPOCH_MILLIS + wallShiftMillis + now() / MILLI;
    }

    @Override
    public void happened(FailureEvent event) {
      events.add(event);
      eventTimes.add(now());
    }
  }
}
