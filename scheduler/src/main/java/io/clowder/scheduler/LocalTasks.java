// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.Retry;
import io.clowder.api.task.TaskContext;
import io.clowder.api.task.TaskFailure;
import io.clowder.api.task.TaskHandler;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that are objects of this process: they wait in the cluster's queue, and only this run of
 * this node can run them. When it is gone they are called off.
 */
final class LocalTasks implements TaskHandler {
  /** What their type begins with; nobody else may submit such. */
  static final String TYPE = "local/";

  private static final Duration EVER = Duration.ofDays(365);

  private final ReplicatedScheduler scheduler;
  private final String type;
  private final AtomicLong lastKey = new AtomicLong();
  private final Map<Long, Runnable> tasks = new ConcurrentHashMap<>();

  LocalTasks(ReplicatedScheduler scheduler, long client) {
    this.scheduler = scheduler;
    this.type = type(client);
  }

  /** The type of the tasks of one worker. */
  static String type(long client) {
    return TYPE + Long.toHexString(client);
  }

  /** The cluster's time, as far as this node knows it. */
  Instant now() {
    return Instant.ofEpochMilli(scheduler.now());
  }

  /** To be known as a handler. */
  Roster.Entry entry() {
    return new Roster.Entry(this, List.of(type), new Skill(0, 0), 0, 0);
  }

  /**
   * Has something run once.
   *
   * @param notBefore when; null for at once
   * @param then is told how that ended, also if it was never run
   */
  void submit(Runnable task, @Nullable Instant notBefore, Then then) {
    long key = lastKey.incrementAndGet();
    tasks.put(key, task);
    TaskRequest request =
        TaskRequest.of(type, ByteBuffer.allocate(Long.BYTES).putLong(key).array())
            .withRetry(Retry.NEVER)
            .withMode(TaskMode.AT_MOST_ONCE)
            .withKeep(Duration.ofMinutes(1));
    TaskRequest timed = notBefore == null ? request : request.withNotBefore(notBefore);
    scheduler
        .submitLocal(timed)
        .thenCompose(
            id -> {
              then.taken(id);
              return scheduler.result(id, EVER);
            })
        .whenComplete(
            (result, failure) -> {
              then.ended(result, failure, tasks.remove(key) != null);
            });
  }

  /** Calls one off. */
  CompletionStage<Boolean> cancel(TaskId id) {
    return scheduler.cancel(id);
  }

  /** Who is told. */
  interface Then {
    /** It is in the queue. */
    void taken(TaskId id);

    /** It is over, as the cluster sees it; whether it has begun here or not. */
    void ended(@Nullable TaskResult result, @Nullable Throwable failure, boolean neverBegun);
  }

  @Override
  public byte[] execute(TaskContext context) throws TaskFailure {
    Runnable task =
        context.payload().length == Long.BYTES
            ? tasks.remove(ByteBuffer.wrap(context.payload()).getLong())
            : null;
    if (task == null) {
      throw new TaskFailure("it is not here any more");
    }
    task.run();
    return new byte[0];
  }
}
