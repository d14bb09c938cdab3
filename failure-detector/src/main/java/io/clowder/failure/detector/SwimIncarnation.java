// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * How new a word on a node is (SWIM, section 4.2): its life, and how often it has refuted
 * suspicions in it. Only the node itself makes a larger one.
 */
record SwimIncarnation(long life, long refutations) implements Comparable<SwimIncarnation> {
  /** Before anything was heard of a node. */
  static final SwimIncarnation UNKNOWN = new SwimIncarnation(0, 0);

  @Override
  public int compareTo(SwimIncarnation other) {
    return life != other.life
        ? Long.compare(life, other.life)
        : Long.compare(refutations, other.refutations);
  }

  /** Whether a word of this age overrides one of that age. */
  boolean isAfter(SwimIncarnation other) {
    return compareTo(other) > 0;
  }
}
