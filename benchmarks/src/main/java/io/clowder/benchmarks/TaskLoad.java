// SPDX-License-Identifier: Apache-2.0
package io.clowder.benchmarks;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.TaskState;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that do nothing, each from its submission until its result is here; they run on whichever
 * node has a free slot. Results are kept for a few seconds only, so that nothing is to be removed.
 */
final class TaskLoad implements Load {
  /** Of these tasks. */
  static final String TYPE = PREFIX + "empty";

  private static final Duration WAIT = Duration.ofSeconds(10);

  private final Supplier<@Nullable TaskScheduler> services;
  private final TaskRequest request =
      TaskRequest.of(TYPE, new byte[0]).withKeep(Duration.ofSeconds(3));

  /** A load; the service is asked for as in a {@link Keyspace}. */
  TaskLoad(Supplier<@Nullable TaskScheduler> services) {
    this.services = services;
  }

  @Override
  public void requireService() {
    service();
  }

  @Override
  public CompletionStage<TaskResult> start(long index, int slot) {
    TaskScheduler service = service();
    return service.submit(request).thenCompose(id -> service.result(id, WAIT));
  }

  @Override
  public @Nullable Throwable fault(@Nullable Object result) {
    return result instanceof TaskResult its && its.state() == TaskState.SUCCEEDED
        ? null
        : new IllegalStateException("a task did not succeed: " + result);
  }

  @Override
  public void prepare(ScheduledExecutorService executor) {
    // A task needs nothing.
  }

  @Override
  public void cleanUp(ScheduledExecutorService executor) {
    // Those that nobody waits for any more are run, and forgotten, all the same.
  }

  private TaskScheduler service() {
    TaskScheduler service = services.get();
    if (service == null) {
      throw CoordinationException.refused(
          Reason.UNAVAILABLE,
          "no tasks on this node: start the bundle io.clowder.scheduler (lb shows it)");
    }
    return service;
  }
}
