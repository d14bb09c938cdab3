// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;

/**
 * A node is suspected, or not any more.
 *
 * @param kind which of both
 * @param node whom it is about
 * @param incarnation which life of it; never less than in an earlier event about the node
 * @param evidence why
 * @param detail the evidence in words, for people; may be empty
 * @param view number of the view that was current
 * @param timeMillis when, milliseconds since 1970
 */
public record FailureEvent(
    Kind kind,
    NodeId node,
    long incarnation,
    Evidence evidence,
    String detail,
    long view,
    long timeMillis) {
  /** What may happen. */
  public enum Kind {
    /** It is suspected from now on. */
    SUSPECT,
    /** It is not suspected any more. */
    TRUST
  }
}
