// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TypeLimits;
import io.clowder.api.wire.WireFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tasks of a group as a replicated machine. Whoever works on this node, or waits here for a
 * task's end, hears from it what an entry has made.
 */
final class TaskMachine implements StateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(TaskMachine.class);
  private static final byte[] NO_RESULT = {};

  /** How many tasks one question looks at. */
  private static final int LOOKED_AT = 20_000;

  private static final int QUEUES_SHOWN = 1_000;

  /** Of all nodes together; an answer holds twice as much. */
  private static final int HANDLERS_BYTES = Limits.RESULT_BYTES / 2;

  private static final int WHY_MAX = 200;

  private final List<Events> observers = new CopyOnWriteArrayList<>();
  private Board board = new Board(new Fan());
  private volatile long position;
  private volatile long nextAlarm = Long.MAX_VALUE;
  private volatile long nextPlan = Long.MAX_VALUE;
  private volatile long time;
  private volatile Map<Long, NodeId> workers = Map.of();

  void add(Events observer) {
    observers.add(observer);
  }

  void remove(Events observer) {
    observers.remove(observer);
  }

  // ---- what any thread may ask -----------------------------------------------------------------

  /** The last entry that was applied here, or the one that is. */
  long position() {
    return position;
  }

  /** When the next thing is due that needs an entry, by the log's clock. */
  long nextAlarm() {
    return nextAlarm;
  }

  /** When the next instant of a schedule is due. */
  long nextPlan() {
    return nextPlan;
  }

  /** The time of the last entry. */
  long time() {
    return time;
  }

  /** Now: by the log's clock, or by a node's if that is ahead. */
  long now(long wallMillis) {
    return Math.max(time, wallMillis);
  }

  /** Who works, by number. */
  Map<Long, NodeId> workers() {
    return workers;
  }

  // ---- entries ---------------------------------------------------------------------------------

  @Override
  public byte[] apply(Entry entry) {
    byte[] result = NO_RESULT;
    position = entry.position(); // Who is told of what happens in it wants to know where.
    if (entry.kind() == Entry.Kind.SESSION_ENDED) {
      board.begin(entry.timeMillis());
      board.sessionEnded(entry.session());
    } else {
      TaskCommand command = TaskCommand.decode(entry.command());
      board.begin(entry.timeMillis());
      result = apply(command, entry.session()).encode();
    }
    board.settle();
    note();
    tell(Events::applied);
    return result;
  }

  private void note() {
    time = board.now();
    nextAlarm = board.nextAlarm();
    nextPlan = board.plans().nextDue();
    SortedMap<Long, Worker> present = board.floor().workers();
    if (!present.keySet().equals(workers.keySet())) {
      Map<Long, NodeId> nodes = new TreeMap<>();
      present.forEach((number, worker) -> nodes.put(number, worker.node));
      workers = nodes;
    }
  }

  private TaskAnswer apply(TaskCommand command, long session) {
    if (command instanceof TaskCommand.Submit submit) {
      return submit(submit);
    } else if (command instanceof TaskCommand.Reports reports) {
      for (Report report : reports.reports()) {
        board.report(reports.worker(), report);
      }
      return new TaskAnswer.Is(board.floor().worker(reports.worker()) != null);
    } else if (command instanceof TaskCommand.Announce it) {
      return new TaskAnswer.Id(board.announce(it, session));
    } else if (command instanceof TaskCommand.Leave leave) {
      board.leave(leave.worker());
      return new TaskAnswer.Is(true);
    } else if (command instanceof TaskCommand.Evict evict) {
      board.evict(evict.worker());
      return new TaskAnswer.Is(true);
    } else if (command instanceof TaskCommand.Tick) {
      return new TaskAnswer.Is(true);
    } else if (command instanceof TaskCommand.Cancel cancel) {
      return new TaskAnswer.Is(board.cancel(cancel.task()));
    } else if (command instanceof TaskCommand.Retry retry) {
      return new TaskAnswer.Is(board.retry(retry.task()));
    } else if (command instanceof TaskCommand.Forget forget) {
      return new TaskAnswer.Is(board.forget(forget.task()));
    } else if (command instanceof TaskCommand.Drain drain) {
      board.drain(drain.node(), drain.isDrained());
      return new TaskAnswer.Is(true);
    } else if (command instanceof TaskCommand.Pause pause) {
      return entered(board.pause(pause.type(), pause.isPaused()));
    } else if (command instanceof TaskCommand.Limit limit) {
      return entered(board.limit(limit.type(), limit.limits()));
    }
    return applyToPlans(command);
  }

  private static TaskAnswer entered(boolean isEntered) {
    return isEntered
        ? new TaskAnswer.Is(true)
        : new TaskAnswer.Refused("there are " + Limits.TASK_TYPES + " types already");
  }

  private TaskAnswer submit(TaskCommand.Submit submit) {
    List<TaskAnswer.Ticket> tickets = new ArrayList<>(submit.works().size());
    for (Work work : submit.works()) {
      long known = board.known(work);
      String refusal = known > 0 ? null : board.refusal(work, submit.queueMax());
      tickets.add(
          known > 0 || refusal != null
              ? new TaskAnswer.Ticket(known, refusal)
              : new TaskAnswer.Ticket(board.submit(work), null));
    }
    return new TaskAnswer.Taken(tickets);
  }

  private TaskAnswer applyToPlans(TaskCommand command) {
    Plans plans = board.plans();
    if (command instanceof TaskCommand.Fire fire) {
      boolean all = true;
      for (Firing firing : fire.firings()) {
        all &= board.fire(firing, fire.queueMax());
      }
      return new TaskAnswer.Is(all);
    } else if (command instanceof TaskCommand.Arrange arrange) {
      Boolean isNew = plans.put(arrange.plan());
      return isNew == null
          ? new TaskAnswer.Refused("there are " + Limits.SCHEDULES + " schedules already")
          : new TaskAnswer.Is(isNew);
    } else if (command instanceof TaskCommand.Disband disband) {
      return new TaskAnswer.Is(plans.remove(disband.schedule()));
    } else if (command instanceof TaskCommand.PausePlan pause) {
      Plan plan = plans.get(pause.schedule());
      if (plan != null) {
        boolean hasNext = plan.next() != Plan.NEVER && !pause.isPaused();
        Plan next = hasNext ? plan.next(pause.next(), pause.due()) : plan;
        plans.set(next.paused(pause.isPaused()));
      }
      return new TaskAnswer.Is(plan != null);
    } else if (command instanceof TaskCommand.FireNow fire) {
      Plan plan = plans.get(fire.schedule());
      if (plan == null) {
        return new TaskAnswer.Id(0);
      }
      Work work = board.extra(plan);
      String refusal = board.refusal(work, fire.queueMax());
      return refusal == null
          ? new TaskAnswer.Id(board.submit(work))
          : new TaskAnswer.Refused(refusal);
    }
    throw new AssertionError("cannot apply " + command.getClass());
  }

  // ---- questions -------------------------------------------------------------------------------

  @Override
  public byte[] query(byte[] query) {
    try {
      return answer(TaskQuestion.decode(query)).encode();
    } catch (WireFormatException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private TaskAnswer answer(TaskQuestion question) {
    if (question instanceof TaskQuestion.Outcome outcome) {
      Task task = board.task(outcome.task());
      return task == null
          ? new TaskAnswer.Outcome(null, Task.NO_VALUE, null, 0)
          : new TaskAnswer.Outcome(task.state(), task.value(), task.error(), task.attempts());
    } else if (question instanceof TaskQuestion.Show show) {
      Task task = board.task(show.task());
      return new TaskAnswer.Shown(task == null ? List.of() : List.of(shown(task)), 0);
    } else if (question instanceof TaskQuestion.Page page) {
      return page(page);
    } else if (question instanceof TaskQuestion.Schedules schedules) {
      return fitting(
          board.plans().all().tailMap(schedules.after() + "\0").values(), schedules.limit());
    } else if (question instanceof TaskQuestion.OneSchedule one) {
      Plan plan = board.plans().get(one.name());
      return new TaskAnswer.Schedules(plan == null ? List.of() : List.of(plan));
    } else if (question instanceof TaskQuestion.Due due) {
      return fitting(board.plans().due(due.nowMillis(), due.limit()), due.limit());
    } else if (question instanceof TaskQuestion.LimitsOf limits) {
      Type type = board.floor().type(limits.type());
      return new TaskAnswer.Limited(type == null ? TypeLimits.NONE : type.limits());
    } else if (question instanceof TaskQuestion.Whole) {
      return new TaskAnswer.Whole(status());
    }
    throw new AssertionError("cannot answer " + question.getClass());
  }

  /** As many of them as an answer holds. */
  private static TaskAnswer fitting(Iterable<Plan> all, int limit) {
    List<Plan> plans = new ArrayList<>();
    int room = Limits.RESULT_BYTES - 64;
    for (Plan plan : all) {
      room -= Shows.size(plan);
      if (plans.size() == limit || room < 0) {
        break;
      }
      plans.add(plan);
    }
    return new TaskAnswer.Schedules(plans);
  }

  private TaskAnswer page(TaskQuestion.Page page) {
    List<TaskAnswer.ShownTask> tasks = new ArrayList<>();
    int room = Limits.RESULT_BYTES - 64;
    int looked = 0;
    long seen = page.after();
    for (Task task : board.tasks().tailMap(page.after() + 1).values()) {
      if (tasks.size() == page.limit() || looked++ == LOOKED_AT) {
        return new TaskAnswer.Shown(tasks, seen);
      }
      boolean isWanted =
          (page.state() == null || page.state() == task.state())
              && (page.type() == null || Pattern.matches(page.type(), task.work().type()));
      if (isWanted) {
        room -= Shows.size(task);
        if (room < 0) {
          return new TaskAnswer.Shown(tasks, seen);
        }
        tasks.add(shown(task));
      }
      seen = task.id();
    }
    return new TaskAnswer.Shown(tasks, 0);
  }

  private TaskAnswer.ShownTask shown(Task task) {
    Attempt attempt = board.attempt(task);
    Worker worker = attempt == null ? null : board.floor().worker(attempt.worker());
    Report.Progress progress = worker == null ? null : worker.progress(task.token());
    return new TaskAnswer.ShownTask(
        task,
        attempt == null ? null : attempt.node(),
        progress == null ? 0 : progress.permille(),
        progress == null ? "" : progress.note(),
        why(task));
  }

  private String why(Task task) {
    Type type = board.floor().type(task.work().type());
    String error = task.error() == null ? "" : task.error();
    return switch (task.state()) {
      case SUBMITTED ->
          task.due() == Task.TURN
              ? "another task with its ordering key is not over"
              : error.isEmpty() ? "waits for its time" : "is tried again after: " + error;
      case READY -> type == null ? "" : board.floor().why(task, type);
      default -> error;
    };
  }

  private SystemStatus status() {
    List<Queued> queued = new ArrayList<>();
    for (Type type : board.floor().types().values()) {
      for (int priority = TaskRequest.PRIORITY_MAX; priority >= 0; priority--) {
        Queued queue = new Queued(type, priority);
        if (type.waiting(priority) + queue.size() > 0
            || (type.isPaused && type.tasks() == 0 && priority == 0)) {
          queued.add(queue);
        }
      }
    }
    queued.sort(Comparator.comparingInt(Queued::size).reversed().thenComparing(it -> it.type.name));
    List<SystemStatus.Worker> nodes = new ArrayList<>();
    for (Worker worker : board.floor().workers().values()) {
      nodes.add(
          new SystemStatus.Worker(
              worker.node,
              worker.slots(),
              worker.given().size(),
              board.floor().drained().contains(worker.node),
              handlers(worker, HANDLERS_BYTES / board.floor().workers().size()),
              worker.labels(),
              worker.done,
              worker.failed));
    }
    nodes.sort(Comparator.comparing(SystemStatus.Worker::node));
    Board.Counters counters = board.counters();
    return new SystemStatus(
        queued.stream().limit(QUEUES_SHOWN).map(this::queue).toList(),
        nodes,
        board.pending(),
        board.dead(),
        board.results(),
        board.plans().all().size(),
        counters.lastTask(),
        counters.succeeded(),
        counters.failed());
  }

  private static SortedMap<String, Integer> handlers(Worker worker, int room) {
    SortedMap<String, Integer> handlers = new TreeMap<>();
    int left = room;
    for (Map.Entry<String, Skill> skill : worker.skills().entrySet()) {
      String pattern = skill.getKey();
      left -= pattern.length() + 16;
      if (left < 0) {
        break;
      } else if (!pattern.startsWith(LocalTasks.TYPE)) {
        handlers.put(pattern, skill.getValue().concurrency());
      }
    }
    return handlers;
  }

  /** The tasks of a type with a priority. */
  private record Queued(Type type, int priority) {
    /** How many are ready, or beyond. */
    int size() {
      return type.ready(priority) + type.inFlight(priority);
    }
  }

  private SystemStatus.Queue queue(Queued queued) {
    Type type = queued.type;
    int priority = queued.priority;
    Task oldest = oldest(type, priority);
    String why = oldest == null ? "" : board.floor().why(oldest, type);
    return new SystemStatus.Queue(
        type.name,
        priority,
        type.waiting(priority),
        type.ready(priority),
        type.inFlight(priority),
        Duration.ofMillis(oldest == null ? 0 : board.now() - oldest.since()),
        type.isPaused,
        why.length() > WHY_MAX ? why.substring(0, WHY_MAX) : why);
  }

  private static @Nullable Task oldest(Type type, int priority) {
    Task oldest = null;
    for (Lane lane : type.lanes().values()) {
      if (lane.key.priority() == priority && !lane.ready.isEmpty()) {
        Task head = lane.head();
        oldest = oldest == null || Task.FIRST_COME.compare(head, oldest) < 0 ? head : oldest;
      }
    }
    return oldest;
  }

  // ---- snapshots -------------------------------------------------------------------------------

  @Override
  public Snapshot snapshot() {
    return new BoardSnapshot(board);
  }

  @Override
  public void restore(InputStream in) throws IOException {
    board = BoardSnapshot.read(in, new Fan());
    position = 0;
    note();
    tell(Events::restored);
  }

  @Override
  public CompletionStage<@Nullable Void> pause() {
    List<CompletableFuture<?>> paused = new ArrayList<>();
    tell(it -> paused.add(it.pause()));
    return CompletableFuture.allOf(paused.toArray(CompletableFuture[]::new));
  }

  @Override
  public void resume() {
    tell(Events::resume);
  }

  // ---- observers -------------------------------------------------------------------------------

  private void tell(Consumer<Events> what) {
    for (Events observer : observers) {
      try {
        what.accept(observer);
      } catch (RuntimeException e) {
        // It is this node's own affair, and must not become part of the result.
        LOG.error("something happened to tasks, and not everybody here was told", e);
      }
    }
  }

  private final class Fan implements Events {
    @Override
    public void given(Worker worker, Attempt attempt, Task task) {
      tell(it -> it.given(worker, attempt, task));
    }

    @Override
    public void revoked(Attempt attempt) {
      tell(it -> it.revoked(attempt));
    }

    @Override
    public void gone(Worker worker) {
      tell(it -> it.gone(worker));
    }

    @Override
    public void ended(Task task) {
      tell(it -> it.ended(task));
    }
  }

  /** What is there, for an observer that is told that all is another; on the replica's thread. */
  Board board() {
    return board;
  }
}
