// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import org.jspecify.annotations.Nullable;

/** The tasks of the cluster, as one node has them. */
public interface Tasks {
  /** Has a task run, after those with the same ordering key if it has one; its number. */
  long submit(String type, String payload, @Nullable String orderingKey) throws Exception;

  /** How a task ends, which is waited for. */
  Result result(long task) throws Exception;

  /** What the cluster has counted. */
  Counts counts() throws Exception;

  /**
   * Starts a load under a name that no other load has: of tasks of a type that returns its payload,
   * all with the load's name as their ordering key.
   */
  Load load(String name, String type);

  /** How a task has ended. */
  record Result(String state, String value, int attempts) {}

  /** Since the cluster began; and how many tasks are not over. */
  record Counts(long submitted, long succeeded, long failed, int notOver) {}
}
