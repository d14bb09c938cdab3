// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

/**
 * A task's number: the cluster gives them, from 1, in the order in which tasks are taken.
 *
 * @param number 1 or larger
 */
public record TaskId(long number) implements Comparable<TaskId> {
  /** Refuses what is no number of a task. */
  public TaskId {
    if (number < 1) {
      throw new IllegalArgumentException("task " + number + ": the first one is 1");
    }
  }

  @Override
  public int compareTo(TaskId other) {
    return Long.compare(number, other.number);
  }

  @Override
  public String toString() {
    return Long.toString(number);
  }
}
