// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.lock.Grant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One acquisition, from asking until nothing of it is left in the group. */
final class Request {
  /** How far it got. */
  enum Phase {
    /** The Acquire was sent; whether and how it was applied is not known. */
    ASKING,
    /** In the queue. */
    WAITING,
    /** The caller has the grant. */
    HELD,
    /** Nobody wants it any more; a Release or Cancel is on its way. */
    LEAVING
  }

  final long id;
  final String name;
  final CompletableFuture<@Nullable Grant> answer = new CompletableFuture<>();

  Phase phase = Phase.ASKING;

  /** Whether the caller has its answer, or soon will. */
  boolean answered;

  /** In whose name it waits or holds. */
  long session;

  /** The entry since when it waits or holds; states before that entry say nothing about it. */
  long since;

  @Nullable HeldLock grant;
  Runnable callOff = () -> {};
  int attempts;

  Request(long id, String name) {
    this.id = id;
    this.name = name;
  }
}
