// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

/**
 * Where a task stands. It moves downwards in this list; back to {@link #SUBMITTED} when it is to be
 * tried again, and to {@link #READY} when it was given back unharmed. The last five are ends: once
 * there, it stays, unless somebody has it tried anew.
 */
public enum TaskState {
  /**
   * It waits for its time, for its turn among those with the same ordering key, or to be retried.
   */
  SUBMITTED,
  /** It waits for a free slot. */
  READY,
  /** A node was told to run it. */
  ASSIGNED,
  /** The node has said that it runs; one that is soon done never says so. */
  RUNNING,
  /** Its handler has returned; the result is there. */
  SUCCEEDED,
  /** Its handler has thrown, and it is not to be tried again; or nobody knows, and it must not. */
  FAILED,
  /** Somebody has called it off. */
  CANCELLED,
  /** Its deadline came first. */
  EXPIRED,
  /** All its attempts failed, or it took too many nodes with it; a person has to look at it. */
  DEAD;

  /** Whether it is over. */
  public boolean isEnd() {
    return compareTo(SUCCEEDED) >= 0;
  }
}
