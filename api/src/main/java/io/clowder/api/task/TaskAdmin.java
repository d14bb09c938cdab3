// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import io.clowder.api.NodeId;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * For who runs the cluster. A service beside each {@link TaskScheduler}, with the same properties;
 * what is said there of threads and failures holds here. All it changes is the cluster's, durable,
 * and the same on every node.
 */
@ProviderType
public interface TaskAdmin {
  /**
   * Tasks by number.
   *
   * @param state which ones; null for all
   * @param type which ones; null for all
   * @param after those with a larger number; null for the first
   * @param limit how many, 1 to {@link io.clowder.api.Limits#PAGE_ENTRIES}; fewer may come, though
   *     there are more, if they are large
   */
  CompletionStage<List<TaskStatus>> list(
      @Nullable TaskState state, @Nullable String type, @Nullable TaskId after, int limit);

  /** Schedules by name, after {@code after}. */
  CompletionStage<List<ScheduleStatus>> schedules(@Nullable String after, int limit);

  /** A schedule by its name; null if there is none. */
  CompletionStage<@Nullable ScheduleStatus> schedule(String name);

  /** Pauses a schedule, or has it go on with its next instant; false if there is none. */
  CompletionStage<Boolean> pauseSchedule(String name, boolean isPaused);

  /**
   * Has a schedule make a task now, besides its instants. Fails with {@code INVALID} if unknown.
   */
  CompletionStage<TaskId> fireNow(String name);

  /** Has a node get no more tasks, or get some again. It may be one that is not there. */
  CompletionStage<Void> drain(NodeId node, boolean isDrained);

  /** Has no task of a type begin, or begin again. Those that run go on. */
  CompletionStage<Void> pause(String type, boolean isPaused);

  /** Limits a type. */
  CompletionStage<Void> limit(String type, TypeLimits limits);

  /** What a type is limited to. */
  CompletionStage<TypeLimits> limits(String type);

  /**
   * Forgets a task that is over, and its result.
   *
   * @return false if it is not over
   */
  CompletionStage<Boolean> forget(TaskId id);
}
