// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.Schedule;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A schedule at one position of the log; immutable. Which instants a trigger has is worked out by a
 * node, outside of the log: nodes may have other rules of time zones. The log says which of them
 * was last, and takes each once.
 *
 * @param name its name
 * @param trigger when
 * @param work what
 * @param misfire what becomes of missed instants
 * @param catchUp how many of them at most
 * @param overlap what becomes of overlapping ones
 * @param jitter the longest delay of an instant
 * @param isPaused whether instants pass unused
 * @param next the next instant, {@link #NEVER} while none is known
 * @param due when that one is to fire
 * @param last the last instant that made a task, 0 for none
 * @param lastTask that task, 0 for none
 * @param fired how many instants made one
 * @param missed how many were too late
 * @param skipped how many found the way barred
 */
record Plan(
    String name,
    Trigger trigger,
    Work work,
    Schedule.Misfire misfire,
    int catchUp,
    Schedule.Overlap overlap,
    Duration jitter,
    boolean isPaused,
    long next,
    long due,
    long last,
    long lastTask,
    long fired,
    long missed,
    long skipped) {
  static final long NEVER = Long.MAX_VALUE;

  /** Tasks of one schedule that wait for each other. */
  @Nullable String ordering() {
    return overlap == Schedule.Overlap.QUEUE ? "schedule " + name : work.orderingKey();
  }

  Plan next(long instant, long itsDue) {
    return with(isPaused, instant, itsDue, last, lastTask, fired, missed, skipped);
  }

  Plan paused(boolean its) {
    return with(its, next, due, last, lastTask, fired, missed, skipped);
  }

  Plan fired(long instant, long task) {
    return with(isPaused, next, due, instant, task, fired + 1, missed, skipped);
  }

  Plan missed(long more) {
    return with(isPaused, next, due, last, lastTask, fired, missed + more, skipped);
  }

  Plan barred() {
    return with(isPaused, next, due, last, lastTask, fired, missed, skipped + 1);
  }

  /** The same with what is counted, and what runs, of the one that it replaces. */
  Plan after(Plan former) {
    return with(
        former.isPaused,
        next,
        due,
        former.last,
        former.lastTask,
        former.fired,
        former.missed,
        former.skipped);
  }

  /** The same schedule in another state. */
  private Plan with(
      boolean itsPause,
      long itsNext,
      long itsDue,
      long itsLast,
      long itsLastTask,
      long itsFired,
      long itsMissed,
      long itsSkipped) {
    return new Plan(
        name,
        trigger,
        work,
        misfire,
        catchUp,
        overlap,
        jitter,
        itsPause,
        itsNext,
        itsDue,
        itsLast,
        itsLastTask,
        itsFired,
        itsMissed,
        itsSkipped);
  }
}
