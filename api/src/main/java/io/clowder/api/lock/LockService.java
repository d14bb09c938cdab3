// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Exclusive locks across the cluster, first come first served. A service; thread-safe.
 *
 * <p>A name is 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of UTF-8. Locks are held in the
 * name of this node's session: when the group has not heard of the node for the session's time, its
 * locks are free. They are not reentrant: who holds a lock and asks again waits like anyone.
 * Failures are {@link io.clowder.api.CoordinationException}.
 */
@ProviderType
public interface LockService {
  /**
   * Waits for a lock, up to {@code wait}; then fails with {@code TIMEOUT}. The request has then
   * left the queue, or leaves it as soon as the group is heard of again: it never holds the lock.
   */
  CompletionStage<Grant> acquire(String name, Duration wait);

  /** Takes a lock if it is free; null if it is not. */
  CompletionStage<@Nullable Grant> tryAcquire(String name);

  /**
   * Releases the acquisition that {@code token} was given for. Releasing it again changes nothing
   * and succeeds. Fails with {@code CONFLICT} if the token was never given for this lock, or
   * another acquisition holds it now.
   */
  CompletionStage<Void> release(String name, long token);

  /** The lock as all nodes agree on it, or null if it is free. */
  CompletionStage<@Nullable LockInfo> info(String name);

  /**
   * The locks that are held, by name.
   *
   * @param prefix of the names; empty for all
   * @param after begin after this name; null to begin with the first
   * @param limit 1 to {@link io.clowder.api.Limits#PAGE_ENTRIES}
   */
  CompletionStage<List<LockInfo>> list(String prefix, @Nullable String after, int limit);
}
