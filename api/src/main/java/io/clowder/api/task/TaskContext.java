// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import io.clowder.api.lock.Fence;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** One attempt, as its handler sees it. Thread-safe. */
@ProviderType
public interface TaskContext {
  /** The task. */
  TaskId id();

  /** What kind it is. */
  String type();

  /** What was submitted; not to be changed. */
  byte[] payload();

  /** Which attempt this is, from 1. */
  int attempt();

  /**
   * What writes carry so that a store refuses them once a later attempt has written. A later
   * attempt has a larger token, whichever node it is on; the resource is {@code task/} and the
   * task's ordering key, within its type, or its id if it has none.
   */
  Fence fence();

  /** The instant for which a schedule has made it; null if none has. */
  @Nullable Instant scheduledFor();

  /** When the task expires; null if it does not. */
  @Nullable Instant deadline();

  /**
   * Whether this attempt is not wanted any more: the task was called off or is over time, or the
   * cluster may have given it to another node. The thread is interrupted, too.
   */
  boolean isCancelled();

  /**
   * Says how far it is, for people; told to the cluster now and then.
   *
   * @param done 0 to 1
   * @param note up to 200 characters, longer ones are cut
   */
  void progress(double done, String note);
}
