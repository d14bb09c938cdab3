// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.shell.DurationConverter;
import io.clowder.api.shell.ShellCommand;
import io.clowder.api.shell.Table;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A command on the tasks of this node's cluster. */
abstract class TaskShell extends ShellCommand {
  private final KnownTasks tasks;

  TaskShell(KnownTasks tasks) {
    this.tasks = tasks;
  }

  final TaskScheduler scheduler() {
    return tasks.scheduler();
  }

  final TaskAdmin admin() {
    return tasks.admin();
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
          age(task.submitted(), now),
          task.node(),
          task.attempts(),
          done(task),
          task.note().isEmpty() ? task.why() : task.note());
    }
    return table.withoutIfEmpty("done").withoutIfEmpty("why");
  }

  private static String age(Instant since, long nowMillis) {
    return DurationConverter.text(Duration.ofMillis(nowMillis - since.toEpochMilli()));
  }

  private static @Nullable String done(TaskStatus task) {
    return task.node() == null || task.progress() == 0
        ? null
        : Math.round(task.progress() * 100) + " %";
  }
}
