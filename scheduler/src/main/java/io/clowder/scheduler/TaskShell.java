// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A command on the tasks of this node's cluster. */
abstract class TaskShell extends ShellCommand {
  /** What the shell has found on this node. */
  record Services(@Nullable TaskScheduler scheduler, @Nullable TaskAdmin admin) {}

  private final Supplier<Services> services;

  TaskShell(Supplier<Services> services) {
    this.services = services;
  }

  final TaskScheduler scheduler() {
    return present(services.get().scheduler());
  }

  final TaskAdmin admin() {
    return present(services.get().admin());
  }

  private static <T> T present(@Nullable T service) {
    if (service == null) {
      throw refused(
          Reason.UNAVAILABLE, "no tasks here now: the consensus group main does not answer");
    }
    return service;
  }

  /** A time as people say it. */
  static String age(Duration duration) {
    Duration shown = duration.isNegative() ? Duration.ZERO : duration;
    return shown
        .truncatedTo(shown.toMinutes() > 0 ? ChronoUnit.SECONDS : ChronoUnit.MILLIS)
        .toString()
        .substring(2)
        .toLowerCase(Locale.ROOT);
  }

  static @Nullable String ago(@Nullable Instant instant, long nowMillis) {
    return instant == null ? null : age(Duration.ofMillis(nowMillis - instant.toEpochMilli()));
  }

  /** Tasks, a line each. */
  static Table tasks(List<TaskStatus> tasks) {
    long now = System.currentTimeMillis();
    Table table =
        new Table("id", "type", "priority", "state", "age", "node", "attempts", "done", "why");
    for (TaskStatus task : tasks) {
      table.row(
          task.id().number(),
          task.type(),
          task.priority(),
          task.state(),
          ago(task.submitted(), now),
          task.node(),
          task.attempts(),
          done(task),
          task.note().isEmpty() ? task.why() : task.note());
    }
    return table.withoutIfEmpty("done").withoutIfEmpty("why");
  }

  private static @Nullable String done(TaskStatus task) {
    return task.node() == null || task.progress() == 0
        ? null
        : Math.round(task.progress() * 100) + " %";
  }
}
