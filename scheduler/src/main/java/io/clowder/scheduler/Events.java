// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What an entry made of tasks and workers, told when it is applied: on the replica's thread, so it
 * must be quick and must not wait.
 */
interface Events {
  /** A worker was given a task. */
  default void given(Worker worker, Attempt attempt, Task task) {}

  /** The task goes on without this attempt, which still has its slot. */
  default void revoked(Attempt attempt) {}

  /** A worker is none any more; nothing that it was given is its own. */
  default void gone(Worker worker) {}

  /** A task is over. */
  default void ended(Task task) {}

  /** An entry was applied, of which the others were told before. */
  default void applied() {}

  /** The state is another one: an older one that entries will follow, or a much later one. */
  default void restored() {}

  /** No entries come for a while; completes when this has told the others so. */
  default CompletableFuture<@Nullable Void> pause() {
    return CompletableFuture.completedFuture(null);
  }

  /** Entries come again. */
  default void resume() {}
}
