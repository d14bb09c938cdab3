// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.election.Leadership;
import io.clowder.api.lock.Grant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One term of one leader: a grant of the election's lock. Its ending is {@link Candidacy}'s. */
final class Term implements Leadership {
  private final String election;
  private final Grant grant;
  private final Executor threads;
  private final Consumer<Term> resigning;
  private final CompletableFuture<@Nullable Void> lost = new CompletableFuture<>();
  private final CompletableFuture<@Nullable Void> told = new CompletableFuture<>();
  private final CompletableFuture<@Nullable Void> released = new CompletableFuture<>();
  private volatile boolean over;

  /**
   * A term that begins.
   *
   * @param threads complete the stages that others see
   * @param resigning told when it is to end
   */
  Term(String election, Grant grant, Executor threads, Consumer<Term> resigning) {
    this.election = election;
    this.grant = grant;
    this.threads = threads;
    this.resigning = resigning;
  }

  @Override
  public String election() {
    return election;
  }

  @Override
  public long epoch() {
    return grant.token();
  }

  @Override
  public boolean isLeader() {
    return !over && grant.isHeld();
  }

  @Override
  public CompletionStage<Void> lost() {
    return lost.minimalCompletionStage();
  }

  @Override
  public CompletionStage<Void> resign() {
    resigning.accept(this);
    return released.minimalCompletionStage();
  }

  Grant grant() {
    return grant;
  }

  /** From now on it does not lead, and never again. */
  void end() {
    over = true;
    threads.execute(() -> lost.complete(null));
  }

  /** Completes, on any thread, when the candidate has been told that it is over. */
  CompletableFuture<@Nullable Void> told() {
    return told;
  }

  /** The lock was released, or the group could not be asked to. */
  void released(@Nullable Throwable failure) {
    threads.execute(
        () -> {
          if (failure == null) {
            released.complete(null);
          } else {
            released.completeExceptionally(LockFailure.cause(failure));
          }
        });
  }

  @Override
  public String toString() {
    return "term " + epoch() + " of election " + election;
  }
}
