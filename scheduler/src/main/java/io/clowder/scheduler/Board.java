// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All tasks, who works, and what is planned: the replicated state. Each public change is one entry
 * of the log, or part of one, at a time {@link #now} that never falls; {@link #settle} is its end.
 *
 * <p>Invariants: a task that is ready is in its lane; one that is in flight has an attempt of a
 * worker with its token; of tasks with one ordering key one at most is not waiting for its turn. No
 * task that is ready could be given to a free slot.
 */
final class Board implements Floor.Dealer {
  /** How long after an attempt's end its worker may take to say so. */
  static final long GRACE_MILLIS = 5_000;

  /** After which time a one-shot schedule whose way was barred is tried again. */
  private static final long AGAIN_MILLIS = 1_000;

  /** A key within a type. */
  record Key(String type, String key) {}

  private final TreeMap<Long, Task> tasks = new TreeMap<>();
  private final Map<Key, Long> known = new HashMap<>();

  /** By ordering key: those that wait for their turn behind another one. */
  private final Map<Key, TreeSet<Long>> queues = new HashMap<>();

  private final TreeSet<Alarm> alarms = new TreeSet<>();

  /** Tasks that are over, in the order in which they ended; the dead apart. */
  private final TreeMap<Long, Long> results = new TreeMap<>();

  private final TreeMap<Long, Long> dead = new TreeMap<>();
  private final Floor floor = new Floor();
  private final Plans plans = new Plans();
  private final Events events;
  private long pendingBytes;
  private long keptBytes;
  private long now;
  private long lastTask;
  private long lastToken;
  private long lastOrder;
  private long lastWorker;
  private long succeeded;
  private long failed;

  Board(Events events) {
    this.events = events;
  }

  // ---- looking ---------------------------------------------------------------------------------

  long now() {
    return now;
  }

  SortedMap<Long, Task> tasks() {
    return tasks;
  }

  @Nullable Task task(long id) {
    return tasks.get(id);
  }

  Floor floor() {
    return floor;
  }

  Plans plans() {
    return plans;
  }

  int results() {
    return results.size();
  }

  int dead() {
    return dead.size();
  }

  /** How many tasks are not over. */
  int pending() {
    return tasks.size() - results.size() - dead.size();
  }

  /** When something is to happen, if no entry comes before. */
  long nextAlarm() {
    return alarms.isEmpty() ? Long.MAX_VALUE : alarms.first().atMillis();
  }

  Counters counters() {
    return new Counters(now, lastTask, lastToken, lastOrder, lastWorker, succeeded, failed);
  }

  /** What is counted, and never goes back. */
  record Counters(
      long now,
      long lastTask,
      long lastToken,
      long lastOrder,
      long lastWorker,
      long succeeded,
      long failed) {}

  /** The attempt that a task has; null if it has none. */
  @Nullable Attempt attempt(Task task) {
    if (task.isInFlight()) {
      for (Worker worker : floor.workers().values()) {
        Attempt attempt = worker.given().get(task.token());
        if (attempt != null) {
          return attempt;
        }
      }
    }
    return null;
  }

  // ---- entries ---------------------------------------------------------------------------------

  /** An entry begins: what is due happens first. */
  void begin(long timeMillis) {
    now = Math.max(now, timeMillis);
    while (!alarms.isEmpty() && alarms.first().atMillis() <= now) {
      ring(alarms.pollFirst());
    }
  }

  /** An entry ends: whatever is free is given away. */
  void settle() {
    floor.deal(now, this);
  }

  private void ring(Alarm alarm) {
    switch (alarm.kind()) {
      case WAKE -> enter(tasks.get(alarm.number()));
      case EXPIRE -> {
        Task task = tasks.get(alarm.number());
        revoke(task);
        end(task, TaskState.EXPIRED, Task.NO_VALUE, "was not done by its deadline");
      }
      case FORGET -> forget(tasks.get(alarm.number()));
      case OVERTIME -> overtime(alarm.number());
      case RATE -> {} // To settle is all that it needs.
    }
  }

  private void overtime(long token) {
    for (Worker worker : floor.workers().values()) {
      Attempt attempt = worker.given().get(token);
      if (attempt != null) {
        Task task = current(attempt);
        if (task != null) {
          events.revoked(attempt);
          fail(task, attempt, "took too long, and its node has not said so", false, false);
        }
        return;
      }
    }
  }

  // ---- submitting ------------------------------------------------------------------------------

  /** Why a task was not taken; null if it was. */
  @Nullable String refusal(Work work, int queueMax) {
    if (!floor.isThere(work.type())) {
      return "what was to run it is gone";
    }
    if (pending() >= Math.min(queueMax, Limits.TASKS)) {
      return pending() + " tasks are not over, which is all there may be (queue.max)";
    } else if (pendingBytes + work.payload().length > Limits.TASKS_BYTES) {
      return "the payloads of tasks that are not over have %d bytes, which is nearly all they may"
          .formatted(pendingBytes);
    }
    Type type = floor.type(work.type());
    if (type == null) {
      return floor.types().size() < Limits.TASK_TYPES
          ? null
          : "there are tasks of " + Limits.TASK_TYPES + " types, no more are taken";
    }
    return type.isFull()
        ? "%d tasks of type %s are not over, which is all it may have"
            .formatted(type.tasks(), type.name)
        : null;
  }

  /** The task that has the dedupe key already; 0 if none has. */
  long known(Work work) {
    Key key = dedupe(work);
    return key == null ? 0 : known.getOrDefault(key, 0L);
  }

  /** Takes a task that was not refused; its id. */
  long submit(Work work) {
    Type type = floor.enter(work.type());
    if (type == null) {
      throw new AssertionError("a type too many: " + work.type());
    }
    Task task = Task.submitted(++lastTask, work.sharing(type.name, type.shared(work.terms())), now);
    tasks.put(task.id(), task);
    type.count(task, 1);
    weigh(task, 1);
    remember(task);
    arrive(task);
    return task.id();
  }

  /** A task is there, or there again: it takes its turn. */
  private void arrive(Task task) {
    long deadline = task.work().deadline();
    if (deadline > 0 && deadline <= now) {
      Task late = task.waiting(now, Task.TURN);
      replace(task, late);
      end(late, TaskState.EXPIRED, Task.NO_VALUE, "was too late when it was submitted");
      return;
    } else if (deadline > 0) {
      alarms.add(Alarm.of(deadline, Alarm.Kind.EXPIRE, task.id()));
    }
    Key key = ordering(task);
    if (key == null) {
      enter(task);
      return;
    }
    TreeSet<Long> queue = queues.get(key);
    if (queue == null) {
      queues.put(key, new TreeSet<>());
      enter(task);
    } else {
      queue.add(task.id());
      replace(task, task.waiting(now, Task.TURN));
    }
  }

  private static @Nullable Key ordering(Task task) {
    return key(task.work(), task.work().orderingKey());
  }

  private static @Nullable Key dedupe(Work work) {
    return key(work, work.dedupeKey());
  }

  private static @Nullable Key key(Work work, @Nullable String key) {
    return key == null ? null : new Key(work.type(), key);
  }

  /** By its dedupe key, if it has one. */
  private void remember(Task task) {
    Key key = dedupe(task.work());
    if (key != null) {
      known.put(key, task.id());
    }
  }

  /** Its turn has come; its time may have. */
  private void enter(Task task) {
    long at = task.work().notBefore();
    if (at > now) {
      replace(task, task.waiting(now, at));
      alarms.add(Alarm.of(at, Alarm.Kind.WAKE, task.id()));
    } else {
      replace(task, task.ready(now, ++lastOrder));
    }
  }

  /** The only way in which a task changes: the counts and lanes go with it. */
  private void replace(Task before, Task after) {
    Type type = type(before);
    if (before.state() == TaskState.READY) {
      floor.remove(before, type);
    }
    type.count(before, -1);
    type.count(after, 1);
    weigh(before, -1);
    weigh(after, 1);
    tasks.put(after.id(), after);
    if (after.state() == TaskState.READY) {
      floor.add(after, type);
    }
  }

  private void weigh(Task task, int by) {
    int bytes = task.work().payload().length + task.value().length;
    if (task.state().isEnd()) {
      keptBytes += (long) by * bytes;
    } else {
      pendingBytes += (long) by * bytes;
    }
  }

  private Type type(Task task) {
    Type type = floor.type(task.work().type());
    if (type == null) {
      throw new AssertionError("task " + task.id() + " is of no type that is known");
    }
    return type;
  }

  // ---- working ---------------------------------------------------------------------------------

  /**
   * A node says what it runs.
   *
   * @return the number of the worker; 0 if this is older than what is known of the node
   */
  long announce(TaskCommand.Announce it, long session) {
    Worker worker = floor.worker(it.node());
    if (worker != null && worker.client != it.client()) {
      if (worker.session > session) {
        return 0;
      }
      lose(worker, "its node was started anew");
      worker = null;
    }
    if (worker == null) {
      worker = new Worker(++lastWorker, it.node(), it.client(), session);
      worker.announce(it.count(), it.slots(), it.skills(), it.labels());
      floor.add(worker);
    } else {
      worker.session = Math.max(worker.session, session);
      if (it.count() > worker.announced()) {
        worker.announce(it.count(), it.slots(), it.skills(), it.labels());
        floor.changed();
      }
    }
    return worker.number;
  }

  /** A worker has stopped; it has given back what it had. */
  void leave(long number) {
    Worker worker = floor.worker(number);
    if (worker == null) {
      return;
    }
    for (Attempt attempt : List.copyOf(worker.given().values())) {
      Task task = free(worker, attempt);
      if (task != null) {
        giveBack(task, attempt, true);
      }
    }
    remove(worker);
  }

  /** A worker is taken for dead. */
  void evict(long number) {
    Worker worker = floor.worker(number);
    if (worker != null) {
      lose(worker, "its node was lost");
    }
  }

  /** A session is over. */
  void sessionEnded(long session) {
    for (Worker worker : List.copyOf(floor.workers().values())) {
      if (worker.session == session) {
        lose(worker, "its node was not heard of any more");
      }
    }
  }

  private void lose(Worker worker, String why) {
    for (Attempt attempt : List.copyOf(worker.given().values())) {
      Task task = free(worker, attempt);
      if (task != null) {
        fail(task, attempt, why, false, true);
      }
    }
    remove(worker);
  }

  private void remove(Worker worker) {
    floor.remove(worker);
    events.gone(worker);
    // What only this run of its node could run has gone with it.
    Type local = floor.type(LocalTasks.type(worker.client));
    if (local != null) {
      for (long id : List.copyOf(tasks.keySet())) {
        Task task = tasks.get(id);
        if (task != null && task.work().type().equals(local.name) && !task.state().isEnd()) {
          end(task, TaskState.CANCELLED, Task.NO_VALUE, "what was to run it is gone");
        }
      }
    }
  }

  /** Frees the slot of an attempt; its task if it is still its own, null if it went on without. */
  private @Nullable Task free(Worker worker, Attempt attempt) {
    worker.through(attempt);
    stopClock(attempt);
    return current(attempt);
  }

  private @Nullable Task current(Attempt attempt) {
    Task task = tasks.get(attempt.task());
    return task != null && task.token() == attempt.token() ? task : null;
  }

  /**
   * A worker is through with an attempt.
   *
   * @return whether it counts: the task has not gone on without it
   */
  boolean report(long number, Report report) {
    Worker worker = floor.worker(number);
    Attempt attempt = worker == null ? null : worker.given().get(report.token());
    if (worker == null || attempt == null) {
      return false;
    }
    if (report instanceof Report.Progress progress) {
      worker.says(progress);
      Task task = current(attempt);
      if (task != null && task.state() == TaskState.ASSIGNED) {
        replace(task, task.running(now));
      }
      return task != null;
    }
    Task task = free(worker, attempt);
    if (report instanceof Report.Done done) {
      worker.count(false);
      if (task != null) {
        succeeded++;
        end(task, TaskState.SUCCEEDED, done.value(), null);
      }
    } else if (report instanceof Report.Threw threw) {
      worker.count(true);
      if (task != null) {
        fail(task, attempt, threw.error(), threw.isPermanent(), false);
      }
    } else if (report instanceof Report.GivenBack back && task != null) {
      giveBack(task, attempt, back.hasBegun());
    }
    return task != null;
  }

  /** As if it had never been assigned, unless it must not run twice. */
  private void giveBack(Task task, Attempt attempt, boolean hasBegun) {
    if (hasBegun && task.work().terms().mode() == TaskMode.AT_MOST_ONCE) {
      end(task, TaskState.FAILED, Task.NO_VALUE, "was interrupted as its handler stopped");
    } else {
      replace(task, task.ready(attempt.readySince(), task.order()));
    }
  }

  private void stopClock(Attempt attempt) {
    if (attempt.until() > 0) {
      alarms.remove(overtime(attempt));
    }
  }

  private void fail(
      Task before, Attempt attempt, String error, boolean isPermanent, boolean isCrash) {
    failed++;
    Task task = before.failed(attempt, now, error, isCrash);
    // Neither its state nor its lane: it only has no attempt any more.
    tasks.put(task.id(), task);
    Retry retry = task.work().terms().retry();
    if (isPermanent || task.work().terms().mode() == TaskMode.AT_MOST_ONCE) {
      end(task, TaskState.FAILED, Task.NO_VALUE, error);
    } else if (isCrash && task.crashes() >= retry.crashes()) {
      end(
          task,
          TaskState.DEAD,
          Task.NO_VALUE,
          task.crashes() + " nodes were lost while they ran it; " + error);
    } else if (isCrash) {
      replace(task, task.ready(attempt.readySince(), task.order()));
    } else if (retry.attempts() == 1) {
      end(task, TaskState.FAILED, Task.NO_VALUE, error);
    } else if (task.failures() >= retry.attempts()) {
      end(task, TaskState.DEAD, Task.NO_VALUE, error);
    } else {
      long until = now + backOff(task, retry);
      replace(task, task.waiting(now, until));
      alarms.add(Alarm.of(until, Alarm.Kind.WAKE, task.id()));
    }
  }

  /** Full jitter, by a number that is as good as drawn and the same on every node. */
  private static long backOff(Task task, Retry retry) {
    int doublings = Math.min(task.failures() - 1, 30);
    long longest = retry.base().toMillis() << doublings;
    if (longest >> doublings != retry.base().toMillis()) {
      longest = Long.MAX_VALUE;
    }
    longest = Math.min(longest, retry.cap().toMillis());
    return Math.floorMod(mix(task.id() * 1_000_003 + task.attempts()), longest + 1);
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
  static long mix(long number) {
    long z = number + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** The task goes on without its attempt, if it has one. */
  private void revoke(Task task) {
    Attempt attempt = attempt(task);
    if (attempt != null) {
      stopClock(attempt);
      events.revoked(attempt);
    }
  }

  private void end(Task task, TaskState state, byte[] value, @Nullable String why) {
    if (task.due() > 0) {
      alarms.remove(Alarm.of(task.due(), Alarm.Kind.WAKE, task.id()));
    }
    if (task.work().deadline() > 0) {
      alarms.remove(Alarm.of(task.work().deadline(), Alarm.Kind.EXPIRE, task.id()));
    }
    Task ended = task.ended(state, now, ++lastOrder, value, why);
    replace(task, ended);
    floor.leave(type(task));
    passOn(task);
    list(ended);
    if (dead.size() > Limits.DEAD_TASKS) {
      forget(tasks.get(dead.firstEntry().getValue()));
    }
    if (results.size() > Limits.TASK_RESULTS) {
      forget(tasks.get(results.firstEntry().getValue()));
    }
    while (keptBytes > Limits.TASK_RESULTS_BYTES && results.size() + dead.size() > 1) {
      boolean isDead =
          results.isEmpty() || (!dead.isEmpty() && dead.firstKey() < results.firstKey());
      forget(tasks.get((isDead ? dead : results).firstEntry().getValue()));
    }
    plans.ended(ended, now);
    events.ended(ended);
  }

  /** The next one with its ordering key has its turn. */
  private void passOn(Task task) {
    Key key = ordering(task);
    TreeSet<Long> queue = key == null ? null : queues.get(key);
    if (queue == null) {
      return;
    }
    if (task.due() == Task.TURN) {
      queue.remove(task.id());
      return;
    }
    Long next = queue.pollFirst();
    if (next == null) {
      queues.remove(key);
    } else {
      enter(tasks.get(next));
    }
  }

  // ---- what people do ---------------------------------------------------------------------------

  /** Whether the task was not over. */
  boolean cancel(long id) {
    Task task = tasks.get(id);
    if (task == null || task.state().isEnd()) {
      return false;
    }
    revoke(task);
    end(task, TaskState.CANCELLED, Task.NO_VALUE, "was called off");
    return true;
  }

  /** Whether the task had failed, and is tried anew. */
  boolean retry(long id) {
    Task task = tasks.get(id);
    if (task == null) {
      return false;
    }
    if (task.state() == TaskState.SUBMITTED && task.failures() > 0 && task.due() > 0) {
      alarms.remove(Alarm.of(task.due(), Alarm.Kind.WAKE, task.id()));
      replace(task, task.anew().ready(now, ++lastOrder));
      return true;
    }
    if (!task.state().isEnd()
        || task.state() == TaskState.SUCCEEDED
        || !floor.isThere(task.work().type())
        || (task.work().deadline() > 0 && task.work().deadline() <= now)
        || floor.enter(task.work().type()) == null) {
      return false;
    }
    unlist(task);
    Task anew = task.anew().waiting(now, 0);
    replace(task, anew);
    arrive(anew);
    return true;
  }

  /** Whether the task was over, and is not known any more. */
  boolean forget(long id) {
    Task task = tasks.get(id);
    if (task == null || !task.state().isEnd()) {
      return false;
    }
    forget(task);
    return true;
  }

  private void forget(Task task) {
    unlist(task);
    weigh(task, -1);
    tasks.remove(task.id());
    Key key = dedupe(task.work());
    if (key != null) {
      known.remove(key, task.id());
    }
  }

  /** Of a task that is over. */
  private void list(Task task) {
    if (task.state() == TaskState.DEAD) {
      dead.put(task.order(), task.id());
    } else {
      results.put(task.order(), task.id());
      alarms.add(forgetting(task));
    }
  }

  private void unlist(Task task) {
    if (dead.remove(task.order()) == null) {
      results.remove(task.order());
      alarms.remove(forgetting(task));
    }
  }

  private static Alarm forgetting(Task task) {
    long until = task.since() + task.work().terms().keepMillis();
    return Alarm.of(until, Alarm.Kind.FORGET, task.id());
  }

  void drain(NodeId node, boolean isDrained) {
    floor.drain(node, isDrained);
  }

  /** False if there are too many types. */
  boolean pause(String name, boolean isPaused) {
    Type type = floor.enter(name);
    if (type == null) {
      return false;
    }
    type.isPaused = isPaused;
    floor.leave(type);
    return true;
  }

  /** False if there are too many types. */
  boolean limit(String name, TypeLimits limits) {
    Type type = floor.enter(name);
    if (type == null) {
      return false;
    }
    type.limit(limits);
    floor.leave(type);
    return true;
  }

  // ---- schedules -------------------------------------------------------------------------------

  /**
   * Instants of a schedule that have come.
   *
   * @return whether they had not been taken before
   */
  boolean fire(Firing firing, int queueMax) {
    Plan plan = plans.get(firing.name());
    if (plan == null || plan.next() != firing.expected() || plan.isPaused()) {
      return false;
    }
    long fired = plan.fired();
    plan = plan.missed(firing.missed());
    for (long instant : firing.instants()) {
      // A schedule that was made again may count from before what it did under the old one.
      boolean isServed = instant <= plan.last() && !(plan.trigger() instanceof Trigger.At);
      plan = isServed ? plan.barred() : fire(plan, instant, queueMax);
    }
    if (plan.trigger() instanceof Trigger.At) {
      boolean isBarred = plan.fired() == fired && !firing.instants().isEmpty();
      if (isBarred) {
        // It has no other instant that would make up for it.
        plans.set(plan.next(plan.next(), now + AGAIN_MILLIS));
      } else {
        plans.remove(plan.name());
      }
      return true;
    }
    Plan next = plan.next(firing.next(), firing.due());
    if (plan.trigger() instanceof Trigger.FixedDelay delay && !isRunning(plan)) {
      next = Plans.delayed(plan, delay, now); // It was not taken: it is over already.
    }
    plans.set(next);
    return true;
  }

  /** An instant makes a task, or is passed over. */
  private Plan fire(Plan plan, long instant, int queueMax) {
    Work work = plan.work().at(instant, plan.name(), plan.ordering());
    boolean isBarred = plan.overlap() == Schedule.Overlap.SKIP && isRunning(plan);
    if (isBarred || refusal(work, queueMax) != null) {
      return plan.barred();
    }
    return plan.fired(instant, submit(work));
  }

  private boolean isRunning(Plan plan) {
    Task last = tasks.get(plan.lastTask());
    return last != null && !last.state().isEnd();
  }

  /** What a schedule makes now, besides its instants. */
  Work extra(Plan plan) {
    return plan.work().at(now, plan.name(), plan.ordering());
  }

  // ---- dealing ---------------------------------------------------------------------------------

  @Override
  public void deal(Floor.Match match) {
    Task task = match.task();
    Worker worker = match.taker().worker();
    String pattern = match.taker().pattern();
    Skill skill = worker.skills().get(pattern);
    long timeout = skill == null ? 0 : skill.timeoutMillis();
    Attempt attempt =
        new Attempt(
            ++lastToken,
            task.id(),
            task.attempts() + 1,
            worker.number,
            worker.node,
            pattern,
            task.isSuspect(),
            task.since(),
            now,
            timeout == 0 ? 0 : now + timeout);
    Task assigned = task.assigned(now, attempt.token());
    replace(task, assigned);
    worker.give(attempt);
    worker.lastGiven = attempt.token();
    if (attempt.until() > 0) {
      alarms.add(overtime(attempt));
    }
    events.given(worker, attempt, assigned);
  }

  @Override
  public void later(Type type, long atMillis) {
    alarms.add(new Alarm(atMillis, Alarm.Kind.RATE, 0, type.name));
  }

  // ---- restoring -------------------------------------------------------------------------------

  void restore(Counters counters) {
    now = counters.now;
    lastTask = counters.lastTask;
    lastToken = counters.lastToken;
    lastOrder = counters.lastOrder;
    lastWorker = counters.lastWorker;
    succeeded = counters.succeeded;
    failed = counters.failed;
  }

  /** A task of a snapshot; what leads to it is made anew. */
  void restore(Task read) {
    Type type = read.state().isEnd() ? null : floor.enter(read.work().type());
    Task task = read;
    if (type != null) {
      Work shared = read.work().sharing(type.name, type.shared(read.work().terms()));
      task = read.with(shared);
      type.count(task, 1);
    }
    tasks.put(task.id(), task);
    weigh(task, 1);
    remember(task);
    if (task.state().isEnd()) {
      list(task);
    } else {
      restoreWaiting(task);
      if (task.state() == TaskState.READY && type != null) {
        floor.add(task, type);
      }
    }
  }

  private void restoreWaiting(Task task) {
    if (task.work().deadline() > 0) {
      alarms.add(Alarm.of(task.work().deadline(), Alarm.Kind.EXPIRE, task.id()));
    }
    if (task.due() > 0) {
      alarms.add(Alarm.of(task.due(), Alarm.Kind.WAKE, task.id()));
    }
    Key key = ordering(task);
    if (key != null) {
      TreeSet<Long> queue = queues.computeIfAbsent(key, absent -> new TreeSet<>());
      if (task.due() == Task.TURN) {
        queue.add(task.id());
      }
    }
  }

  /** All is read. */
  void restored() {
    for (Worker worker : floor.workers().values()) {
      for (Attempt attempt : worker.given().values()) {
        if (attempt.until() > 0 && current(attempt) != null) {
          alarms.add(overtime(attempt));
        }
      }
    }
    for (Type type : floor.types().values()) {
      if (type.limits().perSecond() > 0) {
        later(type, Math.max(now, type.mayBeginAt()));
      }
    }
  }

  private static Alarm overtime(Attempt attempt) {
    return Alarm.of(attempt.until() + GRACE_MILLIS, Alarm.Kind.OVERTIME, attempt.token());
  }
}
