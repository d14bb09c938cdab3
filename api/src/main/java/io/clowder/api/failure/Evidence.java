// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

/** What the word on a node rests on. */
public enum Evidence {
  /** None yet. */
  NONE,
  /** A message of the node's. */
  HEARD,
  /** A message of a new life of the node's: the one before has ended. */
  RESTARTED,
  /** Another node reached it for this one. */
  RELAYED,
  /** Silence for longer than the algorithm allows, and no answer when asked, by no way. */
  SILENCE,
  /** What other nodes said, as the algorithm weighs it. */
  HEARSAY,
  /** Its connection broke, and nobody listens at its address any more. Certain. */
  REFUSED,
  /** It said that it stops. Certain. */
  GOODBYE,
  /** It says itself that it is not well: a {@link Liveness} of its said no. Certain. */
  UNWELL
}
