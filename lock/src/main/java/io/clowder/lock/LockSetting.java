// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.Limits;
import io.clowder.api.lock.Claim;
import java.time.Duration;

/**
 * What a node's configuration says of its locks.
 *
 * @param timeout for answers of the group, 1 ms to 10 minutes
 * @param waitersMax how many may wait for a lock, 1 to {@link Limits#LOCK_WAITERS}
 * @param lockDelay of claims that name none, 0 to 1 minute
 * @param maxHold of claims that name none; 0 for none
 * @param historySize how many events are kept, 0 to {@link #HISTORY_MAX}
 */
public record LockSetting(
    Duration timeout, int waitersMax, Duration lockDelay, Duration maxHold, int historySize) {
  static final int HISTORY_MAX = 1_000_000;

  private static final long TIMEOUT_MILLIS_MAX = 600_000;
  private static final long HOLD_MILLIS_MAX = Duration.ofDays(1).toMillis();

  /** Refuses what is out of range by the key's name. */
  public LockSetting {
    check("timeout.millis", timeout.toMillis(), 1, TIMEOUT_MILLIS_MAX);
    check("max.waiters", waitersMax, 1, Limits.LOCK_WAITERS);
    check("lock.delay.millis", lockDelay.toMillis(), 0, Want.DELAY_MAX.toMillis());
    check("max.hold.millis", maxHold.toMillis(), 0, HOLD_MILLIS_MAX);
    check("history.size", historySize, 0, HISTORY_MAX);
  }

  /** Nothing but a time-out. */
  public static LockSetting of(Duration timeout) {
    return new LockSetting(timeout, Limits.LOCK_WAITERS, Duration.ZERO, Duration.ZERO, 1_000);
  }

  private static void check(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s: %s is %d: use %d to %d".formatted(ReplicatedLocks.PID, key, value, min, max));
    }
  }

  /** The claim, with what it does not say. */
  Claim complete(Claim claim) {
    Claim complete = claim.lockDelay().isZero() ? claim.withLockDelay(lockDelay) : claim;
    return complete.maxHold() == null && !maxHold.isZero()
        ? complete.withMaxHold(maxHold)
        : complete;
  }
}
