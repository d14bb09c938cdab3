// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A grant of this node. What can happen to it, happens in {@link LockClient}. */
final class HeldLock implements Grant {
  private final LockClient client;
  private final Claim claim;
  private final long request;
  private final long session;
  private final long token;
  private final long untilNanos;
  private final CompletableFuture<@Nullable Void> lost = new CompletableFuture<>();
  private final CompletableFuture<@Nullable Void> asked = new CompletableFuture<>();
  private final CompletableFuture<@Nullable Void> released = new CompletableFuture<>();
  private volatile boolean over;

  /** Guarded by {@link #client}. */
  private boolean releasing;

  /**
   * A grant.
   *
   * @param untilNanos when the longest time to hold it is over; ignored if the claim has none
   */
  HeldLock(LockClient client, Claim claim, Request request, long untilNanos) {
    this.client = client;
    this.claim = claim;
    this.request = request.id;
    this.session = request.session;
    this.token = request.token;
    this.untilNanos = untilNanos;
  }

  @Override
  public Claim claim() {
    return claim;
  }

  @Override
  public long token() {
    return token;
  }

  @Override
  public boolean isHeld() {
    return !remaining().isZero();
  }

  @Override
  public Duration remaining() {
    if (over) {
      return Duration.ZERO;
    }
    long nanos = client.validNanos(session);
    if (claim.maxHold() != null) {
      nanos = Math.min(nanos, client.nanosUntil(untilNanos));
    }
    if (nanos <= 0) {
      client.lapsed(request);
      return Duration.ZERO;
    }
    return Duration.ofNanos(nanos);
  }

  long untilNanos() {
    return untilNanos;
  }

  @Override
  public CompletionStage<Void> lost() {
    return lost.minimalCompletionStage();
  }

  @Override
  public CompletionStage<Void> asked() {
    return asked.minimalCompletionStage();
  }

  @Override
  public CompletionStage<Void> release() {
    client.release(request, this);
    return released.minimalCompletionStage();
  }

  @Override
  public void close() {
    client.release(request, this);
  }

  boolean isOver() {
    return over;
  }

  /** From now on it is not held, and never again; {@link #lost} is to be completed. */
  void end() {
    over = true;
  }

  /** Whether the holder has released it. */
  boolean isReleasing() {
    return releasing;
  }

  void releasing() {
    releasing = true;
  }

  CompletableFuture<@Nullable Void> whenLost() {
    return lost;
  }

  CompletableFuture<@Nullable Void> whenAsked() {
    return asked;
  }

  CompletableFuture<@Nullable Void> whenReleased() {
    return released;
  }
}
