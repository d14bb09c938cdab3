// SPDX-License-Identifier: Apache-2.0
package io.clowder.api;

import java.io.Serial;

/**
 * The one way in which a request to a service of this runtime fails. The message is a sentence for
 * the person who has to act on it.
 */
public final class CoordinationException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Whether the request took effect. */
  public enum Outcome {
    /** It did not and never will: asking again is safe. */
    DID_NOT_HAPPEN,
    /** It may have, or may still. Look before asking again, unless doing it twice is harmless. */
    MAY_HAVE_HAPPENED
  }

  /** Why the request failed. */
  public enum Reason {
    /** No result within the deadline; for a change that was sent off, its outcome is unknown. */
    TIMEOUT,
    /** A bounded queue or table is full; ask again later. */
    OVERLOADED,
    /** The request or its result is over a limit of {@link Limits}. */
    TOO_LARGE,
    /** The request makes no sense as it stands. */
    INVALID,
    /** A stated condition did not hold: another version, a wrong token. */
    CONFLICT,
    /** The session that the request belongs to has ended. */
    SESSION_EXPIRED,
    /** What is needed on this node is not there: a bundle was stopped, the node is closing. */
    UNAVAILABLE,
    /** The state machine failed on this command, in the same way on every node. */
    STATE_MACHINE_FAILED
  }

  private final Reason reason;
  private final Outcome outcome;

  /** A failure with a sentence that says what to do about it. */
  public CoordinationException(Reason reason, Outcome outcome, String message) {
    super(message);
    this.reason = reason;
    this.outcome = outcome;
  }

  /** A failure caused by another. */
  public CoordinationException(Reason reason, Outcome outcome, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.outcome = outcome;
  }

  /** A failure that certainly had no effect. */
  public static CoordinationException refused(Reason reason, String message) {
    return new CoordinationException(reason, Outcome.DID_NOT_HAPPEN, message);
  }

  /** Why it failed. */
  public Reason reason() {
    return reason;
  }

  /** Whether it took effect. */
  public Outcome outcome() {
    return outcome;
  }
}
