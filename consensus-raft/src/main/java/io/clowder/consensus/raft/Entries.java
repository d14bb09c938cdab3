// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.Limits;
import java.util.Arrays;

/**
 * Some consecutive log entries, as a value: a batch on its way to a peer or to the journal. Shares
 * the commands with the log and allocates nothing per entry.
 */
final class Entries {
  /** What an entry counts for besides its command, in bytes: bounds the entries of a batch. */
  static final int OVERHEAD_BYTES = 16;

  /** Entries in a batch at most. */
  static final int COUNT_MAX = Limits.BATCH_BYTES / OVERHEAD_BYTES;

  static final Entries NONE = new Entries(new long[0], new byte[0][]);

  private final long[] terms;
  private final byte[][] commands;
  private final int bytes;

  /** Takes both arrays over. Terms must be at least 1 and not fall. */
  Entries(long[] terms, byte[][] commands) {
    if (terms.length != commands.length || terms.length > COUNT_MAX) {
      throw new IllegalArgumentException(terms.length + " terms, " + commands.length + " commands");
    }
    long term = 1;
    int sum = 0;
    for (int i = 0; i < terms.length; i++) {
      if (terms[i] < term) {
        throw new IllegalArgumentException("an entry of term " + terms[i] + " after " + term);
      }
      term = terms[i];
      sum += weight(commands[i]);
    }
    this.terms = terms;
    this.commands = commands;
    this.bytes = sum;
  }

  /** What one entry counts for against {@link Limits#BATCH_BYTES}. */
  static int weight(byte[] command) {
    return command.length + OVERHEAD_BYTES;
  }

  int size() {
    return terms.length;
  }

  boolean isEmpty() {
    return terms.length == 0;
  }

  long term(int at) {
    return terms[at];
  }

  byte[] command(int at) {
    return commands[at];
  }

  /** The weight of all. */
  int bytes() {
    return bytes;
  }

  /** Without the first {@code count}. */
  Entries skip(int count) {
    return count == 0
        ? this
        : new Entries(
            Arrays.copyOfRange(terms, count, terms.length),
            Arrays.copyOfRange(commands, count, commands.length));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Entries that
        && Arrays.equals(terms, that.terms)
        && Arrays.deepEquals(commands, that.commands);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(terms) + Arrays.deepHashCode(commands);
  }

  @Override
  public String toString() {
    return isEmpty() ? "none" : size() + " of terms " + terms[0] + " to " + terms[size() - 1];
  }
}
