// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.consensus;

/**
 * One entry of the log as a state machine sees it.
 *
 * @param kind what it is
 * @param position its place in the log of the group, from 1; rising, with gaps, across all machines
 * @param timeMillis when the leader proposed it, in milliseconds since 1970; never falls
 * @param session whose command it is, or the session that ended
 * @param command what was submitted; empty for {@link Kind#SESSION_ENDED}
 */
public record Entry(Kind kind, long position, long timeMillis, long session, byte[] command) {
  /** What an entry may be. */
  public enum Kind {
    /** A submitted command. */
    COMMAND,
    /** The session is over: whatever is held in its name must be let go. */
    SESSION_ENDED
  }
}
