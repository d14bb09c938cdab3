// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.task.TaskStatus;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who works, what is ready, and which of both come together. A task is given away only to a free
 * slot, so how busy a worker is, is never a guess: least-loaded-by-report sends everything to whom
 * was idle a moment ago (Mitzenmacher, "How useful is old information?", 2000).
 */
final class Floor {
  private static final Comparator<Lane> NEXT =
      Comparator.<Lane>comparingLong(lane -> lane.head().rank())
          .thenComparingLong(lane -> lane.head().since())
          .thenComparingLong(lane -> lane.head().order());

  /** How many of a type are kept though they are empty. */
  private static final int LANES_KEPT = 64;

  private final SortedMap<Long, Worker> workers = new TreeMap<>();
  private final Map<NodeId, Worker> byNode = new HashMap<>();
  private final SortedSet<NodeId> drained = new TreeSet<>();
  private final SortedMap<String, Type> types = new TreeMap<>();

  /** Lanes with tasks that somebody could run, by their first task: which is taken out first. */
  private final TreeSet<Lane> open = new TreeSet<>(NEXT);

  // ---- types -----------------------------------------------------------------------------------

  @Nullable Type type(String name) {
    return types.get(name);
  }

  SortedMap<String, Type> types() {
    return types;
  }

  /** The type, from now on remembered; null if there are too many. */
  @Nullable Type enter(String name) {
    Type type = types.get(name);
    if (type == null && types.size() < Limits.TASK_TYPES) {
      type = new Type(name);
      types.put(name, type);
    }
    return type;
  }

  /** Forgets the type if there is nothing to remember. */
  void leave(Type type) {
    if (type.isIdle()) {
      types.remove(type.name);
    }
  }

  // ---- what is ready ---------------------------------------------------------------------------

  void add(Task task, Type type) {
    Lane.Key key = Lane.Key.of(task);
    Lane lane = type.lanes().get(key);
    if (lane == null) {
      lane = new Lane(type, key);
      lane.takers = takers(lane);
      type.lanes().put(key, lane);
    }
    shut(lane);
    lane.ready.add(task);
    offer(lane);
  }

  void remove(Task task, Type type) {
    Lane.Key key = Lane.Key.of(task);
    Lane lane = type.lanes().get(key);
    if (lane == null) {
      throw new AssertionError("task " + task.id() + " is ready, and in no lane");
    }
    shut(lane);
    lane.ready.remove(task);
    offer(lane);
    if (lane.ready.isEmpty() && type.lanes().size() > LANES_KEPT) {
      type.lanes().remove(key);
    }
  }

  private void shut(Lane lane) {
    if (!lane.ready.isEmpty()) {
      open.remove(lane);
    }
  }

  private void offer(Lane lane) {
    if (!lane.ready.isEmpty() && !lane.takers.isEmpty()) {
      open.add(lane);
    }
  }

  // ---- who works -------------------------------------------------------------------------------

  SortedMap<Long, Worker> workers() {
    return workers;
  }

  @Nullable Worker worker(long number) {
    return workers.get(number);
  }

  @Nullable Worker worker(NodeId node) {
    return byNode.get(node);
  }

  SortedSet<NodeId> drained() {
    return drained;
  }

  void add(Worker worker) {
    workers.put(worker.number, worker);
    byNode.put(worker.node, worker);
    changed();
  }

  void remove(Worker worker) {
    workers.remove(worker.number);
    byNode.remove(worker.node, worker);
    changed();
  }

  void drain(NodeId node, boolean isDrained) {
    if (isDrained ? drained.add(node) : drained.remove(node)) {
      changed();
    }
  }

  /** A worker is another one, or has other handlers. */
  void changed() {
    open.clear();
    for (Type type : types.values()) {
      type.lanes().values().removeIf(lane -> lane.ready.isEmpty());
      for (Lane lane : type.lanes().values()) {
        lane.takers = takers(lane);
        offer(lane);
      }
    }
  }

  private List<Lane.Taker> takers(Lane lane) {
    List<Lane.Taker> takers = new ArrayList<>();
    for (Worker worker : workers.values()) {
      String pattern = best(worker, lane.type.name);
      if (pattern != null
          && !drained.contains(worker.node)
          && worker.hasLabels(lane.key.labels())) {
        takers.add(new Lane.Taker(worker, pattern));
      }
    }
    return takers;
  }

  /** Which of its handlers runs a type; what is one process's alone, none but its own. */
  private static @Nullable String best(Worker worker, String type) {
    if (type.startsWith(LocalTasks.TYPE)) {
      return worker.skills().containsKey(type) ? type : null;
    }
    return Pattern.best(worker.skills().keySet(), type);
  }

  /** Whether tasks of a type make sense: what is one process's alone goes with it. */
  boolean isThere(String type) {
    return !type.startsWith(LocalTasks.TYPE)
        || workers.values().stream().anyMatch(worker -> worker.skills().containsKey(type));
  }

  // ---- dealing ---------------------------------------------------------------------------------

  /** A task and who is to run it. */
  record Match(Task task, Lane.Taker taker) {}

  /** Takes one match after another; it takes the task out of its lane, and the slot. */
  interface Dealer {
    void deal(Match match);

    /** A type's rate allows its next task only then. */
    void later(Type type, long atMillis);
  }

  /** Brings tasks and free slots together until one of both runs out. */
  void deal(long now, Dealer dealer) {
    int free = 0;
    for (Worker worker : workers.values()) {
      free += drained.contains(worker.node) ? 0 : worker.free();
    }
    List<Lane> barred = new ArrayList<>();
    while (free > 0 && !open.isEmpty()) {
      Lane lane = open.first();
      Lane.Taker taker = null;
      if (mayBegin(lane.type, now, dealer)) {
        taker = choose(lane);
      }
      if (taker == null) {
        open.remove(lane);
        barred.add(lane);
      } else {
        lane.type.begin(now);
        dealer.deal(new Match(lane.head(), taker));
        free--;
      }
    }
    barred.forEach(this::offer);
  }

  private static boolean mayBegin(Type type, long now, Dealer dealer) {
    if (type.isPaused || type.isAtItsLimit()) {
      return false;
    }
    long at = type.mayBeginAt();
    if (at > now) {
      dealer.later(type, at);
      return false;
    }
    return true;
  }

  /** The best of those with room, but not where the task failed last if another has room. */
  private static Lane.@Nullable Taker choose(Lane lane) {
    List<TaskStatus.Past> past = lane.head().past();
    NodeId avoided = past.isEmpty() ? null : past.get(past.size() - 1).node();
    Lane.Taker best = null;
    for (Lane.Taker taker : lane.takers) {
      Worker worker = taker.worker();
      if (!worker.hasRoomFor(taker.pattern(), lane.key.isSuspect())) {
        continue;
      }
      if (best == null || isBetter(worker, best.worker(), avoided)) {
        best = taker;
      }
    }
    return best;
  }

  private static boolean isBetter(Worker worker, Worker than, @Nullable NodeId avoided) {
    boolean isAvoided = worker.node.equals(avoided);
    boolean isOtherAvoided = than.node.equals(avoided);
    return isAvoided == isOtherAvoided ? worker.isBetterThan(than) : isOtherAvoided;
  }

  /** Why a task that is ready does not run, for people. */
  String why(Task task, Type type) {
    if (type.isPaused) {
      return "type " + type.name + " is paused";
    }
    boolean isKnown = false;
    boolean hasLabels = false;
    boolean isThere = false;
    for (Worker worker : workers.values()) {
      if (best(worker, type.name) != null) {
        isKnown = true;
        if (worker.hasLabels(task.work().terms().labels())) {
          hasLabels = true;
          isThere |= !drained.contains(worker.node);
        }
      }
    }
    if (!isKnown) {
      return "no node has a handler for " + type.name;
    } else if (!hasLabels) {
      return "no node with a handler for it has the labels " + task.work().terms().labels();
    } else if (!isThere) {
      return "all nodes that could run it are drained";
    } else if (type.isAtItsLimit()) {
      return "as many of its type run as may, " + type.limits().concurrency();
    } else if (type.limits().perSecond() > 0) {
      return "waits for a slot, or for the rate of its type, " + type.limits().perSecond() + "/s";
    }
    return "all slots are taken";
  }
}
