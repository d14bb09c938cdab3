// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Futures to be completed off the group's thread: those of one round go to the executor as one
 * task.
 */
final class Completions {
  private final Executor executor;
  private List<Runnable> round = new ArrayList<>();

  Completions(Executor executor) {
    this.executor = executor;
  }

  <T extends @Nullable Object> void complete(CompletableFuture<T> future, T value) {
    round.add(() -> future.complete(value));
  }

  void fail(CompletableFuture<?> future, RuntimeException failure) {
    round.add(() -> future.completeExceptionally(failure));
  }

  /** Runs something after what has gathered so far. */
  void then(Runnable task) {
    round.add(task);
  }

  /** Hands over what has gathered. */
  void flush() {
    if (round.isEmpty()) {
      return;
    }
    List<Runnable> batch = round;
    round = new ArrayList<>();
    executor.execute(() -> batch.forEach(Runnable::run));
  }
}
