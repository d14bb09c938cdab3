// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import io.clowder.api.NodeId;
import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What the cluster knows of a task.
 *
 * @param id the task
 * @param type its type
 * @param priority its priority
 * @param state where it stands
 * @param why what it waits for, or why it ended so, for people; empty if there is nothing to say
 * @param attempts how often it was assigned
 * @param crashes how many nodes were lost while they ran it
 * @param node which node runs it; null if none does
 * @param token of the present attempt; 0 if there is none
 * @param submitted when it was taken
 * @param since when it came to its state
 * @param due when it is to go on, if it waits for a time; null if it does not
 * @param deadline when it expires; null if it does not
 * @param dedupeKey of the request
 * @param orderingKey of the request
 * @param labels of the request
 * @param mode of the request
 * @param payloadBytes how long the payload is
 * @param resultBytes how long the result is
 * @param schedule which schedule has made it; null if none has
 * @param progress what its handler last said, 0 to 1
 * @param note what its handler last said
 * @param past its last attempts that failed, at most {@link #PAST}, the latest last
 */
public record TaskStatus(
    TaskId id,
    String type,
    int priority,
    TaskState state,
    String why,
    int attempts,
    int crashes,
    @Nullable NodeId node,
    long token,
    Instant submitted,
    Instant since,
    @Nullable Instant due,
    @Nullable Instant deadline,
    @Nullable String dedupeKey,
    @Nullable String orderingKey,
    SortedMap<String, String> labels,
    TaskMode mode,
    int payloadBytes,
    int resultBytes,
    @Nullable String schedule,
    double progress,
    String note,
    List<Past> past) {
  /** How many failed attempts are remembered. */
  public static final int PAST = 5;

  /**
   * A failed attempt.
   *
   * @param attempt which one
   * @param node where
   * @param token its token
   * @param began when it was assigned
   * @param ended when it had failed
   * @param error why, for people
   */
  public record Past(
      int attempt, NodeId node, long token, Instant began, Instant ended, String error) {}
}
