// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.inside;

import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskScheduler;
import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Tasks;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.util.tracker.ServiceTracker;

/** The scheduler of a node, waited for whenever it is away. */
final class OpenTasks implements Tasks {
  private final ServiceTracker<TaskScheduler, TaskScheduler> tracker;

  OpenTasks(BundleContext context) {
    tracker = new ServiceTracker<>(context, TaskScheduler.class, null);
    tracker.open();
  }

  private TaskScheduler scheduler() throws InterruptedException {
    return Inside.present(tracker);
  }

  @Override
  public long submit(String type, String payload, @Nullable String orderingKey) throws Exception {
    TaskRequest request = TaskRequest.of(type, payload.getBytes(StandardCharsets.UTF_8));
    TaskRequest asked = orderingKey == null ? request : request.withOrderingKey(orderingKey);
    return Inside.await(scheduler().submit(asked)).number();
  }

  @Override
  public Result result(long task) throws Exception {
    TaskResult result =
        Inside.await(
            scheduler().result(new TaskId(task), Duration.ofMillis(Inside.WAIT_MILLIS - 1_000)));
    return new Result(
        result.state().name(),
        new String(result.value(), StandardCharsets.UTF_8),
        result.attempts());
  }

  @Override
  public Counts counts() throws Exception {
    SystemStatus status = Inside.await(scheduler().systemStatus());
    return new Counts(status.submitted(), status.succeeded(), status.failed(), status.tasks());
  }

  @Override
  public Load load(String name, String type) {
    return new RunningLoad(
        name,
        RunningLoad.FEW_KEYS,
        (key, value) -> {
          Result result = result(submit(type, value, name));
          if (!result.state().equals("SUCCEEDED") || !result.value().equals(value)) {
            throw new IllegalStateException("task of " + value + " came to " + result);
          }
        },
        null);
  }

  void close() {
    tracker.close();
  }
}
