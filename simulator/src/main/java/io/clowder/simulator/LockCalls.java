// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Asks the lock service in one incarnation of a node, and sees to it that failures make sense. */
final class LockCalls {
  /** What no call that makes sense is ever told. */
  private static final Set<Reason> NEVER =
      EnumSet.of(Reason.INVALID, Reason.TOO_LARGE, Reason.STATE_MACHINE_FAILED);

  private final SimulatedProcess process;
  private final Judge judge;

  LockCalls(SimulatedProcess process, Judge judge) {
    this.process = process;
    this.judge = judge;
  }

  /** Does {@code action} after a while, if this incarnation lives then. */
  void after(long millis, String label, Runnable action) {
    process.after(millis * 1_000_000, label, action);
  }

  /**
   * Goes on when a stage is complete, if this incarnation lives then.
   *
   * @param expected why it may fail though nothing is wrong; {@code CONFLICT} never comes of faults
   * @param failed told why it failed; null if it was cancelled
   */
  <T extends @Nullable Object> void follow(
      CompletionStage<T> stage,
      Set<Reason> expected,
      Consumer<T> done,
      Consumer<@Nullable Reason> failed) {
    int incarnation = process.incarnation();
    var unused =
        stage.whenComplete(
            (result, failure) -> {
              if (process.incarnation() != incarnation || !process.isUp()) {
                return;
              }
              try {
                if (failure == null) {
                  done.accept(result);
                } else {
                  failed.accept(examine(failure, expected));
                }
              } catch (RuntimeException | AssertionError e) {
                judge.fail(e);
              }
            });
  }

  private @Nullable Reason examine(Throwable failure, Set<Reason> expected) {
    var cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof CancellationException) {
      process.world().sighted("lock request cancelled");
      return null;
    }
    if (!(cause instanceof CoordinationException refusal)) {
      throw new AssertionError("a lock failed by " + cause, cause);
    }
    var reason = refusal.reason();
    boolean byFaults = !judge.isCalm() && reason != Reason.CONFLICT && !NEVER.contains(reason);
    if (!byFaults && !expected.contains(reason)) {
      throw new AssertionError(process + " was refused: " + refusal.getMessage(), refusal);
    }
    process.world().sighted("lock refused: " + reason);
    return reason;
  }
}
