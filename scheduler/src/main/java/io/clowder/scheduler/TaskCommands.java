// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.shell.DurationConverter;
import io.clowder.api.shell.Entries;
import io.clowder.api.shell.Table;
import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tasks in the shell. */
@Component(
    service = TaskCommands.class,
    property = {
      "osgi.command.scope=task",
      "osgi.command.function=submit",
      "osgi.command.function=list",
      "osgi.command.function=info",
      "osgi.command.function=result",
      "osgi.command.function=cancel",
      "osgi.command.function=retry",
      "osgi.command.function=forget",
      "osgi.command.function=dead"
    })
public final class TaskCommands {
  private final KnownTasks tasks;

  /** Commands on tasks. */
  @Activate
  public TaskCommands(@Reference(name = "tasks") KnownTasks tasks) {
    this.tasks = tasks;
  }

  /** {@code task:submit TYPE [PAYLOAD]}. */
  public String submit(String... words) throws Exception {
    return new Submit(tasks).run(words);
  }

  /** {@code task:list}. */
  public String list(String... words) throws Exception {
    return new Listing(tasks).run(words);
  }

  /** {@code task:info ID}. */
  public String info(String... words) throws Exception {
    return new Info(tasks).run(words);
  }

  /** {@code task:result ID}. */
  public String result(String... words) throws Exception {
    return new Result(tasks).run(words);
  }

  /** {@code task:cancel ID...}. */
  public String cancel(String... words) throws Exception {
    return new Cancel(tasks).run(words);
  }

  /** {@code task:retry ID...}. */
  public String retry(String... words) throws Exception {
    return new Again(tasks).run(words);
  }

  /** {@code task:forget ID...}. */
  public String forget(String... words) throws Exception {
    return new Forget(tasks).run(words);
  }

  /** {@code task:dead}. */
  public String dead(String... words) throws Exception {
    return new Dead(tasks).run(words);
  }

  @Command(
      name = "task:submit",
      description = {
        "Has a task run somewhere in the cluster; prints its id.",
        "Example: task:submit mail/send hello --priority 7 --wait 10s"
      })
  private static final class Submit extends TaskShell {
    /** Less than the shell waits for an answer. */
    private static final Duration WAIT_MAX = Duration.ofMinutes(9);

    @Parameters(index = "0", paramLabel = "TYPE", description = "Finds the handler.")
    private String type = "";

    @Parameters(
        index = "1",
        arity = "0..1",
        paramLabel = "PAYLOAD",
        defaultValue = "",
        description = "For the handler, taken as UTF-8.")
    private String payload = "";

    @Option(names = "--priority", paramLabel = "0-9", description = "9 goes first (default 4).")
    private int priority = TaskRequest.PRIORITY_USUAL;

    @Option(
        names = "--dedupe",
        paramLabel = "KEY",
        description = "Only if no task of the type with this key is known.")
    private @Nullable String dedupe;

    @Option(
        names = "--order",
        paramLabel = "KEY",
        description = "After those of the type with this key.")
    private @Nullable String order;

    @Option(
        names = "--delay",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "Not before this time from now.")
    private @Nullable Duration delay;

    @Option(
        names = "--deadline",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "Done within this time from now, or not at all.")
    private @Nullable Duration deadline;

    @Option(
        names = "--attempts",
        paramLabel = "N",
        description = "How often its handler may fail (default 5).")
    private int attempts = Retry.USUAL.attempts();

    @Option(
        names = "--label",
        paramLabel = "NAME=VALUE",
        description = "Only on nodes that have this label; may be said several times.")
    private Map<String, String> labels = new TreeMap<>();

    @Option(names = "--once", description = "At most once: never again if it was begun.")
    private boolean once;

    @Option(
        names = "--wait",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "Wait for its end, up to 9m, and print its result.")
    private @Nullable Duration wait;

    private String text = "";

    Submit(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      if (wait != null && wait.compareTo(WAIT_MAX) > 0) {
        throw new IllegalArgumentException("--wait is over 9m");
      }
      TaskId id = await(scheduler().submit(request()));
      if (wait == null) {
        text = id.toString();
        return new Table("id").row(id.number());
      }
      TaskResult result = await(scheduler().result(id, wait));
      text = Result.text(result);
      return Result.table(result);
    }

    private TaskRequest request() {
      TaskRequest request =
          TaskRequest.of(type, payload.getBytes(StandardCharsets.UTF_8)).withPriority(priority);
      Instant now = Instant.now();
      request = dedupe == null ? request : request.withDedupeKey(dedupe);
      request = order == null ? request : request.withOrderingKey(order);
      request = delay == null ? request : request.withNotBefore(now.plus(delay));
      request = deadline == null ? request : request.withDeadline(now.plus(deadline));
      if (attempts != Retry.USUAL.attempts()) {
        request =
            request.withRetry(
                new Retry(attempts, Retry.USUAL.base(), Retry.USUAL.cap(), Retry.USUAL.crashes()));
      }
      for (Map.Entry<String, String> label : labels.entrySet()) {
        request = request.withLabel(label.getKey(), label.getValue());
      }
      return once ? request.withMode(TaskMode.AT_MOST_ONCE) : request;
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(
      name = "task:list",
      description = {
        "Tasks by number, those that are over and kept among them.",
        "WHY says what one waits for, or how it ended, or what its handler says."
      })
  private static class Listing extends TaskShell {
    @Option(
        names = {"-s", "--state"},
        description = "Only those: ${COMPLETION-CANDIDATES}.")
    private @Nullable TaskState state;

    @Option(
        names = {"-t", "--type"},
        paramLabel = "TYPE",
        description = "Only those; a/* and a/** are taken as handlers write them.")
    private @Nullable String type;

    @Option(names = "--after", paramLabel = "ID", description = "Only those with larger numbers.")
    private @Nullable Long after;

    @Option(names = "--limit", paramLabel = "N", description = "At most so many (default 100).")
    private int limit = 100;

    private boolean isMore;

    Listing(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      TaskId from = after == null || after == 0 ? null : new TaskId(after);
      List<TaskStatus> tasks = await(admin().list(state, type, from, limit));
      isMore = tasks.size() == limit;
      return tasks(tasks);
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty()
          ? "no tasks"
          : result.toText() + (isMore ? "\n(there may be more: --after, --limit)" : "");
    }
  }

  @Command(name = "task:info", description = "All that the cluster knows of a task.")
  private static final class Info extends TaskShell {
    @Parameters(index = "0", paramLabel = "ID")
    private long id;

    private String text = "";

    Info(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      TaskStatus task = await(scheduler().status(new TaskId(id)));
      Table table = new Table("what", "value");
      table.row("id", task.id().number()).row("type", task.type());
      table.row("priority", task.priority()).row("state", task.state());
      row(table, "why", task.why());
      table.row("submitted", task.submitted()).row("since", task.since());
      row(table, "goes on at", task.due());
      row(table, "deadline", task.deadline());
      row(table, "node", task.node());
      row(table, "token", task.token() == 0 ? null : task.token());
      table.row("attempts", task.attempts());
      row(table, "lost nodes", task.crashes() == 0 ? null : task.crashes());
      row(table, "progress", task.progress() == 0 ? null : task.progress());
      row(table, "note", task.note());
      row(table, "dedupe key", task.dedupeKey());
      row(table, "ordering key", task.orderingKey());
      row(table, "labels", task.labels().isEmpty() ? null : task.labels());
      row(table, "mode", task.mode() == TaskMode.AT_LEAST_ONCE ? null : task.mode());
      row(table, "schedule", task.schedule());
      table.row("payload bytes", task.payloadBytes());
      row(table, "result bytes", task.state().isEnd() ? task.resultBytes() : null);
      text = table.toText();
      if (!task.past().isEmpty()) {
        Table past = new Table("attempt", "node", "token", "began", "ended", "error");
        for (TaskStatus.Past it : task.past()) {
          past.row(it.attempt(), it.node(), it.token(), it.began(), it.ended(), it.error());
        }
        table.row("failed attempts", past);
        text += "\n\n" + past.toText();
      }
      return table;
    }

    private static void row(Table table, String what, @Nullable Object value) {
      if (value != null && !"".equals(value)) {
        table.row(what, value);
      }
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(name = "task:result", description = "The result of a task; waits for its end.")
  private static final class Result extends TaskShell {
    @Parameters(index = "0", paramLabel = "ID")
    private long id;

    @Option(
        names = "--wait",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "How long (default 0s), up to 9m.")
    private Duration wait = Duration.ZERO;

    private String text = "";

    Result(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      if (wait.compareTo(Submit.WAIT_MAX) > 0) {
        throw new IllegalArgumentException("--wait is over 9m");
      }
      TaskResult result = await(scheduler().result(new TaskId(id), wait));
      text = text(result);
      return table(result);
    }

    static Table table(TaskResult result) {
      return new Table("id", "state", "value", "error", "attempts")
          .row(
              result.id().number(),
              result.state(),
              Entries.visible(result.value()),
              result.error(),
              result.attempts());
    }

    /** Its value alone, if it has one: for scripts that have succeeded. */
    static String text(TaskResult result) {
      if (result.state() != TaskState.SUCCEEDED) {
        throw new IllegalStateException(
            "task %s is %s: %s".formatted(result.id(), result.state(), result.error()));
      }
      return Entries.visible(result.value());
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  /** A command on tasks that are named. */
  private abstract static class Each extends TaskShell {
    @Parameters(arity = "1..*", paramLabel = "ID")
    private List<Long> ids = List.of();

    private final String done;
    private final String failed;
    private final List<String> lines = new ArrayList<>();

    Each(KnownTasks tasks, String done, String failed) {
      super(tasks);
      this.done = done;
      this.failed = failed;
    }

    abstract CompletionStage<Boolean> change(TaskId id);

    @Override
    protected final Table execute() throws Exception {
      Table table = new Table("id", "done");
      boolean all = true;
      for (long id : ids) {
        boolean is = await(change(new TaskId(id)));
        all &= is;
        table.row(id, is);
        lines.add("task %d %s".formatted(id, is ? done : failed));
      }
      if (!all) {
        throw new IllegalStateException(String.join("; ", lines));
      }
      return table;
    }

    @Override
    protected final String toText(Table result) {
      return String.join("\n", lines);
    }
  }

  @Command(
      name = "task:cancel",
      description = "Calls tasks off. One that runs is interrupted, and its result refused.")
  private static final class Cancel extends Each {
    Cancel(KnownTasks tasks) {
      super(tasks, "is called off", "was over, or is not known");
    }

    @Override
    CompletionStage<Boolean> change(TaskId id) {
      return scheduler().cancel(id);
    }
  }

  @Command(
      name = "task:retry",
      description = "Has tasks that failed, or wait to be tried again, tried anew at once.")
  private static final class Again extends Each {
    Again(KnownTasks tasks) {
      super(tasks, "is tried anew", "has not failed, or is not known");
    }

    @Override
    CompletionStage<Boolean> change(TaskId id) {
      return scheduler().retry(id);
    }
  }

  @Command(name = "task:forget", description = "Forgets tasks that are over, and their results.")
  private static final class Forget extends Each {
    Forget(KnownTasks tasks) {
      super(tasks, "is forgotten", "is not over, or is not known");
    }

    @Override
    CompletionStage<Boolean> change(TaskId id) {
      return admin().forget(id);
    }
  }

  @Command(
      name = "task:dead",
      description = {
        "The dead-letter list: tasks that failed as often as they may, or took nodes with them.",
        "They stay until somebody has them tried again, or forgotten."
      })
  private static final class Dead extends TaskShell {
    @Option(names = "--retry", description = "Have all of them tried anew.")
    private boolean isRetried;

    @Option(names = "--forget", description = "Forget all of them.")
    private boolean isForgotten;

    private String text = "";

    Dead(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      if (isRetried && isForgotten) {
        throw refused(Reason.INVALID, "--retry and --forget do not go together");
      }
      if (!isRetried && !isForgotten) {
        Table table = tasks(await(admin().list(TaskState.DEAD, null, null, Limits.PAGE_ENTRIES)));
        text = table.isEmpty() ? "no dead tasks" : table.toText();
        return table;
      }
      Table table = new Table("id");
      int count = 0;
      TaskId after = null;
      while (true) {
        List<TaskStatus> page =
            await(admin().list(TaskState.DEAD, null, after, Limits.PAGE_ENTRIES));
        if (page.isEmpty()) {
          break;
        }
        for (TaskStatus task : page) {
          after = task.id();
          if (await(isRetried ? scheduler().retry(task.id()) : admin().forget(task.id()))) {
            table.row(task.id().number());
            count++;
          }
        }
      }
      text = count + (isRetried ? " are tried anew" : " are forgotten");
      return table;
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }
}
