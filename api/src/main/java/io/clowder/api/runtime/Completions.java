// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Futures to be completed off the loop's thread: those of one round go to the executor as one task,
 * in order. Used by the loop's thread only.
 */
public final class Completions {
  private final Executor executor;
  private List<Runnable> round = new ArrayList<>();

  /**
   * Nothing to complete yet.
   *
   * @param executor where futures complete, and with them the code of callers
   */
  public Completions(Executor executor) {
    this.executor = executor;
  }

  /** Completes a future with {@code value} at the next {@link #flush}. */
  public <T extends @Nullable Object> void complete(CompletableFuture<T> future, T value) {
    round.add(() -> future.complete(value));
  }

  /** Completes a future with {@code failure} at the next {@link #flush}. */
  public void fail(CompletableFuture<?> future, RuntimeException failure) {
    round.add(() -> future.completeExceptionally(failure));
  }

  /** Runs something after what has gathered so far. */
  public void then(Runnable task) {
    round.add(task);
  }

  /** Hands what has gathered to the executor; nothing if there is nothing. */
  public void flush() {
    if (round.isEmpty()) {
      return;
    }
    List<Runnable> batch = round;
    round = new ArrayList<>();
    executor.execute(() -> batch.forEach(Runnable::run));
  }
}
