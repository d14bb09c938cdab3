// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.failure.FailureEvent;
import io.clowder.api.runtime.Timer;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.ScheduleStatus;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import io.clowder.api.task.TypeLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The scheduler of one group on this node. */
final class ReplicatedScheduler implements TaskScheduler, TaskAdmin {
  private static final Duration WAIT_MAX = Duration.ofDays(365);

  private final TaskMachine machine;
  private final Timer timer;
  private final SchedulerSetting setting;
  private final Asking asking;
  private final Submissions submissions;
  private final Ends ends;
  private final Steward steward;
  private final Station station;
  private final LocalTasks local;

  /**
   * The scheduler on any consensus service whose machine is {@code machine}.
   *
   * @param timer closed with this instance
   * @param client a random number: each instance of a node must have another
   */
  ReplicatedScheduler(
      ConsensusService consensus,
      TaskMachine machine,
      NodeId node,
      SchedulerSetting setting,
      Timer timer,
      Station.Hands hands,
      long client) {
    this.machine = machine;
    this.timer = timer;
    this.setting = setting;
    this.asking = new Asking(consensus, setting.timeout());
    this.submissions = new Submissions(consensus, timer, setting);
    this.ends = new Ends(asking, timer);
    this.steward = new Steward(consensus, asking, machine, node, timer, setting.queueMax());
    this.station = new Station(consensus, machine, node, timer, hands, client, setting);
    this.local = new LocalTasks(this, client);
    station.add(local.entry());
  }

  void start() {
    machine.add(ends);
    steward.start();
    station.start();
  }

  /** An executor for one bundle, which shuts it down. */
  ClusterExecutor executor() {
    return new ClusterExecutor(local);
  }

  /** A handler is there. */
  void add(Roster.Entry handler) {
    station.add(handler);
  }

  /** A handler goes. Waits until what it runs is over or given back. */
  void remove(Roster.Entry handler, Duration drain) {
    station.remove(handler, drain);
  }

  /** A node is suspected, or not any more. */
  void happened(FailureEvent event) {
    steward.happened(event);
  }

  /** Ends this node's part. Waits until what it runs is over or given back. */
  void close() {
    submissions.close();
    station.close(setting.drain());
    steward.close();
    ends.close();
    machine.remove(ends);
    timer.close();
  }

  // ---- tasks -----------------------------------------------------------------------------------

  @Override
  public CompletionStage<TaskId> submit(TaskRequest request) {
    return refusing(
        () -> {
          checkNotLocal(request);
          return submitLocal(request);
        });
  }

  private static void checkNotLocal(TaskRequest request) {
    if (request.type().startsWith(LocalTasks.TYPE)) {
      throw new IllegalArgumentException(
          "type '%s': %s is kept for executors".formatted(request.type(), LocalTasks.TYPE));
    }
  }

  /** Submits what is of any type. */
  CompletionStage<TaskId> submitLocal(TaskRequest request) {
    return submissions.submit(setting.work(request));
  }

  @Override
  public CompletionStage<TaskResult> result(TaskId id, Duration wait) {
    return refusing(
        () -> {
          if (wait.isNegative() || wait.compareTo(WAIT_MAX) > 0) {
            throw new IllegalArgumentException("a wait of " + wait + ": use 0 to " + WAIT_MAX);
          }
          return ends.await(id, wait);
        });
  }

  @Override
  public CompletionStage<TaskStatus> status(TaskId id) {
    return onTimer(
        asking
            .ask(new TaskQuestion.Show(id.number()), TaskAnswer.Shown.class)
            .thenApply(
                shown -> {
                  if (shown.tasks().isEmpty()) {
                    throw Ends.unknown(id);
                  }
                  return Shows.status(shown.tasks().get(0));
                }));
  }

  @Override
  public CompletionStage<Boolean> cancel(TaskId id) {
    return onTimer(asking.change(new TaskCommand.Cancel(id.number())));
  }

  @Override
  public CompletionStage<Boolean> retry(TaskId id) {
    return onTimer(asking.change(new TaskCommand.Retry(id.number())));
  }

  @Override
  public CompletionStage<Boolean> forget(TaskId id) {
    return onTimer(asking.change(new TaskCommand.Forget(id.number())));
  }

  @Override
  public CompletionStage<List<TaskStatus>> list(
      @Nullable TaskState state, @Nullable String type, @Nullable TaskId after, int limit) {
    return refusing(
        () -> {
          checkLimit(limit);
          if (type != null) {
            Pattern.checked(type);
          }
          return list(
              new TaskQuestion.Page(state, type, after == null ? 0 : after.number(), limit),
              new ArrayList<>());
        });
  }

  /** Asks on until there are enough, or no more. */
  private CompletionStage<List<TaskStatus>> list(TaskQuestion.Page page, List<TaskStatus> so) {
    return asking
        .ask(page, TaskAnswer.Shown.class)
        .thenCompose(
            shown -> {
              shown.tasks().forEach(task -> so.add(Shows.status(task)));
              int left = page.limit() - shown.tasks().size();
              return shown.seen() == 0 || left <= 0
                  ? CompletableFuture.completedStage(so)
                  : list(new TaskQuestion.Page(page.state(), page.type(), shown.seen(), left), so);
            });
  }

  private static void checkLimit(int limit) {
    if (limit < 1 || limit > Limits.PAGE_ENTRIES) {
      throw new IllegalArgumentException(
          "a page of " + limit + ": use 1 to " + Limits.PAGE_ENTRIES);
    }
  }

  @Override
  public CompletionStage<SystemStatus> systemStatus() {
    return onTimer(
        asking
            .ask(new TaskQuestion.Whole(), TaskAnswer.Whole.class)
            .thenApply(TaskAnswer.Whole::status));
  }

  // ---- schedules -------------------------------------------------------------------------------

  /** The cluster's time, as far as this node knows it. */
  long now() {
    return machine.now(timer.wallMillis());
  }

  @Override
  public CompletionStage<Boolean> schedule(Schedule schedule) {
    return refusing(
        () -> {
          checkNotLocal(schedule.request());
          long next = Instants.first(schedule.trigger(), now());
          long due = Instants.due(schedule.trigger(), schedule.name(), schedule.jitter(), next);
          Plan plan = Shows.plan(schedule, (int) setting.aging().toMillis(), next, due);
          return asking.change(new TaskCommand.Arrange(plan));
        });
  }

  @Override
  public CompletionStage<Boolean> unschedule(String name) {
    return onTimer(asking.change(new TaskCommand.Disband(name)));
  }

  @Override
  public CompletionStage<List<ScheduleStatus>> schedules(@Nullable String after, int limit) {
    return refusing(
        () -> {
          checkLimit(limit);
          return asking
              .ask(
                  new TaskQuestion.Schedules(after == null ? "" : after, limit),
                  TaskAnswer.Schedules.class)
              .thenApply(found -> found.plans().stream().map(Shows::schedule).toList());
        });
  }

  @Override
  public CompletionStage<@Nullable ScheduleStatus> schedule(String name) {
    return onTimer(plan(name).thenApply(plan -> plan == null ? null : Shows.schedule(plan)));
  }

  private CompletionStage<@Nullable Plan> plan(String name) {
    return asking
        .ask(new TaskQuestion.OneSchedule(name), TaskAnswer.Schedules.class)
        .thenApply(found -> found.plans().isEmpty() ? null : found.plans().get(0));
  }

  @Override
  public CompletionStage<Boolean> pauseSchedule(String name, boolean isPaused) {
    return onTimer(
        plan(name)
            .thenCompose(
                plan -> {
                  if (plan == null) {
                    return CompletableFuture.completedStage(false);
                  }
                  // One that has no more instants can be paused all the same.
                  long next = isPaused ? plan.next() : first(plan);
                  long due = Instants.due(plan.trigger(), name, plan.jitter(), next);
                  return asking.change(new TaskCommand.PausePlan(name, isPaused, next, due));
                }));
  }

  private long first(Plan plan) {
    try {
      return Instants.first(plan.trigger(), now());
    } catch (IllegalArgumentException e) {
      throw CoordinationException.refused(
          Reason.INVALID, "schedule " + plan.name() + ": " + e.getMessage());
    }
  }

  @Override
  public CompletionStage<TaskId> fireNow(String name) {
    return onTimer(
        asking
            .change(
                new TaskCommand.FireNow(name, setting.queueMax()),
                TaskAnswer.Id.class,
                Reason.OVERLOADED)
            .thenApply(
                id -> {
                  if (id.it() == 0) {
                    throw CoordinationException.refused(
                        Reason.INVALID, "there is no schedule " + name);
                  }
                  return new TaskId(id.it());
                }));
  }

  // ---- types and nodes -------------------------------------------------------------------------

  @Override
  public CompletionStage<Void> drain(NodeId node, boolean isDrained) {
    return onTimer(asking.change(new TaskCommand.Drain(node, isDrained)).thenApply(done -> null));
  }

  @Override
  public CompletionStage<Void> pause(String type, boolean isPaused) {
    return refusing(
        () ->
            asking
                .change(new TaskCommand.Pause(TaskRequest.checkType(type), isPaused))
                .thenApply(done -> null));
  }

  @Override
  public CompletionStage<Void> limit(String type, TypeLimits limits) {
    return refusing(
        () ->
            asking
                .change(new TaskCommand.Limit(TaskRequest.checkType(type), limits))
                .thenApply(done -> null));
  }

  @Override
  public CompletionStage<TypeLimits> limits(String type) {
    return onTimer(
        asking
            .ask(new TaskQuestion.LimitsOf(type), TaskAnswer.Limited.class)
            .thenApply(TaskAnswer.Limited::limits));
  }

  // ---- how users are answered ------------------------------------------------------------------

  /** What makes no sense fails the stage, as everything does. */
  private <T> CompletionStage<T> refusing(Supplier<CompletionStage<T>> asked) {
    try {
      return onTimer(asked.get());
    } catch (IllegalArgumentException e) {
      return CompletableFuture.failedStage(
          CoordinationException.refused(Reason.INVALID, e.getMessage()));
    }
  }

  /** Completes on this bundle's threads, with the failure itself. */
  private <T> CompletionStage<T> onTimer(CompletionStage<T> stage) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    stage.whenCompleteAsync(
        (value, failure) -> {
          if (failure == null) {
            answer.complete(value);
          } else {
            answer.completeExceptionally(Asking.cause(failure));
          }
        },
        timer);
    return answer;
  }
}
