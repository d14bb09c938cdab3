// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.Schedule;
import io.clowder.api.task.Trigger;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;

/** Which instants schedules have, and which of them are served how. */
final class Instants {
  /** Whose instant passed longer ago than this was not there in time. */
  static final long TOLERANCE_MILLIS = 60_000;

  /** Instants that are looked at together; the rest is for the next look. */
  private static final int LOOKED_AT = 10_000;

  /** Of those again: the most that are made up for, and the most that may be in time after them. */
  private static final int LOOKED_AT_AGAIN = 2_000;

  private Instants() {}

  /**
   * The first instant of a schedule that is made or resumed now.
   *
   * @throws IllegalArgumentException if it has none
   */
  static long first(Trigger trigger, long now) {
    long first;
    if (trigger instanceof Trigger.Cron cron) {
      first = CronTimes.next(cron.expression(), zone(cron), now);
    } else if (trigger instanceof Trigger.FixedRate rate) {
      long from = millis(rate.first());
      long period = rate.period().toMillis();
      first = from >= now ? from : from + (Math.floorDiv(now - from - 1, period) + 1) * period;
    } else if (trigger instanceof Trigger.FixedDelay delay) {
      first = Math.max(now, millis(delay.first()));
    } else {
      first = Math.max(now, millis(((Trigger.At) trigger).instant()));
    }
    if (first == Plan.NEVER) {
      throw new IllegalArgumentException("its expression has no instant any more");
    }
    return first;
  }

  private static long millis(Instant instant) {
    try {
      return instant.toEpochMilli();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("the instant " + instant + " is out of range", e);
    }
  }

  private static ZoneId zone(Trigger.Cron cron) {
    try {
      return ZoneId.of(cron.zone());
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          "zone '" + cron.zone() + "' is not known here, as Europe/Berlin is", e);
    }
  }

  private static long after(Trigger trigger, long instant) {
    if (trigger instanceof Trigger.Cron cron) {
      return CronTimes.next(cron.expression(), zone(cron), instant);
    } else if (trigger instanceof Trigger.FixedRate rate) {
      return instant + rate.period().toMillis();
    }
    return Plan.NEVER;
  }

  /** When an instant fires: not later than the next one comes, so they keep their order. */
  static long due(Trigger trigger, String name, Duration jitter, long instant) {
    if (instant == Plan.NEVER || jitter.isZero()) {
      return instant;
    }
    long longest = Math.min(jitter.toMillis(), after(trigger, instant) - instant);
    return instant + Math.floorMod(Board.mix(name.hashCode() + instant), longest + 1);
  }

  private static long due(Plan plan, long instant) {
    return due(plan.trigger(), plan.name(), plan.jitter(), instant);
  }

  /** What becomes of the instants of a schedule that have come. */
  static Firing firing(Plan plan, long now) {
    List<Long> come = new ArrayList<>();
    long next = plan.next();
    while (next != Plan.NEVER && come.size() < LOOKED_AT && due(plan, next) <= now) {
      come.add(next);
      next = after(plan.trigger(), next);
    }
    if (plan.trigger() instanceof Trigger.FixedDelay) {
      return new Firing(plan.name(), plan.next(), come, 0, Plan.NEVER, Plan.NEVER);
    }
    if (come.size() == LOOKED_AT) {
      // Some of them may be among the last, which are made up for: they are looked at again.
      int passed = LOOKED_AT - LOOKED_AT_AGAIN;
      long from = come.get(passed);
      return new Firing(plan.name(), plan.next(), List.of(), passed, from, due(plan, from));
    }
    int late = 0;
    while (late < come.size() && due(plan, come.get(late)) < now - TOLERANCE_MILLIS) {
      late++;
    }
    int madeUp = Math.min(late, madeUp(plan, come.size() - late));
    return new Firing(
        plan.name(),
        plan.next(),
        List.copyOf(come.subList(late - madeUp, come.size())),
        late - madeUp,
        next,
        due(plan, next));
  }

  /** How many that were missed make a task all the same. */
  private static int madeUp(Plan plan, int inTime) {
    return switch (plan.misfire()) {
      case SKIP -> 0;
      case FIRE_ONCE -> inTime == 0 ? 1 : 0;
      case CATCH_UP -> plan.catchUp();
    };
  }

  /** The next few instants after now, for people. */
  static List<Long> next(Schedule schedule, long now, int count) {
    List<Long> instants = new ArrayList<>();
    long next = first(schedule.trigger(), now);
    while (next != Plan.NEVER && instants.size() < count) {
      instants.add(next);
      next = after(schedule.trigger(), next);
    }
    return instants;
  }
}
