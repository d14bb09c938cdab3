// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.task.Trigger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** All schedules, by name and by when they are due. */
final class Plans {
  private final TreeMap<String, Plan> byName = new TreeMap<>();
  private final TreeSet<Plan> byTime =
      new TreeSet<>(Comparator.comparingLong(Plan::due).thenComparing(Plan::name));

  @Nullable Plan get(String name) {
    return byName.get(name);
  }

  SortedMap<String, Plan> all() {
    return byName;
  }

  /** Whether there was none of its name; null if there are too many. */
  @Nullable Boolean put(Plan plan) {
    Plan former = byName.get(plan.name());
    if (former == null && byName.size() >= Limits.SCHEDULES) {
      return null;
    }
    set(former == null ? plan : plan.after(former));
    return former == null;
  }

  void set(Plan plan) {
    remove(plan.name());
    byName.put(plan.name(), plan);
    if (!plan.isPaused() && plan.next() != Plan.NEVER) {
      byTime.add(plan);
    }
  }

  boolean remove(String name) {
    Plan plan = byName.remove(name);
    if (plan != null) {
      byTime.remove(plan);
    }
    return plan != null;
  }

  /** When the next instant is due; {@link Plan#NEVER} if none is. */
  long nextDue() {
    return byTime.isEmpty() ? Plan.NEVER : byTime.first().due();
  }

  /** Those that are due, the first of them. */
  List<Plan> due(long now, int limit) {
    List<Plan> due = new ArrayList<>();
    for (Plan plan : byTime) {
      if (plan.due() > now || due.size() == limit) {
        break;
      }
      due.add(plan);
    }
    return due;
  }

  /** A task is over: what waits for that goes on. */
  void ended(Task task, long now) {
    String schedule = task.work().schedule();
    Plan plan = schedule == null ? null : byName.get(schedule);
    if (plan != null
        && plan.lastTask() == task.id()
        && plan.next() == Plan.NEVER
        && plan.trigger() instanceof Trigger.FixedDelay delay) {
      set(delayed(plan, delay, now));
    }
  }

  static Plan delayed(Plan plan, Trigger.FixedDelay delay, long now) {
    long next = now + delay.delay().toMillis();
    return plan.next(next, Instants.due(delay, plan.name(), plan.jitter(), next));
  }
}
