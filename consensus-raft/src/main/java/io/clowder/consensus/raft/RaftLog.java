// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.Limits;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The entries after {@link #base}, in memory: a ring of terms and commands. Of the entry at the
 * base itself only the term is known.
 */
final class RaftLog {
  private long[] terms = new long[256];
  private byte @Nullable [][] commands = new byte[256][];
  private int head;
  private int size;
  private long base;
  private long baseTerm;

  /** The last slice: the journal and most peers are given the same one. */
  private Entries memo = Entries.NONE;

  private long memoFrom = -1;

  RaftLog(long base, long baseTerm) {
    this.base = base;
    this.baseTerm = baseTerm;
  }

  long base() {
    return base;
  }

  long last() {
    return base + size;
  }

  long lastTerm() {
    return size == 0 ? baseTerm : terms[at(last())];
  }

  /** The term of an entry from the base to the last. */
  long term(long index) {
    if (index < base || index > last()) {
      throw new AssertionError("index " + index + " of a log from " + base + " to " + last());
    }
    return index == base ? baseTerm : terms[at(index)];
  }

  /** Whether the entry at {@code index} is held, or is the base, and has that term. */
  boolean holds(long index, long term) {
    return index >= base && index <= last() && term(index) == term;
  }

  void append(long term, byte[] command) {
    if (size == terms.length) {
      grow();
    }
    size++;
    int at = at(last());
    terms[at] = term;
    commands[at] = command;
    memoFrom = -1;
  }

  void append(Entries entries) {
    for (int i = 0; i < entries.size(); i++) {
      append(entries.term(i), entries.command(i));
    }
  }

  /** Drops what comes after {@code last}. */
  void truncate(long last) {
    while (last() > last) {
      commands[at(last())] = null;
      size--;
    }
    memoFrom = -1;
  }

  /** Drops what comes before {@code index}, which becomes the base. */
  void compact(long index) {
    long term = term(index);
    while (base < index) {
      commands[head] = null;
      head = (head + 1) & (terms.length - 1);
      size--;
      base++;
    }
    baseTerm = term;
    memoFrom = -1;
  }

  /** Drops everything and starts after {@code index}. */
  void reset(long index, long term) {
    Arrays.fill(commands, null);
    head = 0;
    size = 0;
    base = index;
    baseTerm = term;
    memoFrom = -1;
  }

  /**
   * The entries from {@code from} on, as many as fit into one batch and at least one.
   *
   * @param from from the base + 1 to the last
   */
  Entries slice(long from) {
    if (from != memoFrom) {
      int count = 0;
      int bytes = 0;
      while (from + count <= last()) {
        bytes += Entries.weight(command(from + count));
        if (count > 0 && bytes > Limits.BATCH_BYTES) {
          break;
        }
        count++;
      }
      memo = new Entries(terms(from, count), commands(from, count));
      memoFrom = from;
    }
    return memo;
  }

  /** The commands of the entries from {@code from} to {@code to}. */
  List<byte[]> decided(long from, long to) {
    return Arrays.asList(commands(from, Math.toIntExact(to - from + 1)));
  }

  /**
   * The last index up to {@code index} whose entry's term is at most {@code term}, or the base: no
   * later one up to {@code index} can equal an entry of a log that has {@code term} there.
   */
  long lastOfTerm(long index, long term) {
    long at = Math.min(index, last());
    while (at > base && terms[at(at)] > term) {
      at--;
    }
    return at;
  }

  /**
   * The first index such that the entries after it up to {@code index} are at most so many, and of
   * at most so many bytes.
   */
  long tail(long index, int entriesMax, int bytesMax) {
    long at = index;
    int bytes = 0;
    while (at > base && index - at < entriesMax) {
      bytes += Entries.weight(command(at));
      if (bytes > bytesMax) {
        break;
      }
      at--;
    }
    return at;
  }

  private byte[] command(long index) {
    byte[] command = commands[at(index)];
    if (command == null) {
      throw new AssertionError("no command at " + index);
    }
    return command;
  }

  private long[] terms(long from, int count) {
    long[] copy = new long[count];
    int start = at(from);
    int first = Math.min(count, terms.length - start);
    System.arraycopy(terms, start, copy, 0, first);
    System.arraycopy(terms, 0, copy, first, count - first);
    return copy;
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

  private int at(long index) {
    return (head + (int) (index - base - 1)) & (terms.length - 1);
  }

  private void grow() {
    long[] moreTerms = Arrays.copyOf(terms(base + 1, size), size * 2);
    byte[][] moreCommands = Arrays.copyOf(commands(base + 1, size), size * 2);
    terms = moreTerms;
    commands = moreCommands;
    head = 0;
  }
}
