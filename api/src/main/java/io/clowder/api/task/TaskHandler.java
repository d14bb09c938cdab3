// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Runs tasks: register one as a service. When the service goes its running attempts are let end
 * first, for {@code drain.seconds} at most; then they are interrupted, and given back to the
 * cluster without counting as failed.
 *
 * <p>Of several that match a task the one runs it that names its type exactly, else by the longest
 * pattern, else the one with the higher {@code service.ranking}.
 */
@ConsumerType
public interface TaskHandler {
  /**
   * Service property: which types it runs, a string or several. {@code a/b} is that type alone,
   * {@code a/*} all with one name more, {@code a/**} all that begin so.
   */
  String TYPE = "task.type";

  /**
   * Service property: how many it runs at a time on one node, an integer; else as the slots allow.
   */
  String CONCURRENCY = "task.concurrency";

  /**
   * Service property: after how many milliseconds an attempt is interrupted and has failed, a
   * number; else it may take as long as it likes.
   */
  String TIMEOUT = "task.timeout";

  /**
   * Does the work of one attempt, on a thread of its own; several at a time unless {@link
   * #CONCURRENCY} is 1. To be done with it before the task is anybody else's, look at {@link
   * TaskContext#isCancelled} or mind interrupts.
   *
   * <p>It may run again after it was done: when the node was lost, or cut off, before the cluster
   * had the result. What it writes should carry {@link TaskContext#fence}, or be harmless twice.
   *
   * @return the result, up to {@link io.clowder.api.Limits#TASK_BYTES}
   * @throws TaskFailure if there is no use in trying again
   * @throws Exception to be tried again as the task's {@link Retry} says
   */
  byte[] execute(TaskContext context) throws Exception;
}
