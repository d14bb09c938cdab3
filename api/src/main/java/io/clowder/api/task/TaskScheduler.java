// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Has tasks run somewhere in the cluster. A service, with the property {@code consensus.group}; it
 * is there while the group's runtime is.
 *
 * <p>A task that was taken is in the replicated log, and comes to an end while most nodes live, and
 * one that can run it. It runs at least once, and one attempt alone completes it: each has a token,
 * and what comes with an older one is refused. Two attempts can overlap only if a node was taken
 * for dead and was not, as when it was paused, or if a handler does not mind that its time is over;
 * {@link TaskContext#fence} is for that.
 *
 * <p>Higher priority goes first, older before newer within one, and who waits rises. A task is
 * given to a node only when a slot is free there: the queue stays in the log, where all of them
 * draw from it (late binding, as in Ousterhout et al., "Sparrow", SOSP 2013, 3.3; with one queue,
 * an M/M/c system).
 *
 * <p>Thread-safe. Stages complete on a thread of this bundle. All failures are {@link
 * io.clowder.api.CoordinationException}; those that say {@code MAY_HAVE_HAPPENED} of a submission
 * are safely asked again if the request has a dedupe key.
 */
@ProviderType
public interface TaskScheduler {
  /**
   * Takes a task. Fails with {@code OVERLOADED} if {@code queue.max} tasks wait, or the most that
   * its type may have.
   *
   * @return its id; of the task that had its dedupe key already, if one has
   */
  CompletionStage<TaskId> submit(TaskRequest request);

  /**
   * How a task ended, as soon as it has. Fails with {@code TIMEOUT} if it has not within {@code
   * wait}, and with {@code INVALID} if no such task is known, or not any more.
   */
  CompletionStage<TaskResult> result(TaskId id, Duration wait);

  /** Where a task stands. Fails with {@code INVALID} if no such task is known, or not any more. */
  CompletionStage<TaskStatus> status(TaskId id);

  /**
   * Calls a task off. One that runs is interrupted; it may yet be done, but its result is refused.
   *
   * @return false if it was over before
   */
  CompletionStage<Boolean> cancel(TaskId id);

  /**
   * Has a task that is over without success, or that waits to be tried again, tried anew at once,
   * its failures forgotten.
   *
   * @return false if it is neither
   */
  CompletionStage<Boolean> retry(TaskId id);

  /**
   * Makes a schedule, or changes the one with its name: its next instant is then worked out anew
   * from now on.
   *
   * @return whether there was none
   */
  CompletionStage<Boolean> schedule(Schedule schedule);

  /**
   * Ends a schedule. Its tasks go on.
   *
   * @return false if there was none
   */
  CompletionStage<Boolean> unschedule(String name);

  /** The whole at a glance; the 1,000 longest queues of it. */
  CompletionStage<SystemStatus> systemStatus();
}
