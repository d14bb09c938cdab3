// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keepers of values in one process, in virtual time and by one seed: a network that delays, loses
 * and parts; disks that forget what was not synced; processes that are killed and paused. What a
 * keeper is placed by is up to the {@link Machine}s that run in it.
 */
final class KeeperWorld {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;

  /** Wall clocks begin somewhere. */
  private static final long EPOCH_MILLIS = 1_700_000_000_000L;

  private static final long SYNC_NANOS = 2 * MILLI;

  final Random random;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::time).thenComparingLong(Event::number));
  private final SortedMap<NodeId, Computer> computers = new TreeMap<>();
  private final Map<NodeId, Integer> sides = new HashMap<>();
  private long now = SECOND;
  private long numbers;

  /** Of 1,000 messages, how many are lost. */
  private int lossPerMille;

  private record Event(long time, long number, Runnable task) {}

  /** What runs on a computer, in one life of it. */
  interface Machine {
    void received(NodeId from, byte[] message, long now);

    void durable(long number, long now);

    long dueAt();

    void tick(long now);
  }

  /** Starts what runs on a computer. */
  interface Program {
    Machine start(Computer computer, long now);
  }

  KeeperWorld(long seed) {
    random = new Random(seed);
  }

  long now() {
    return now;
  }

  SortedMap<NodeId, Computer> computers() {
    return computers;
  }

  Computer computer(NodeId node) {
    Computer computer = computers.get(node);
    if (computer == null) {
      throw new AssertionError("no " + node);
    }
    return computer;
  }

  /** A computer that is off. */
  Computer add(NodeId node, boolean hasDisk, Program program) {
    Computer computer = new Computer(node, hasDisk, program);
    computers.put(node, computer);
    return computer;
  }

  void at(long delay, Runnable task) {
    events.add(new Event(now + delay, ++numbers, task));
  }

  /** Runs what happens within so much time. */
  void run(long nanos) {
    long end = now + nanos;
    while (!events.isEmpty() && events.peek().time() <= end) {
      Event event = events.remove();
      now = Math.max(now, event.time());
      event.task().run();
    }
    now = end;
  }

  /** Parts the network: only those with the same number hear each other. */
  void part(Map<NodeId, Integer> numbersOfSides) {
    sides.clear();
    sides.putAll(numbersOfSides);
  }

  void heal() {
    sides.clear();
    lossPerMille = 0;
  }

  void lose(int perMille) {
    lossPerMille = perMille;
  }

  int side(NodeId node) {
    return sides.getOrDefault(node, 0);
  }

  /** A node with its disk. */
  final class Computer {
    private final NodeId node;
    private final boolean hasDisk;
    private final Program program;
    private final Map<Identifier, Value> disk = new HashMap<>();
    private final Deque<Write> unsynced = new ArrayDeque<>();
    private final Deque<Runnable> held = new ArrayDeque<>();
    private @Nullable Machine machine;
    private long life;
    private long diskLife;
    private long appended;
    private int boots;
    private boolean isPaused;
    private boolean isSyncing;
    private long wakesAt = Long.MAX_VALUE;

    /** How much the wall clock is ahead. */
    long skewMillis;

    private record Write(long number, Identifier id, @Nullable Value value) {}

    Computer(NodeId node, boolean hasDisk, Program program) {
      this.node = node;
      this.hasDisk = hasDisk;
      this.program = program;
    }

    NodeId node() {
      return node;
    }

    boolean isUp() {
      return machine != null;
    }

    boolean isPaused() {
      return isPaused;
    }

    long life() {
      return life;
    }

    @Nullable Machine machine() {
      return machine;
    }

    /** Starts with what is on the disk; a node without one has a new life each time. */
    void start() {
      if (diskLife == 0 || !hasDisk) {
        diskLife = random.nextLong() >>> 1;
        disk.clear();
      }
      life = diskLife;
      boots++;
      appended = 0;
      isSyncing = false;
      machine = program.start(this, now);
      wake();
    }

    Values values() {
      Values values = new Values();
      disk.values().forEach(values::put);
      return values;
    }

    /** Ends at once; what was not synced is gone, or some of it. */
    void kill() {
      int survive = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
      for (int i = 0; i < survive; i++) {
        write(unsynced.remove());
      }
      unsynced.clear();
      held.clear();
      machine = null;
      isPaused = false;
      wakesAt = Long.MAX_VALUE;
    }

    /** As {@link #kill}, with all that was on the disk. */
    void wipe() {
      kill();
      disk.clear();
      diskLife = 0;
    }

    /** Nothing runs for so long; what comes in waits. */
    void pause(long nanos) {
      if (machine != null && !isPaused) {
        isPaused = true;
        int boot = boots;
        at(
            nanos,
            () -> {
              if (boot == boots && isPaused) {
                isPaused = false;
                while (!held.isEmpty() && machine != null) {
                  held.remove().run();
                }
                wake();
              }
            });
      }
    }

    /** Runs something on it, when it can, if it is still in this life. */
    void onIt(long delay, Runnable task) {
      int boot = boots;
      at(
          delay,
          () -> {
            if (boot != boots || machine == null) {
              return;
            } else if (isPaused) {
              held.add(task);
            } else {
              task.run();
              wake();
            }
          });
    }

    void send(NodeId to, byte[] message) {
      if (random.nextInt(1_000) < lossPerMille) {
        return;
      }
      long delay = MILLI / 5 + random.nextInt((int) MILLI) * (random.nextInt(20) == 0 ? 10L : 1L);
      Computer target = computers.get(to);
      if (target != null && side(node) == side(to)) {
        target.onIt(
            delay,
            () -> {
              if (side(node) == side(to) && target.machine != null) {
                target.machine.received(node, message, now);
              }
            });
      }
    }

    /** Whether a connection to that node can be had. */
    boolean reaches(NodeId to) {
      Computer target = computers.get(to);
      return target != null && target.isUp() && side(node) == side(to);
    }

    long append(Value value) {
      return hasDisk ? appendWrite(value.id(), value) : 0;
    }

    long forget(Identifier id) {
      return hasDisk ? appendWrite(id, null) : 0;
    }

    private long appendWrite(Identifier id, @Nullable Value value) {
      unsynced.add(new Write(++appended, id, value));
      if (!isSyncing) {
        sync();
      }
      return appended;
    }

    private void sync() {
      isSyncing = true;
      long until = appended;
      onIt(
          SYNC_NANOS / 2 + random.nextInt((int) SYNC_NANOS),
          () -> {
            while (!unsynced.isEmpty() && unsynced.peek().number() <= until) {
              write(unsynced.remove());
            }
            isSyncing = false;
            if (appended > until) {
              sync();
            }
            Machine running = machine;
            if (running != null) {
              running.durable(until, now);
            }
          });
    }

    private void write(Write write) {
      if (write.value() == null) {
        disk.remove(write.id());
      } else {
        disk.put(write.id(), write.value());
      }
    }

    /** Has it called when it is due. */
    private void wake() {
      Machine running = machine;
      if (running == null || isPaused) {
        return;
      }
      long due = Math.max(now, running.dueAt());
      if (due < wakesAt || wakesAt <= now) {
        wakesAt = due;
        int boot = boots;
        if (due != Long.MAX_VALUE) {
          at(
              due - now,
              () -> {
                if (boot == boots && machine != null && !isPaused && wakesAt == due) {
                  wakesAt = Long.MAX_VALUE;
                  machine.tick(now);
                  wake();
                }
              });
        }
      }
    }

    long wallMillis() {
      return EPOCH_MILLIS + now / MILLI + skewMillis;
    }
  }

  /** Who cannot be seen to live from a node: down, paused, or on another side. */
  Set<NodeId> silentTo(NodeId node) {
    Set<NodeId> silent = new HashSet<>();
    for (Computer computer : computers.values()) {
      if (!computer.node().equals(node)
          && (!computer.isUp() || computer.isPaused() || side(node) != side(computer.node()))) {
        silent.add(computer.node());
      }
    }
    return silent;
  }

  /** The bytes of a message between keepers. */
  static byte[] encode(Seat source, Seat target, KeeperMessage message) {
    WireWriter out = new WireWriter(128);
    source.write(out);
    target.write(out);
    message.write(out);
    return out.toByteArray();
  }

  /** Takes a message between keepers. */
  interface Receiver {
    void received(Seat source, Seat target, KeeperMessage message);
  }

  /** Hands a message to a keeper. */
  static void decode(byte[] bytes, Receiver keeper) {
    WireReader in = new WireReader(bytes);
    keeper.received(Seat.read(in), Seat.read(in), KeeperMessage.read(in));
  }

  /** All that are up. */
  List<Computer> up() {
    List<Computer> up = new ArrayList<>(computers.values());
    up.removeIf(it -> !it.isUp());
    return up;
  }
}
