// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** One acquisition of a lock. Thread-safe, and not bound to a thread. */
@ProviderType
public interface Grant {
  /** The lock. */
  String name();

  /**
   * The fencing token: the position of the grant in the log, greater than those of all grants
   * before. Pass it to whatever the lock protects, and have smaller ones refused there.
   */
  long token();

  /**
   * Whether the lock is surely still held, by this node's own clock: not released, and its session
   * cannot have ended. Turns false before anyone else can get the lock, and then stays false.
   */
  boolean isHeld();

  /** Completes when the lock is no longer held, for whatever reason. */
  CompletionStage<Void> lost();

  /** Releases it; does nothing if that was done before. */
  CompletionStage<Void> release();
}
