// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.Limits;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The slots after {@link #base}, in memory: a ring of ballots and commands. Each slot is a Paxos of
 * its own ("Paxos Made Simple", 3), so any may be empty, and each may be of another ballot.
 */
final class SlotLog {
  private @Nullable Ballot[] ballots = new @Nullable Ballot[256];
  private byte @Nullable [][] commands = new byte[256][];
  private int head;
  private int size;
  private long base;

  /** The last slice: the journal and most peers are given the same one. */
  private @Nullable Commands memo;

  private long memoFrom;

  SlotLog(long base) {
    this.base = base;
  }

  /** The slots up to there are not held. */
  long base() {
    return base;
  }

  /** The last slot that is not empty, or the base. */
  long last() {
    return base + size;
  }

  /** The ballot of a slot, or null if it is empty or not held. */
  @Nullable Ballot ballot(long slot) {
    return slot <= base || slot > last() ? null : ballots[at(slot)];
  }

  /** The command of a slot that is not empty. */
  byte[] command(long slot) {
    byte[] command = slot <= base || slot > last() ? null : commands[at(slot)];
    if (command == null) {
      throw new AssertionError("no command in slot " + slot);
    }
    return command;
  }

  /** Puts a command into a slot after the base; what was there is void. */
  void put(long slot, Ballot ballot, byte[] command) {
    if (slot <= base) {
      throw new AssertionError("slot " + slot + " of a log after " + base);
    }
    if (slot > last()) {
      grow(slot - base);
      size = (int) (slot - base);
    }
    int at = at(slot);
    ballots[at] = ballot;
    commands[at] = command;
    memo = null;
  }

  /** Puts commands into slots from {@code first} on. */
  void put(long first, Ballot ballot, Commands batch) {
    for (int i = 0; i < batch.size(); i++) {
      put(first + i, ballot, batch.get(i));
    }
  }

  /** Drops the slots up to {@code slot}, whether there are so many or not. */
  void compact(long slot) {
    while (base < slot && size > 0) {
      ballots[head] = null;
      commands[head] = null;
      head = (head + 1) & (ballots.length - 1);
      size--;
      base++;
    }
    base = Math.max(base, slot);
    memo = null;
  }

  /**
   * The commands from {@code from} on, as many as fit into one batch and at least one.
   *
   * @param from after the base and up to the last; no slot from there on is empty
   */
  Commands slice(long from) {
    Commands slice = memo;
    if (slice == null || from != memoFrom) {
      int count = 0;
      int bytes = 0;
      while (from + count <= last()) {
        bytes += Commands.weight(command(from + count));
        if (count > 0 && bytes > Limits.BATCH_BYTES) {
          break;
        }
        count++;
      }
      slice = new Commands(commands(from, count));
      memo = slice;
      memoFrom = from;
    }
    return slice;
  }

  /**
   * The votes from {@code from} on, as many as weigh {@code bytesMax} at most, and at least one.
   *
   * @param from after the base
   * @param bytesMax at most as many as a batch has
   */
  Votes votes(long from, int bytesMax) {
    int count = 0;
    int bytes = 0;
    while (from + count <= last()) {
      byte[] command = commands[at(from + count)];
      bytes += command == null ? Commands.OVERHEAD_BYTES : Commands.weight(command);
      if (count > 0 && bytes > bytesMax) {
        break;
      }
      count++;
    }
    if (count == 0) {
      return Votes.NONE;
    }
    @Nullable Ballot[] copy = new @Nullable Ballot[count];
    int start = at(from);
    int first = Math.min(count, ballots.length - start);
    System.arraycopy(ballots, start, copy, 0, first);
    System.arraycopy(ballots, 0, copy, first, count - first);
    return new Votes(copy, commands(from, count));
  }

  /** The commands of the slots from {@code from} to {@code to}, none of which is empty. */
  List<byte[]> decided(long from, long to) {
    return Arrays.asList(commands(from, Math.toIntExact(to - from + 1)));
  }

  /**
   * The first slot such that those after it up to {@code slot} are at most so many, and of at most
   * so many bytes.
   *
   * @param slot after the base, or the base; no slot up to there is empty
   */
  long tail(long slot, int slotsMax, int bytesMax) {
    long at = slot;
    int bytes = 0;
    while (at > base && slot - at < slotsMax) {
      bytes += Commands.weight(command(at));
      if (bytes > bytesMax) {
        break;
      }
      at--;
    }
    return at;
  }

  private byte[][] commands(long from, int count) {
    if (from <= base || from + count - 1 > last()) {
      throw new AssertionError(count + " from " + from + " of " + base + " to " + last());
    }
    byte[][] copy = new byte[count][];
    int start = at(from);
    int first = Math.min(count, commands.length - start);
    System.arraycopy(commands, start, copy, 0, first);
    System.arraycopy(commands, 0, copy, first, count - first);
    return copy;
  }

  private int at(long slot) {
    return (head + (int) (slot - base - 1)) & (ballots.length - 1);
  }

  private void grow(long slots) {
    if (slots <= ballots.length) {
      return;
    }
    int room = Integer.highestOneBit(Math.toIntExact(slots) - 1) << 1;
    @Nullable Ballot[] moreBallots = new @Nullable Ballot[room];
    byte @Nullable [][] moreCommands = new byte[room][];
    for (int i = 0; i < size; i++) {
      int at = (head + i) & (ballots.length - 1);
      moreBallots[i] = ballots[at];
      moreCommands[i] = commands[at];
    }
    ballots = moreBallots;
    commands = moreCommands;
    head = 0;
  }
}
