// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;

/** What a leader knows of one peer, and what it may send to it. */
final class Progress {
  enum State {
    /** Where the logs part is not known: one message at a time. */
    PROBE,
    /** The logs agree: messages follow each other without waiting for answers. */
    REPLICATE,
    /** The peer needs entries that are held no more. */
    SNAPSHOT
  }

  /** Appends on their way to one peer at most. */
  static final int WINDOW_MESSAGES = 64;

  /** Bytes of entries on their way to one peer at most, one batch aside. */
  static final int WINDOW_BYTES = 4 << 20;

  final NodeId peer;

  private State state = State.PROBE;
  private long match;
  private long next;
  private boolean probing;

  /** The appends on their way: a ring of their last indices and weights. */
  private final long[] ends = new long[WINDOW_MESSAGES];

  private final int[] weights = new int[WINDOW_MESSAGES];
  private int oldest;
  private int flying;
  private int flyingBytes;

  /** When the peer was last heard in this term. */
  long heardAt;

  /** The last round of heartbeats it answered. */
  long round;

  /** The highest commit it was told. */
  long told;

  /** A heartbeat was due since its last answer: the next one shows whether something was lost. */
  boolean beaten;

  Progress(NodeId peer, long next, long now) {
    this.peer = peer;
    this.next = next;
    heardAt = now;
  }

  State state() {
    return state;
  }

  long match() {
    return match;
  }

  /** The first entry to be sent next. */
  long next() {
    return next;
  }

  /** Whether entries may be sent now. */
  boolean isOpen() {
    return switch (state) {
      case PROBE -> !probing;
      case REPLICATE -> flying < WINDOW_MESSAGES && flyingBytes < WINDOW_BYTES;
      case SNAPSHOT -> false;
    };
  }

  /** Entries from {@link #next} on were sent, or none. */
  void sent(Entries entries) {
    if (state == State.PROBE) {
      probing = true;
    } else if (state == State.REPLICATE && !entries.isEmpty()) {
      next += entries.size();
      if (flying == WINDOW_MESSAGES) {
        throw new AssertionError("the window of " + peer + " is full");
      }
      int at = (oldest + flying) % WINDOW_MESSAGES;
      ends[at] = next - 1;
      weights[at] = entries.bytes();
      flying++;
      flyingBytes += entries.bytes();
    }
  }

  /** Its log equals this one up to {@code index}, on its disk. */
  void matches(long index, long base) {
    match = Math.max(match, index);
    while (flying > 0 && ends[oldest] <= match) {
      flyingBytes -= weights[oldest];
      oldest = (oldest + 1) % WINDOW_MESSAGES;
      flying--;
    }
    if (state == State.REPLICATE) {
      next = Math.max(next, match + 1);
    } else if (match >= base && index == match) {
      state = State.REPLICATE;
      next = match + 1;
    }
  }

  /**
   * It does not hold the entry at {@code prev}.
   *
   * @param hint the last one it may have in common
   * @return whether that is news
   */
  boolean parts(long prev, long hint) {
    if (prev <= match || (state != State.REPLICATE && prev != next - 1)) {
      return false;
    }
    // While replicating, any entry past the match may have been lost.
    next = state == State.REPLICATE ? match + 1 : Math.max(match, Math.min(hint, prev - 1)) + 1;
    toProbe();
    return true;
  }

  /** It needs a snapshot; ask for {@code base} until it has it. */
  void needsSnapshot(long base) {
    toProbe();
    state = State.SNAPSHOT;
    next = base + 1;
  }

  /** An answer came: a probe that is still on its way is given up. */
  void probeAgain() {
    probing = false;
  }

  private void toProbe() {
    state = State.PROBE;
    probing = false;
    flying = 0;
    flyingBytes = 0;
  }
}
