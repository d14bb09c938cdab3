// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** One acquisition of a lock. Thread-safe, and not bound to a thread. */
@ProviderType
public interface Grant extends AutoCloseable {
  /** What was asked for. */
  Claim claim();

  /**
   * The fencing token: greater than those of all grants of this lock before. That of a lone grant
   * is its position in the log; what one entry grants together has tokens one above the other. Pass
   * it to whatever the lock protects, and have smaller ones refused there. That is for locks that
   * exclude each other: those who share a lock, or have permits, have a token each, and a resource
   * that they all write would refuse the earlier ones.
   */
  long token();

  /**
   * Whether the lock is surely still held, by this node's own clock: not released, its session
   * cannot have ended, the longest time to hold it is not over. Turns false before anyone else can
   * get the lock, unless an operator revokes it, and then stays false.
   */
  boolean isHeld();

  /**
   * For how long {@link #isHeld} surely stays true if the group is not heard of any more, zero once
   * it is not held. Grows again whenever the session is renewed.
   */
  Duration remaining();

  /** Completes when the lock is no longer held, for whatever reason. */
  CompletionStage<Void> lost();

  /**
   * Completes when somebody wants the holder to give way, by {@link LockService#promote}. The
   * holder goes on holding until it releases.
   */
  CompletionStage<Void> asked();

  /**
   * Releases it; does nothing if that was done before. Fails with {@code TIMEOUT} if the group did
   * not answer in time: it is not held any more all the same, and the release is repeated until the
   * group has heard of it.
   */
  CompletionStage<Void> release();

  /** Releases it and does not wait for the group. */
  @Override
  void close();
}
