// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import io.clowder.api.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The whole at a glance.
 *
 * @param queues what waits and runs, by type and priority; the 1,000 longest
 * @param nodes who works
 * @param tasks how many are not over
 * @param dead how many are in the dead-letter list
 * @param results how many are over, and kept
 * @param schedules how many there are
 * @param submitted how many were taken since the cluster began
 * @param succeeded how many of them have succeeded
 * @param failed how many attempts have failed, lost ones among them
 */
public record SystemStatus(
    List<Queue> queues,
    List<Worker> nodes,
    int tasks,
    int dead,
    int results,
    int schedules,
    long submitted,
    long succeeded,
    long failed) {
  /** Keeps its own copies. */
  public SystemStatus {
    queues = List.copyOf(queues);
    nodes = List.copyOf(nodes);
  }

  /**
   * The tasks of a type with a priority.
   *
   * @param type their type
   * @param priority their priority
   * @param waiting how many wait for a time, their turn, or a retry
   * @param ready how many wait for a slot
   * @param inFlight how many are assigned or run
   * @param oldestWait how long the first of those that are ready waits
   * @param isPaused whether the type is paused
   * @param why why none of those that are ready runs, for people; empty if there is nothing to say
   */
  public record Queue(
      String type,
      int priority,
      int waiting,
      int ready,
      int inFlight,
      Duration oldestWait,
      boolean isPaused,
      String why) {}

  /**
   * A node that runs tasks.
   *
   * @param node which one
   * @param slots how many it runs at a time
   * @param inFlight how many it was given
   * @param isDrained whether it gets no more
   * @param handlers which types it runs, and how many of each at a time; 0 for as the slots allow;
   *     of very many the first only
   * @param labels what it has
   * @param done how many attempts it has brought to an end
   * @param failed how many of them have failed
   */
  public record Worker(
      NodeId node,
      int slots,
      int inFlight,
      boolean isDrained,
      SortedMap<String, Integer> handlers,
      SortedMap<String, String> labels,
      long done,
      long failed) {}

  /** A node by its name; null if it runs no tasks. */
  public @Nullable Worker node(NodeId node) {
    return nodes.stream().filter(it -> it.node().equals(node)).findFirst().orElse(null);
  }
}
