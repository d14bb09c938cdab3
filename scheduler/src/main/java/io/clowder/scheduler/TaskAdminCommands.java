// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.shell.DurationConverter;
import io.clowder.api.shell.Table;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.ScheduleStatus;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What runs tasks, what they wait for, and schedules, in the shell. */
@Component(
    service = TaskAdminCommands.class,
    property = {
      "osgi.command.scope=task",
      "osgi.command.function=status",
      "osgi.command.function=nodes",
      "osgi.command.function=handlers",
      "osgi.command.function=drain",
      "osgi.command.function=pause",
      "osgi.command.function=limit",
      "osgi.command.function=schedule",
      "osgi.command.function=schedules",
      "osgi.command.function=top"
    })
public final class TaskAdminCommands {
  private final KnownTasks tasks;

  /** Commands on what runs tasks. */
  @Activate
  public TaskAdminCommands(@Reference(name = "tasks") KnownTasks tasks) {
    this.tasks = tasks;
  }

  /** {@code task:status}. */
  public String status(String... words) throws Exception {
    return new Status(tasks).run(words);
  }

  /** {@code task:nodes}. */
  public String nodes(String... words) throws Exception {
    return new Nodes(tasks).run(words);
  }

  /** {@code task:handlers}. */
  public String handlers(String... words) throws Exception {
    return new Handlers(tasks).run(words);
  }

  /** {@code task:drain NODE}. */
  public String drain(String... words) throws Exception {
    return new Drain(tasks).run(words);
  }

  /** {@code task:pause TYPE}. */
  public String pause(String... words) throws Exception {
    return new Pause(tasks).run(words);
  }

  /** {@code task:limit TYPE}. */
  public String limit(String... words) throws Exception {
    return new Limit(tasks).run(words);
  }

  /** {@code task:schedule NAME TYPE [PAYLOAD]}. */
  public String schedule(String... words) throws Exception {
    return new Make(tasks).run(words);
  }

  /** {@code task:schedules}. */
  public String schedules(String... words) throws Exception {
    return new Schedules(tasks).run(words);
  }

  /** {@code task:top}. */
  public String top(String... words) throws Exception {
    return new Top(tasks).run(words);
  }

  private static Table queues(SystemStatus status) {
    Table table =
        new Table("type", "priority", "waiting", "ready", "in flight", "oldest wait", "why");
    for (SystemStatus.Queue queue : status.queues()) {
      table.row(
          queue.type(),
          queue.priority(),
          queue.waiting(),
          queue.ready(),
          queue.inFlight(),
          queue.ready() == 0 ? null : DurationConverter.text(queue.oldestWait()),
          queue.isPaused() && queue.why().isEmpty() ? "is paused" : queue.why());
    }
    return table.withoutIfEmpty("why");
  }

  private static Table workers(SystemStatus status) {
    Table table = new Table("node", "slots", "in flight", "done", "failed", "drained", "labels");
    for (SystemStatus.Worker worker : status.nodes()) {
      table.row(
          worker.node(),
          worker.slots(),
          worker.inFlight(),
          worker.done(),
          worker.failed(),
          worker.isDrained() ? "yes" : "",
          worker.labels().isEmpty() ? "" : worker.labels().toString());
    }
    return table.withoutIfEmpty("drained").withoutIfEmpty("labels");
  }

  private static String summary(SystemStatus status) {
    int slots = status.nodes().stream().mapToInt(SystemStatus.Worker::slots).sum();
    int used = status.nodes().stream().mapToInt(SystemStatus.Worker::inFlight).sum();
    return String.format(
        Locale.ROOT,
        "%,d tasks not over, %,d of %,d slots taken, %,d dead, %,d results kept, %,d schedules;"
            + " since the beginning %,d submitted, %,d succeeded, %,d attempts failed",
        status.tasks(),
        used,
        slots,
        status.dead(),
        status.results(),
        status.schedules(),
        status.submitted(),
        status.succeeded(),
        status.failed());
  }

  @Command(
      name = "task:status",
      description = {
        "What waits and runs, by type and priority, the longest first.",
        "WAITING: for a time, their turn or a retry; READY: for a slot; WHY: why none of these runs."
      })
  private static final class Status extends TaskShell {
    private String text = "";

    Status(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      SystemStatus status = await(scheduler().systemStatus());
      Table table = queues(status);
      text = summary(status) + (table.isEmpty() ? "" : "\n\n" + table.toText());
      return table;
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }

  @Command(name = "task:nodes", description = "Who runs tasks, and how many.")
  private static final class Nodes extends TaskShell {
    Nodes(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      return workers(await(scheduler().systemStatus()));
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? "no node runs tasks" : result.toText();
    }
  }

  @Command(name = "task:handlers", description = "Which types can be run, and where.")
  private static final class Handlers extends TaskShell {
    Handlers(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      SortedMap<String, List<String>> nodes = new TreeMap<>();
      for (SystemStatus.Worker worker : await(scheduler().systemStatus()).nodes()) {
        worker
            .handlers()
            .forEach(
                (pattern, most) ->
                    nodes
                        .computeIfAbsent(pattern, absent -> new ArrayList<>())
                        .add(worker.node() + (most == 0 ? "" : " (" + most + ")")));
      }
      Table table = new Table("type", "nodes");
      nodes.forEach((pattern, its) -> table.row(pattern, String.join(", ", its)));
      return table;
    }

    @Override
    protected String toText(Table result) {
      return result.isEmpty() ? "no handlers" : result.toText();
    }
  }

  /** A command whose result is a sentence. */
  private abstract static class Change extends TaskShell {
    private String line = "";

    Change(KnownTasks tasks) {
      super(tasks);
    }

    /** Does it, and says what has come of it. */
    abstract String change() throws Exception;

    @Override
    protected final Table execute() throws Exception {
      line = change();
      return new Table("done").row(line);
    }

    @Override
    protected final String toText(Table result) {
      return line;
    }
  }

  @Command(
      name = "task:drain",
      description = {
        "Gives NODE no more tasks; those that it has go on.",
        "task:nodes shows when none are left."
      })
  private static final class Drain extends Change {
    @Parameters(index = "0", paramLabel = "NODE")
    private String node = "";

    @Option(names = "--end", description = "Give it tasks again.")
    private boolean isEnd;

    Drain(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    String change() throws Exception {
      await(admin().drain(new NodeId(node), !isEnd));
      return node + (isEnd ? " gets tasks again" : " gets no more tasks");
    }
  }

  @Command(
      name = "task:pause",
      description = "Has no task of TYPE begin; those that run go on, and more are taken.")
  private static final class Pause extends Change {
    @Parameters(index = "0", paramLabel = "TYPE")
    private String type = "";

    @Option(names = "--end", description = "Have them begin again.")
    private boolean isEnd;

    Pause(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    String change() throws Exception {
      await(admin().pause(type, !isEnd));
      return "type " + type + (isEnd ? " goes on" : " is paused");
    }
  }

  @Command(
      name = "task:limit",
      description =
          "Limits the tasks of TYPE in the whole cluster, or shows what it is limited to.")
  private static final class Limit extends TaskShell {
    @Parameters(index = "0", paramLabel = "TYPE")
    private String type = "";

    @Option(
        names = "--concurrency",
        paramLabel = "N",
        description = "How many run at a time; 0 for no limit.")
    private @Nullable Integer concurrency;

    @Option(
        names = "--rate",
        paramLabel = "N",
        description = "How many begin in a second; 0 for no limit.")
    private @Nullable Integer rate;

    @Option(
        names = "--queue",
        paramLabel = "N",
        description = "How many may be not over; 0 for no limit.")
    private @Nullable Integer queue;

    Limit(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      TypeLimits limits = await(admin().limits(type));
      if (concurrency != null || rate != null || queue != null) {
        limits =
            new TypeLimits(
                concurrency == null ? limits.concurrency() : concurrency,
                rate == null ? limits.perSecond() : rate,
                queue == null ? limits.queue() : queue);
        await(admin().limit(type, limits));
      }
      return new Table("type", "concurrency", "rate", "queue")
          .row(type, limits.concurrency(), limits.perSecond(), limits.queue());
    }
  }

  @Command(
      name = "task:schedule",
      description = {
        "Has a task of TYPE made again and again, or once at a time; replaces the schedule NAME.",
        "Examples: task:schedule report report/daily --cron '0 3 * * *' --zone Europe/Berlin",
        "          task:schedule poll feed/poll --every 30s"
      })
  private static final class Make extends Change {
    @Parameters(index = "0", paramLabel = "NAME")
    private String name = "";

    @Parameters(index = "1", paramLabel = "TYPE")
    private String type = "";

    @Parameters(index = "2", arity = "0..1", paramLabel = "PAYLOAD", defaultValue = "")
    private String payload = "";

    /** One of them is needed. */
    private static final class When {
      @Option(
          names = "--cron",
          paramLabel = "EXPRESSION",
          description = "Five fields, or six with the second first.")
      private @Nullable String cron;

      @Option(
          names = "--every",
          paramLabel = "TIME",
          converter = DurationConverter.class,
          description = "Now and so much later, and so on.")
      private @Nullable Duration every;

      @Option(
          names = "--after",
          paramLabel = "TIME",
          converter = DurationConverter.class,
          description = "Now, and so long after each one is over.")
      private @Nullable Duration after;

      @Option(names = "--at", paramLabel = "INSTANT", description = "Once: 2030-01-31T12:00:00Z.")
      private @Nullable Instant at;
    }

    @ArgGroup(exclusive = true, multiplicity = "1")
    private When when = new When();

    @Option(
        names = "--zone",
        paramLabel = "ZONE",
        description = "Whose clock --cron goes by (default UTC).")
    private String zone = "UTC";

    @Option(
        names = "--misfire",
        description = "What becomes of missed instants: ${COMPLETION-CANDIDATES}.")
    private Schedule.Misfire misfire = Schedule.Misfire.FIRE_ONCE;

    @Option(
        names = "--catch-up",
        paramLabel = "N",
        description = "How many CATCH_UP makes up for (default 10).")
    private int catchUp = 10;

    @Option(
        names = "--overlap",
        description = "While the last one is not over: ${COMPLETION-CANDIDATES}.")
    private Schedule.Overlap overlap = Schedule.Overlap.SKIP;

    @Option(
        names = "--jitter",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "Delay each instant by up to this.")
    private Duration jitter = Duration.ZERO;

    @Option(names = "--priority", paramLabel = "0-9", description = "9 goes first (default 4).")
    private int priority = TaskRequest.PRIORITY_USUAL;

    Make(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    String change() throws Exception {
      TaskRequest request =
          TaskRequest.of(type, payload.getBytes(StandardCharsets.UTF_8)).withPriority(priority);
      Schedule schedule =
          Schedule.of(name, trigger(), request)
              .withMisfire(misfire, catchUp)
              .withOverlap(overlap)
              .withJitter(jitter);
      boolean isNew = await(scheduler().schedule(schedule));
      return "schedule " + name + (isNew ? " is made" : " is changed");
    }

    private Trigger trigger() {
      Instant now = Instant.now();
      if (when.cron != null) {
        try {
          return new Trigger.Cron(when.cron, ZoneId.of(zone));
        } catch (DateTimeException e) {
          throw refused(Reason.INVALID, "zone '" + zone + "' is not known, such as Europe/Berlin");
        }
      } else if (when.every != null) {
        return new Trigger.FixedRate(now, when.every);
      } else if (when.after != null) {
        return new Trigger.FixedDelay(now, when.after);
      }
      return new Trigger.At(when.at == null ? now : when.at);
    }
  }

  @Command(
      name = "task:schedules",
      description = {
        "All schedules, or what is done to one.",
        "FIRED, MISSED, SKIPPED: instants that made a task, were too late, or were barred."
      })
  private static final class Schedules extends TaskShell {
    /** At most one of them. */
    private static final class What {
      @Option(names = "--next", paramLabel = "NAME", description = "Its next instants.")
      private @Nullable String next;

      @Option(names = "--pause", paramLabel = "NAME", description = "Let its instants pass.")
      private @Nullable String pause;

      @Option(names = "--resume", paramLabel = "NAME", description = "Go on.")
      private @Nullable String resume;

      @Option(names = "--run", paramLabel = "NAME", description = "Make a task now, too.")
      private @Nullable String run;

      @Option(names = "--remove", paramLabel = "NAME", description = "End it.")
      private @Nullable String remove;
    }

    @ArgGroup(exclusive = true)
    private @Nullable What what;

    @Option(names = "-n", paramLabel = "N", description = "How many instants (default 5).")
    private int count = 5;

    private @Nullable String line;

    Schedules(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      What its = what;
      if (its == null) {
        return all();
      } else if (its.next != null) {
        return next(its.next);
      } else if (its.run != null) {
        line = await(admin().fireNow(its.run)).toString();
      } else if (its.remove != null) {
        known(its.remove, await(scheduler().unschedule(its.remove)));
        line = "schedule " + its.remove + " has ended";
      } else if (its.pause != null) {
        known(its.pause, await(admin().pauseSchedule(its.pause, true)));
        line = "schedule " + its.pause + " is paused";
      } else if (its.resume != null) {
        known(its.resume, await(admin().pauseSchedule(its.resume, false)));
        line = "schedule " + its.resume + " goes on";
      }
      return new Table("done").row(line);
    }

    private static void known(String name, boolean isKnown) {
      if (!isKnown) {
        throw refused(Reason.INVALID, "there is no schedule " + name);
      }
    }

    private List<ScheduleStatus> read() throws Exception {
      List<ScheduleStatus> read = new ArrayList<>();
      String after = null;
      while (true) {
        List<ScheduleStatus> page = await(admin().schedules(after, Limits.PAGE_ENTRIES));
        if (page.isEmpty()) {
          return read;
        }
        read.addAll(page);
        after = page.get(page.size() - 1).schedule().name();
      }
    }

    private Table all() throws Exception {
      Table table =
          new Table(
              "name", "when", "type", "next", "last task", "fired", "missed", "skipped", "paused");
      for (ScheduleStatus it : read()) {
        table.row(
            it.schedule().name(),
            text(it.schedule().trigger()),
            it.schedule().request().type(),
            it.next(),
            it.lastTask() == null ? null : it.lastTask().number(),
            it.fired(),
            it.missed(),
            it.skipped(),
            it.isPaused() ? "yes" : "");
      }
      return table.withoutIfEmpty("paused");
    }

    private static String text(Trigger trigger) {
      if (trigger instanceof Trigger.Cron cron) {
        return cron.expression() + " " + cron.zone();
      } else if (trigger instanceof Trigger.FixedRate rate) {
        return "every " + DurationConverter.text(rate.period());
      } else if (trigger instanceof Trigger.FixedDelay delay) {
        return DurationConverter.text(delay.delay()) + " after each";
      }
      return "once";
    }

    private Table next(String name) throws Exception {
      ScheduleStatus found = await(admin().schedule(name));
      known(name, found != null);
      Table table = new Table("instant");
      if (found != null) {
        Instants.next(
                found.schedule(), System.currentTimeMillis(), Math.max(1, Math.min(count, 1_000)))
            .forEach(instant -> table.row(Instant.ofEpochMilli(instant)));
      }
      return table;
    }

    @Override
    protected String toText(Table result) {
      return line != null ? line : result.isEmpty() ? "no schedules" : result.toText();
    }
  }

  @Command(
      name = "task:top",
      description = {
        "What runs, redrawn in place until Ctrl-C, or so often as -n says.",
        "RATE: tasks that have succeeded since the last picture, in a second."
      })
  private static final class Top extends TaskShell {
    private static final int RUNNING = 20;
    private static final String HOME_AND_CLEAR = "\u001b[H\u001b[2J";

    @Option(names = "-n", paramLabel = "N", description = "How often; 0 for ever (default 0).")
    private int times;

    @Option(
        names = "--every",
        paramLabel = "TIME",
        converter = DurationConverter.class,
        description = "How long between two (default 1s).")
    private Duration every = Duration.ofSeconds(1);

    private String last = "";

    Top(KnownTasks tasks) {
      super(tasks);
    }

    @Override
    protected Table execute() throws Exception {
      PrintStream out = System.out;
      long before = -1;
      for (int i = 1; ; i++) {
        SystemStatus status = await(scheduler().systemStatus());
        List<TaskStatus> running = await(admin().list(TaskState.RUNNING, null, null, RUNNING));
        double rate =
            before < 0
                ? 0
                : (status.succeeded() - before) / Math.max(0.001, every.toMillis() / 1e3);
        before = status.succeeded();
        last = picture(status, running, rate);
        if (i == times) {
          return queues(status);
        }
        out.print(HOME_AND_CLEAR + last + "\n");
        out.flush();
        if (out.checkError() || pause()) {
          return queues(status); // Whoever looked is gone.
        }
      }
    }

    /** Whether somebody wants it to end. */
    private boolean pause() {
      try {
        return new CountDownLatch(1).await(every.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        return true;
      }
    }

    private static String picture(SystemStatus status, List<TaskStatus> running, double rate) {
      Table workers = workers(status);
      Table queues = queues(status);
      return summary(status)
          + String.format(Locale.ROOT, "; %,.0f/s", rate)
          + (workers.isEmpty() ? "\n\nno node runs tasks" : "\n\n" + workers.toText())
          + (queues.isEmpty() ? "" : "\n\n" + queues.toText())
          + (running.isEmpty() ? "" : "\n\n" + tasks(running).toText());
    }

    @Override
    protected String toText(Table result) {
      return last;
    }
  }
}
