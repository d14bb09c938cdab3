// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.lock.Grant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A grant of this node. What can happen to it, happens in {@link LockClient}. */
final class HeldLock implements Grant {
  private final LockClient client;
  private final long request;
  private final long session;
  private final String name;
  private final long token;
  private final CompletableFuture<@Nullable Void> lost = new CompletableFuture<>();
  private final CompletableFuture<@Nullable Void> released = new CompletableFuture<>();
  private volatile boolean over;

  /** Guarded by {@link #client}. */
  private boolean releasing;

  HeldLock(LockClient client, long request, long session, String name, long token) {
    this.client = client;
    this.request = request;
    this.session = session;
    this.name = name;
    this.token = token;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long token() {
    return token;
  }

  @Override
  public boolean isHeld() {
    if (!over && !client.isValid(session)) {
      client.lapsed(request);
    }
    return !over;
  }

  @Override
  public CompletionStage<Void> lost() {
    return lost.minimalCompletionStage();
  }

  @Override
  public CompletionStage<Void> release() {
    client.release(request, this);
    return released.minimalCompletionStage();
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

  CompletableFuture<@Nullable Void> whenReleased() {
    return released;
  }
}
