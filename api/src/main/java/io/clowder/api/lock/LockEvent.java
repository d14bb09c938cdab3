// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.lock;

import io.clowder.api.NodeId;

/**
 * Something that happened to a lock.
 *
 * @param position of the entry of the log that made it happen
 * @param timeMillis when, milliseconds since 1970 by the log's clock
 * @param name of the lock
 * @param token of the acquisition; 0 if there is none
 * @param node whose bundle holds, held or waits
 * @param bundle symbolic name of that bundle
 * @param reason why it was revoked; otherwise empty
 */
public record LockEvent(
    long position,
    long timeMillis,
    Kind kind,
    String name,
    long token,
    NodeId node,
    String bundle,
    String reason) {
  /** What happened. */
  public enum Kind {
    /** It was given to a holder. */
    GRANTED,
    /** Somebody waits for it. */
    QUEUED,
    /** A holder released it. */
    RELEASED,
    /** A holder's bundle or its lock service stopped. */
    CLOSED,
    /** A holder's session ended. */
    EXPIRED,
    /** Somebody took it from its holder. */
    REVOKED,
    /** Somebody does not wait for it any more. */
    LEFT,
    /** The holder was asked to give way to a waiter. */
    ASKED
  }
}
