// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What an acceptor has accepted in some consecutive slots: for each a command and its ballot, or
 * nothing ("Paxos Made Simple", 2.2, phase 1b: the highest-numbered proposal, if any).
 */
final class Votes {
  static final Votes NONE = new Votes(new Ballot[0], new byte[0][]);

  private final @Nullable Ballot[] ballots;
  private final byte @Nullable [][] commands;

  /** Takes both arrays over; nothing accepted is a null in both. */
  Votes(@Nullable Ballot[] ballots, byte @Nullable [][] commands) {
    if (ballots.length != commands.length || ballots.length > Commands.COUNT_MAX) {
      throw new IllegalArgumentException(
          ballots.length + " ballots, " + commands.length + " commands");
    }
    for (int i = 0; i < ballots.length; i++) {
      Ballot ballot = ballots[i];
      if ((ballot == null) != (commands[i] == null)) {
        throw new IllegalArgumentException("a command without a ballot, or a ballot without one");
      }
      if (ballot != null && ballot.round() == 0) {
        throw new IllegalArgumentException("a vote in no ballot");
      }
    }
    this.ballots = ballots;
    this.commands = commands;
  }

  int size() {
    return ballots.length;
  }

  /** The ballot of the vote, or null if there is none. */
  @Nullable Ballot ballot(int at) {
    return ballots[at];
  }

  /** The command of a vote that there is. */
  byte[] command(int at) {
    byte[] command = commands[at];
    if (command == null) {
      throw new AssertionError("no vote at " + at);
    }
    return command;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Votes that
        && Arrays.equals(ballots, that.ballots)
        && Arrays.deepEquals(commands, that.commands);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ballots) + Arrays.deepHashCode(commands);
  }

  @Override
  public String toString() {
    return size() + " in ballots " + Arrays.toString(ballots);
  }
}
