// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.Schedule;
import io.clowder.api.task.ScheduleStatus;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskStatus;
import io.clowder.api.task.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Between what users see and what the log has. */
final class Shows {
  private Shows() {}

  static Work work(TaskRequest request, int agingMillis) {
    return new Work(
        request.type(),
        request.payload(),
        (byte) request.priority(),
        request.dedupeKey(),
        request.orderingKey(),
        millis(request.notBefore()),
        millis(request.deadline()),
        new Terms(
            request.retry(),
            request.labels(),
            request.mode(),
            request.keep().toMillis(),
            agingMillis),
        null);
  }

  /** Milliseconds since 1970, at least 1; 0 for none. */
  private static long millis(@Nullable Instant instant) {
    if (instant == null) {
      return 0;
    }
    Instant bounded = instant.isAfter(LAST) ? LAST : instant;
    return Math.max(1, bounded.getEpochSecond() < 0 ? 1 : bounded.toEpochMilli());
  }

  /** Beyond it nobody waits. */
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

  private static @Nullable Instant instant(long millis) {
    return millis <= 0 || millis == Plan.NEVER ? null : Instant.ofEpochMilli(millis);
  }

  private static TaskRequest request(Work work) {
    Terms terms = work.terms();
    return new TaskRequest(
        work.type(),
        work.payload(),
        work.priority(),
        work.dedupeKey(),
        work.orderingKey(),
        instant(work.notBefore()),
        instant(work.deadline()),
        terms.retry(),
        new TreeMap<>(terms.labels()),
        terms.mode(),
        Duration.ofMillis(terms.keepMillis()));
  }

  static TaskStatus status(TaskAnswer.ShownTask shown) {
    Task task = shown.task();
    Work work = task.work();
    return new TaskStatus(
        new TaskId(task.id()),
        work.type(),
        work.priority(),
        task.state(),
        shown.why(),
        task.attempts(),
        task.crashes(),
        shown.node(),
        task.token(),
        Instant.ofEpochMilli(task.submitted()),
        Instant.ofEpochMilli(task.since()),
        instant(task.due()),
        instant(work.deadline()),
        work.dedupeKey(),
        work.orderingKey(),
        new TreeMap<>(work.terms().labels()),
        work.terms().mode(),
        work.payload().length,
        task.value().length,
        work.schedule(),
        shown.permille() / 1000.0,
        shown.note(),
        task.past());
  }

  static Plan plan(Schedule schedule, int agingMillis, long next, long due) {
    return new Plan(
        schedule.name(),
        schedule.trigger(),
        work(schedule.request(), agingMillis),
        schedule.misfire(),
        schedule.catchUp(),
        schedule.overlap(),
        schedule.jitter(),
        false,
        next,
        due,
        0,
        0,
        0,
        0,
        0);
  }

  static ScheduleStatus schedule(Plan plan) {
    return new ScheduleStatus(
        new Schedule(
            plan.name(),
            plan.trigger(),
            request(plan.work()),
            plan.misfire(),
            plan.catchUp(),
            plan.overlap(),
            plan.jitter()),
        plan.isPaused(),
        instant(plan.next()),
        instant(plan.last()),
        plan.lastTask() == 0 ? null : new TaskId(plan.lastTask()),
        plan.fired(),
        plan.missed(),
        plan.skipped());
  }

  /** About how many bytes a task takes in an answer, at most. */
  static int size(Task task) {
    int bytes = size(task.work()) + task.value().length + 512;
    if (task.error() != null) {
      bytes += 8 * task.error().length();
    }
    for (TaskStatus.Past past : task.past()) {
      bytes += 4 * past.error().length() + 128;
    }
    return bytes;
  }

  /** About how many bytes a schedule takes in an answer, at most. */
  static int size(Plan plan) {
    int characters = plan.name().length();
    if (plan.trigger() instanceof Trigger.Cron cron) {
      characters += cron.expression().length() + cron.zone().length();
    }
    return size(plan.work()) + 4 * characters + 256;
  }

  static int size(Work work) {
    int characters = work.type().length();
    characters += work.dedupeKey() == null ? 0 : work.dedupeKey().length();
    characters += work.orderingKey() == null ? 0 : work.orderingKey().length();
    characters += work.schedule() == null ? 0 : work.schedule().length();
    for (var label : work.terms().labels().entrySet()) {
      characters += label.getKey().length() + label.getValue().length() + 4;
    }
    return work.payload().length + 4 * characters + 256;
  }
}
