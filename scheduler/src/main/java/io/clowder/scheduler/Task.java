// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A task at one position of the log; immutable, so that a snapshot need not copy it.
 *
 * @param id from 1, in the order of submission
 * @param work what was submitted
 * @param submitted when
 * @param state where it stands
 * @param since when it came to that state; one that was given back is ready since it first was
 * @param order of two that are ready since the same time the smaller goes first; of those that are
 *     over, in which order they ended
 * @param due when it goes on, if it waits for a time; {@link #TURN} if it waits for its turn; else
 *     0
 * @param token of its present attempt, 0 if there is none
 * @param attempts how often it was assigned
 * @param failures how many attempts failed, since somebody had it tried anew
 * @param crashes how many nodes were lost with it, since then
 * @param value the result; empty unless it succeeded
 * @param error why it ended, or last failed
 * @param past failed attempts, the last few
 */
record Task(
    long id,
    Work work,
    long submitted,
    TaskState state,
    long since,
    long order,
    long due,
    long token,
    int attempts,
    int failures,
    int crashes,
    byte[] value,
    @Nullable String error,
    List<TaskStatus.Past> past) {
  /** As {@link #due}: another task with its ordering key is not over. */
  static final long TURN = -1;

  static final byte[] NO_VALUE = {};

  /** Within one priority: who is ready for longer. */
  static final Comparator<Task> FIRST_COME =
      Comparator.comparingLong(Task::since).thenComparingLong(Task::order);

  static Task submitted(long id, Work work, long now) {
    return new Task(
        id, work, now, TaskState.SUBMITTED, now, 0, 0, 0, 0, 0, 0, NO_VALUE, null, List.of());
  }

  /** Among all that are ready the least goes first. */
  long rank() {
    return since - (long) work.priority() * work.terms().agingMillis();
  }

  /** Whether a node was lost with it: it might be the cause. */
  boolean isSuspect() {
    return crashes > 0;
  }

  boolean isInFlight() {
    return token > 0;
  }

  /** The same with a work that is equal. */
  Task with(Work its) {
    return new Task(
        id, its, submitted, state, since, order, due, token, attempts, failures, crashes, value,
        error, past);
  }

  Task waiting(long now, long until) {
    return new Task(
        id,
        work,
        submitted,
        TaskState.SUBMITTED,
        now,
        0,
        until,
        0,
        attempts,
        failures,
        crashes,
        NO_VALUE,
        error,
        past);
  }

  Task ready(long from, long its) {
    return new Task(
        id,
        work,
        submitted,
        TaskState.READY,
        from,
        its,
        0,
        0,
        attempts,
        failures,
        crashes,
        NO_VALUE,
        error,
        past);
  }

  Task assigned(long now, long its) {
    return new Task(
        id,
        work,
        submitted,
        TaskState.ASSIGNED,
        now,
        order,
        0,
        its,
        attempts + 1,
        failures,
        crashes,
        NO_VALUE,
        error,
        past);
  }

  Task running(long now) {
    return new Task(
        id,
        work,
        submitted,
        TaskState.RUNNING,
        now,
        order,
        0,
        token,
        attempts,
        failures,
        crashes,
        NO_VALUE,
        error,
        past);
  }

  /** The same after its attempt failed. */
  Task failed(Attempt attempt, long now, String why, boolean isCrash) {
    List<TaskStatus.Past> more = new ArrayList<>(past);
    if (more.size() == TaskStatus.PAST) {
      more.remove(0);
    }
    more.add(attempt.past(attempts, now, why));
    return new Task(
        id,
        work,
        submitted,
        state,
        since,
        order,
        due,
        0,
        attempts,
        isCrash ? failures : failures + 1,
        isCrash ? crashes + 1 : crashes,
        NO_VALUE,
        why,
        List.copyOf(more));
  }

  Task ended(TaskState end, long now, long its, byte[] result, @Nullable String why) {
    return new Task(
        id, work, submitted, end, now, its, 0, 0, attempts, failures, crashes, result, why, past);
  }

  /** The same as if it had not failed yet. */
  Task anew() {
    return new Task(
        id, work, submitted, state, since, order, due, 0, attempts, 0, 0, NO_VALUE, null, past);
  }
}
