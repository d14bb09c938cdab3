// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.lock.Fence;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskContext;
import io.clowder.api.task.TaskHandler;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Tasks in memory that an executor runs with one handler; those that {@code failing} picks by
 * number fail.
 */
final class QueuedTasks implements TaskScheduler {
  final AtomicLong submitted = new AtomicLong();
  final Map<TaskId, CompletableFuture<TaskResult>> ends = new ConcurrentHashMap<>();
  private final Executor executor;
  private final TaskHandler handler;
  private final LongPredicate failing;

  QueuedTasks(Executor executor, TaskHandler handler, LongPredicate failing) {
    this.executor = executor;
    this.handler = handler;
    this.failing = failing;
  }

  @Override
  public CompletionStage<TaskId> submit(TaskRequest request) {
    TaskId id = new TaskId(submitted.incrementAndGet());
    ends.put(id, CompletableFuture.supplyAsync(() -> run(id, request), executor));
    return CompletableFuture.completedStage(id);
  }

  private TaskResult run(TaskId id, TaskRequest request) {
    if (failing.test(id.number())) {
      return new TaskResult(id, TaskState.FAILED, new byte[0], "asked to", 1);
    }
    try {
      byte[] value = handler.execute(new First(id, request));
      return new TaskResult(id, TaskState.SUCCEEDED, value, null, 1);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public CompletionStage<TaskResult> result(TaskId id, Duration wait) {
    CompletableFuture<TaskResult> end = ends.remove(id);
    return end != null
        ? end
        : CompletableFuture.failedStage(
            CoordinationException.refused(Reason.INVALID, id + " is not known"));
  }

  @Override
  public CompletionStage<TaskStatus> status(TaskId id) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<Boolean> cancel(TaskId id) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<Boolean> retry(TaskId id) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<Boolean> schedule(Schedule schedule) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<Boolean> unschedule(String name) {
    throw new AssertionError("not part of the load");
  }

  @Override
  public CompletionStage<SystemStatus> systemStatus() {
    throw new AssertionError("not part of the load");
  }

  /** The only attempt. */
  private record First(TaskId id, TaskRequest request) implements TaskContext {
    @Override
    public String type() {
      return request.type();
    }

    @Override
    public byte[] payload() {
      return request.payload();
    }

    @Override
    public int attempt() {
      return 1;
    }

    @Override
    public Fence fence() {
      return new Fence("task/" + id, id.number());
    }

    @Override
    public @Nullable Instant scheduledFor() {
      return null;
    }

    @Override
    public @Nullable Instant deadline() {
      return null;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void progress(double done, String note) {
      throw new AssertionError("not part of the load");
    }
  }
}
