// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Grant;
import java.util.ArrayList;
import java.util.List;
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
  final int bundle;
  final Claim claim;

  /** Whether the answer is a failure, and not null, if the lock is not free. */
  final boolean orFail;

  final CompletableFuture<@Nullable Grant> answer = new CompletableFuture<>();

  /** As long as it is held: one for each time that its owner claimed it and did not release. */
  final List<HeldLock> grants = new ArrayList<>(1);

  Phase phase = Phase.ASKING;

  /** Whether the caller has its answer, or soon will. */
  boolean answered;

  /** In whose name it waits or holds. */
  long session;

  /** The entry since when it waits or holds; states before that entry say nothing about it. */
  long since;

  /** Once it holds. */
  long token;

  /** Calls off the end of the waiting, then that of the holding. */
  Runnable callOff = () -> {};

  /** Whether it was lost by the clock. */
  boolean isLost;

  /** Whether the end of a delay is awaited. */
  boolean isDelayed;

  int attempts;

  Request(long id, int bundle, Claim claim, boolean orFail) {
    this.id = id;
    this.bundle = bundle;
    this.claim = claim;
    this.orFail = orFail;
  }

  String name() {
    return claim.name();
  }
}
