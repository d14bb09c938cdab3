// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.Limits;
import java.util.Arrays;

/**
 * The commands of some consecutive slots, as a value: a batch on its way to a peer or to the
 * journal. Shares them with the log and allocates nothing per slot.
 */
final class Commands {
  /** What a command counts for besides its bytes: bounds the commands of a batch. */
  static final int OVERHEAD_BYTES = 16;

  /** Commands in a batch at most. */
  static final int COUNT_MAX = Limits.BATCH_BYTES / OVERHEAD_BYTES;

  private final byte[][] commands;
  private final int bytes;

  /** Takes the array over. */
  Commands(byte[][] commands) {
    if (commands.length > COUNT_MAX) {
      throw new IllegalArgumentException(commands.length + " commands");
    }
    int sum = 0;
    for (byte[] command : commands) {
      sum += weight(command);
    }
    this.commands = commands;
    this.bytes = sum;
  }

  /** What one command counts for against {@link Limits#BATCH_BYTES}. */
  static int weight(byte[] command) {
    return command.length + OVERHEAD_BYTES;
  }

  int size() {
    return commands.length;
  }

  boolean isEmpty() {
    return commands.length == 0;
  }

  byte[] get(int at) {
    return commands[at];
  }

  /** The weight of all. */
  int bytes() {
    return bytes;
  }

  /** Without the first {@code count}. */
  Commands skip(int count) {
    return count == 0 ? this : new Commands(Arrays.copyOfRange(commands, count, commands.length));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Commands that && Arrays.deepEquals(commands, that.commands);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(commands);
  }

  @Override
  public String toString() {
    return commands.length + " of " + bytes + " bytes";
  }
}
