// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import java.util.Arrays;
import java.util.SortedMap;

/**
 * How many members make a quorum, of each kind. All that Paxos needs is that every quorum of phase
 * 1 meets every quorum of phase 2 (Howard et al., "Flexible Paxos", 3); two quorums of phase 2 need
 * not meet, since a ballot is one member's only.
 *
 * @param members how many there are
 * @param prepare how many promises make a leader
 * @param accept how many acceptances choose a command
 */
record Quorums(int members, int prepare, int accept) {
  /** The parameter of a segment that says how many promises make a leader. */
  static final String PREPARE = "quorum.prepare";

  /** The parameter of a segment that says how many acceptances choose a command. */
  static final String ACCEPT = "quorum.accept";

  Quorums {
    if (members < 1 || members > Ballot.MEMBERS_MAX) {
      throw new IllegalArgumentException(
          members + " members: paxos serves from 1 to " + Ballot.MEMBERS_MAX);
    }
    if (prepare + accept <= members) {
      throw new IllegalArgumentException(
          "parameters '%s' = %d and '%s' = %d: two such quorums of %d members need not meet; raise one until their sum is over %d"
              .formatted(PREPARE, prepare, ACCEPT, accept, members, members));
    }
  }

  /**
   * As the parameters say; a majority where they say nothing.
   *
   * @throws IllegalArgumentException with the parameter's name and what to do about it
   */
  static Quorums of(int members, SortedMap<String, String> parameters) {
    for (String name : parameters.keySet()) {
      if (!name.equals(PREPARE) && !name.equals(ACCEPT)) {
        throw new IllegalArgumentException(
            "parameter '" + name + "': paxos knows only " + PREPARE + " and " + ACCEPT);
      }
    }
    return new Quorums(
        members, size(PREPARE, members, parameters), size(ACCEPT, members, parameters));
  }

  private static int size(String name, int members, SortedMap<String, String> parameters) {
    String text = parameters.get(name);
    if (text == null) {
      return members / 2 + 1;
    }
    int size;
    try {
      size = Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      size = 0;
    }
    if (size < 1 || size > members) {
      throw new IllegalArgumentException(
          "parameter '%s' = '%s': write a number from 1 to %d, the number of members, or leave it out for a majority"
              .formatted(name, text, members));
    }
    return size;
  }

  /** How many members are sure to have one in every quorum of phase 1. */
  int read() {
    return members - prepare + 1;
  }

  /** How many members must be there for a leader to be made and to get on. */
  int serve() {
    return Math.max(prepare, accept);
  }

  /**
   * The largest number that {@code quorum} members have reached.
   *
   * @param reached one number per member; left sorted
   */
  static long reached(long[] reached, int quorum) {
    Arrays.sort(reached);
    return reached[reached.length - quorum];
  }
}
