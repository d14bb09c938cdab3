// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import java.time.Duration;

/**
 * A task that is made again and again. An instant makes one task at most, whatever leader changes
 * and clock steps come in between.
 *
 * @param name of the schedule, as a task's type is written; another schedule of this name is
 *     replaced
 * @param trigger when
 * @param request what; its dedupe key and not-before must be null
 * @param misfire what becomes of instants that nobody could serve in time
 * @param catchUp how many of them {@link Misfire#CATCH_UP} makes up for, 1 to 1000
 * @param overlap what becomes of an instant while the task of an earlier one is not over
 * @param jitter a delay for each instant drawn from 0 to this, always the same for one instant, so
 *     that not everything happens on the minute; up to a day, and never until after the next
 *     instant
 */
public record Schedule(
    String name,
    Trigger trigger,
    TaskRequest request,
    Misfire misfire,
    int catchUp,
    Overlap overlap,
    Duration jitter) {
  /** What becomes of instants that passed more than a minute ago, as the cluster was away. */
  public enum Misfire {
    /** Nothing. */
    SKIP,
    /** The last of them makes one task. */
    FIRE_ONCE,
    /** The last few make one task each, in order. */
    CATCH_UP
  }

  /** What becomes of an instant while an earlier one's task is not over. */
  public enum Overlap {
    /** It is passed over. */
    SKIP,
    /** Its task waits for the earlier one. */
    QUEUE,
    /** Its task runs beside the earlier one. */
    ALLOW
  }

  /** Refuses what makes no sense. */
  public Schedule {
    TaskRequest.checkType(name);
    if (request.dedupeKey() != null || request.notBefore() != null) {
      throw new IllegalArgumentException(
          "schedule " + name + ": its tasks can have no dedupe key and no not-before of their own");
    }
    if (request.deadline() != null) {
      throw new IllegalArgumentException("schedule " + name + ": a deadline is one task's");
    }
    if (catchUp < 1 || catchUp > 1000) {
      throw new IllegalArgumentException(
          "schedule " + name + ": catch-up of " + catchUp + ": use 1 to 1000");
    }
    if (jitter.isNegative() || jitter.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException(
          "schedule " + name + ": jitter of " + jitter + ": use 0 to a day");
    }
    if (overlap == Overlap.QUEUE && request.orderingKey() != null) {
      throw new IllegalArgumentException(
          "schedule " + name + ": overlap QUEUE orders its tasks, an ordering key would too");
    }
  }

  /** Makes up for missed instants by one task, and passes over those that would overlap. */
  public static Schedule of(String name, Trigger trigger, TaskRequest request) {
    return new Schedule(name, trigger, request, Misfire.FIRE_ONCE, 1, Overlap.SKIP, Duration.ZERO);
  }

  /** The same with another treatment of missed instants. */
  public Schedule withMisfire(Misfire its, int most) {
    return new Schedule(name, trigger, request, its, most, overlap, jitter);
  }

  /** The same with another treatment of overlaps. */
  public Schedule withOverlap(Overlap its) {
    return new Schedule(name, trigger, request, misfire, catchUp, its, jitter);
  }

  /** The same with jitter. */
  public Schedule withJitter(Duration longest) {
    return new Schedule(name, trigger, request, misfire, catchUp, overlap, longest);
  }
}
