// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.NodeId;
import io.clowder.api.task.TaskStatus;
import java.time.Instant;

/**
 * What a worker was given, until it has said that it is through with it, though the task may have
 * gone on without it.
 *
 * @param token its fencing token, larger than those of all that began before
 * @param task which task
 * @param attempt the how many'th attempt of it
 * @param worker who was given it, by number
 * @param node where that is
 * @param pattern of the handler that it was given for
 * @param isSuspect whether a node was lost with the task before
 * @param readySince since when the task was ready then
 * @param began when it was given
 * @param until when it must be over; 0 for never
 */
record Attempt(
    long token,
    long task,
    int attempt,
    long worker,
    NodeId node,
    String pattern,
    boolean isSuspect,
    long readySince,
    long began,
    long until) {
  TaskStatus.Past past(int number, long now, String why) {
    return new TaskStatus.Past(
        number, node, token, Instant.ofEpochMilli(began), Instant.ofEpochMilli(now), why);
  }
}
