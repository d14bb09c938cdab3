// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import io.clowder.api.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Locks across the cluster, first come first served within a priority. A service that each bundle
 * gets an instance of its own of: the bundle's session. When the bundle stops, all that it holds is
 * released at once, and what it waits for is given up. Thread-safe.
 *
 * <p>Sessions live as long as the group hears of their node; when it has not for the session's
 * time, the locks of all the node's bundles are free. Failures are {@link
 * io.clowder.api.CoordinationException}.
 */
@ProviderType
public interface LockService {
  /**
   * Waits for a lock, up to {@code wait}; then fails with {@code TIMEOUT}. The request has then
   * left the queue, or leaves it as soon as the group is heard of again: it never holds the lock.
   * The same holds when the stage's {@code toCompletableFuture()} is cancelled.
   *
   * <p>Also fails with {@code SESSION_EXPIRED} if this node's session ends, for the place in the
   * queue is lost then; {@code OVERLOADED} if too many hold or wait; {@code CONFLICT} if the name
   * is another kind of lock, or if the claim's owner holds it in another mode and would wait for
   * itself; {@code INVALID} and {@code TOO_LARGE} if the claim makes no sense; {@code UNAVAILABLE}
   * if this bundle or the lock service was stopped. It holds nothing in any of these cases.
   *
   * @param wait zero takes it only if it is free, and leaves the group the configured time to
   *     answer; otherwise the limit for both
   */
  CompletionStage<Grant> acquire(Claim claim, Duration wait);

  /** Takes a lock if it is free; null if it is not. Fails as {@link #acquire} does. */
  CompletionStage<@Nullable Grant> tryAcquire(Claim claim);

  /**
   * Waits on the calling thread for a lock. Not to be called on a thread that completes stages of
   * this runtime.
   *
   * @throws io.clowder.api.CoordinationException as {@link #acquire} fails
   * @throws InterruptedException if the thread is interrupted; the request has then left the queue,
   *     or leaves it as soon as the group is heard of
   */
  Grant lock(Claim claim, Duration wait) throws InterruptedException;

  /** An exclusive lock; see {@link #acquire(Claim, Duration)}. */
  default CompletionStage<Grant> acquire(String name, Duration wait) {
    return acquire(Claim.exclusive(name), wait);
  }

  /** An exclusive lock; see {@link #tryAcquire(Claim)}. */
  default CompletionStage<@Nullable Grant> tryAcquire(String name) {
    return tryAcquire(Claim.exclusive(name));
  }

  /**
   * The lock for code that wants the JDK's interface. Reentrant: the thread is the claim's owner,
   * and only the thread that locked it can unlock it ({@link IllegalMonitorStateException}
   * otherwise, and also if the lock was lost meanwhile). {@code lock()} waits without limit, and
   * throws {@link io.clowder.api.CoordinationException} where {@link #acquire} fails with anything
   * but {@code TIMEOUT}. There are no conditions.
   *
   * <p>The interface has no way to say that a lock was lost, and hands out no token: use it only
   * for what may be done twice, or check {@link Grant#isHeld} of a {@link Grant} instead.
   */
  Lock asLock(Claim claim);

  /**
   * Releases the acquisition that {@code token} was given for. Releasing it again changes nothing
   * and succeeds, as long as nobody else holds the lock alone. Fails with {@code CONFLICT} if
   * somebody does, or if the token was never given for this lock. An acquisition that its owner
   * claimed several times is over at once.
   */
  CompletionStage<Void> release(String name, long token);

  /**
   * Takes a lock away from its holder, who hears of it when its node does: until then its {@link
   * Grant#isHeld} is true. Tokens keep the resource safe. Fails as {@link #release} does; revoking
   * what is free succeeds.
   *
   * @param reason for people, kept in every node's log and history; up to {@link
   *     io.clowder.api.Limits#NOTE_BYTES} bytes of UTF-8, and not empty
   */
  CompletionStage<Void> revoke(String name, long token, String reason);

  /**
   * Lets the first waiter of {@code node} go ahead of all others, and asks the holders to give way,
   * see {@link Grant#asked}. Fails with {@code CONFLICT} if nobody waits there.
   */
  CompletionStage<Void> promote(String name, NodeId node);

  /** The lock as all nodes agree on it, or null if it is free. */
  CompletionStage<@Nullable LockInfo> info(String name);

  /**
   * The locks that are held, by name.
   *
   * @param prefix of the names; empty for all
   * @param after begin after this name; null to begin with the first
   * @param limit 1 to {@link io.clowder.api.Limits#PAGE_ENTRIES}; fewer come back when they are
   *     large
   */
  CompletionStage<List<LockInfo>> list(String prefix, @Nullable String after, int limit);

  /**
   * The sessions of bundles, by when they were opened.
   *
   * @param limit 1 to {@link io.clowder.api.Limits#PAGE_ENTRIES}
   */
  CompletionStage<List<LockSession>> sessions(int limit);

  /**
   * What this node has seen happen since its start, as far back as it keeps it ({@code
   * history.size} of {@code io.clowder.lock}); the latest last.
   *
   * @param name of one lock; null for all
   */
  List<LockEvent> history(@Nullable String name);
}
