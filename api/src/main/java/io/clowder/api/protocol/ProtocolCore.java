// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

import org.osgi.annotation.versioning.ConsumerType;

/** One replica of one segment, as a pure state machine. One thread steps it. */
@ConsumerType
public interface ProtocolCore {
  /**
   * Takes one event and says what to do about it, in order. Never blocks. Throws only {@link
   * AssertionError} for a broken invariant, which stops the replica loudly; a message that makes no
   * sense is ignored.
   */
  void step(Event event, Actions out);

  /**
   * What another core of this segment must know of {@code slot}, besides the state of the machines,
   * to start from a snapshot of it (Raft: the slot's term).
   *
   * @param slot a slot that was decided and not trimmed, or the snapshot slot itself
   */
  byte[] anchor(long slot);

  /** What this replica knows, for people. */
  View view();

  /**
   * What a replica knows about its segment.
   *
   * @param role such as {@code leader}, {@code follower}, {@code candidate}
   * @param term the protocol's epoch (term, ballot round); never falls
   * @param lastSlot the last slot this replica holds a value for
   * @param decided the last slot decided, as far as this replica knows
   * @param waiting what this replica waits for, in a sentence that names the nodes, or empty
   */
  record View(String role, long term, long lastSlot, long decided, String waiting) {}
}
