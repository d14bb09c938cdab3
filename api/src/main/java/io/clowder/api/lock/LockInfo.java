// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import io.clowder.api.NodeId;
import java.util.List;

/**
 * A lock that somebody holds or waits for.
 *
 * @param permits of a semaphore; 0 for a lock that is exclusive or shared
 * @param holders the first {@link #SHOWN}, oldest token first
 * @param holding how many hold it
 * @param waiters the first {@link #SHOWN}, first in line first
 * @param waiting how many wait for it
 * @param delayedUntilMillis until when nobody gets it, because a holder's session ended; in
 *     milliseconds since 1970 by the log's clock, 0 if there is no such delay
 */
public record LockInfo(
    String name,
    int permits,
    List<Holder> holders,
    int holding,
    List<Waiter> waiters,
    int waiting,
    long delayedUntilMillis) {
  /** How many holders and waiters are listed at most. */
  public static final int SHOWN = 100;

  /**
   * Who holds it.
   *
   * @param token the fencing token
   * @param session the session of the node
   * @param bundle symbolic name of the bundle
   * @param mode how
   * @param permits how many permits of a semaphore, else 0
   * @param sinceMillis when it was granted, milliseconds since 1970 by the log's clock
   * @param asked whether it was asked to give way
   */
  public record Holder(
      long token,
      NodeId node,
      long session,
      String bundle,
      Claim.Mode mode,
      int permits,
      long sinceMillis,
      boolean asked,
      String note) {}

  /**
   * Who waits for it.
   *
   * @param session the session of the node
   * @param bundle symbolic name of the bundle
   * @param mode how it wants it
   * @param permits how many permits of a semaphore it wants, else 0
   * @param sinceMillis when it was queued, milliseconds since 1970 by the log's clock
   */
  public record Waiter(
      NodeId node,
      long session,
      String bundle,
      Claim.Mode mode,
      int permits,
      int priority,
      long sinceMillis,
      String note) {}

  /** Keeps its own copies. */
  public LockInfo {
    holders = List.copyOf(holders);
    waiters = List.copyOf(waiters);
  }
}
