// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import io.clowder.api.NodeId;

/**
 * What one node thinks of another.
 *
 * @param node the other
 * @param state what it is taken for
 * @param level how suspicious the silence is, on the scale of the φ detector: minus the decimal
 *     logarithm of the chance that it would last so long if the node were well; from 0, {@link
 *     Double#POSITIVE_INFINITY} if there is certain evidence. An algorithm that has no such scale
 *     gives 0 or infinity
 * @param sinceMillis since when it is in this state, milliseconds since 1970
 * @param heardMillis how long ago the last sign of life came, in milliseconds; -1 if none ever did
 * @param incarnation which life of the node this is about; a later one is larger. 0 before any sign
 * @param evidence what the state rests on
 * @param detail the evidence in words, for people; may be empty
 */
public record Suspicion(
    NodeId node,
    State state,
    double level,
    long sinceMillis,
    long heardMillis,
    long incarnation,
    Evidence evidence,
    String detail) {
  /** What a node may be taken for. */
  public enum State {
    /** Nothing was heard of it yet, and it is too early to say more. */
    NEW,
    /** It is well. */
    ALIVE,
    /** It lives, others say, but what it sends does not get here. */
    UNREACHABLE,
    /** It seems to have failed. */
    SUSPECT,
    /** It said that it goes. Counts as a suspect. */
    LEFT
  }

  /** Whether it is among the suspects. */
  public boolean isSuspect() {
    return state == State.SUSPECT || state == State.LEFT;
  }
}
