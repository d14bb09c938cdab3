// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

/**
 * A ballot ("Paxos Made Simple", 2.2: a proposal's number), totally ordered: by round, and of one
 * round by member, so that no two members ever have the same one. A member never has the same one
 * twice either: it promises its own before it asks others for promises, a promise is durable before
 * anybody hears of it, and the next one is above it.
 *
 * @param round at least 1, but for {@link #NONE}
 * @param member the owner: its place among the members of the segment, from 0
 */
record Ballot(long round, int member) implements Comparable<Ballot> {
  /** Below every ballot. */
  static final Ballot NONE = new Ballot(0, 0);

  /** No round is later: nothing is computed from rounds that could overflow. */
  static final long ROUND_MAX = 1L << 48;

  /** How many owners there may be. */
  static final int MEMBERS_MAX = 256;

  Ballot {
    if (round < 0 || round > ROUND_MAX || member < 0 || member >= MEMBERS_MAX) {
      throw new IllegalArgumentException("no ballot: round " + round + " of member " + member);
    }
    if (round == 0 && member != 0) {
      throw new IllegalArgumentException("round 0 is nobody's, not member " + member + "'s");
    }
  }

  /** The ballot of that {@link #number}. */
  static Ballot of(long number) {
    return new Ballot(number >> 8, (int) number & 0xFF);
  }

  /** As a number of the same order. */
  long number() {
    return round << 8 | member;
  }

  /** Whether this one is earlier. */
  boolean isBelow(Ballot other) {
    return compareTo(other) < 0;
  }

  /** The later one of two. */
  static Ballot max(Ballot one, Ballot other) {
    return one.isBelow(other) ? other : one;
  }

  @Override
  public int compareTo(Ballot other) {
    return Long.compare(number(), other.number());
  }

  @Override
  public String toString() {
    return round + "." + member;
  }
}
