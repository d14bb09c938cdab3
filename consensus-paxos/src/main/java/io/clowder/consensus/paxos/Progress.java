// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;

/** What a leader knows of one peer, and what it may send to it. */
final class Progress {
  enum State {
    /** What it lacks is not known, or was sent and not acknowledged: one message at a time. */
    PROBE,
    /** Messages follow each other without waiting for answers. */
    STREAM,
    /** It lacks slots that are held no more. */
    SNAPSHOT
  }

  /** Requests on their way to one peer at most. */
  static final int WINDOW_MESSAGES = 64;

  /** Bytes of commands on their way to one peer at most, one batch aside. */
  static final int WINDOW_BYTES = 4 << 20;

  final NodeId peer;

  private State state = State.PROBE;
  private long match;
  private long next;

  /** Something is on its way; at first that is a heartbeat. */
  private boolean probing = true;

  /** The requests on their way: a ring of their last slots and weights. */
  private final long[] ends = new long[WINDOW_MESSAGES];

  private final int[] weights = new int[WINDOW_MESSAGES];
  private int oldest;
  private int flying;
  private int flyingBytes;

  /** When the peer was last heard in this ballot. */
  long heardAt;

  /** The last round of heartbeats it answered. */
  long round;

  /** Up to where it was told what is chosen. */
  long told;

  /** The first heartbeat since the last one answered, 0 if there is none, and the last one. */
  private long firstBeat;

  private long lastBeat;

  /** The next slot when each was sent: its answer shows what was lost before. */
  private long firstBeatNext;

  private long lastBeatNext;

  Progress(NodeId peer, long now) {
    this.peer = peer;
    heardAt = now;
  }

  State state() {
    return state;
  }

  /**
   * Up to there it has accepted in this ballot, or has known to be chosen. What it knows it may
   * forget when it crashes, unlike what it has accepted; but chosen it is.
   */
  long match() {
    return match;
  }

  /** The first slot to be sent next. */
  long next() {
    return next;
  }

  /** Whether commands may be sent now. */
  boolean isOpen() {
    return switch (state) {
      case PROBE -> !probing;
      case STREAM -> flying < WINDOW_MESSAGES && flyingBytes < WINDOW_BYTES;
      case SNAPSHOT -> false;
    };
  }

  /** It is known to lack what comes after {@code slot}, and nothing is on its way. */
  void startAfter(long slot) {
    match = Math.max(match, slot);
    next = slot + 1;
    land();
    state = State.STREAM;
  }

  /** The commands of the slots from {@link #next} on were sent. */
  void sent(Commands commands) {
    if (state == State.PROBE) {
      probing = true;
      return;
    }
    if (state != State.STREAM || flying == WINDOW_MESSAGES) {
      throw new AssertionError("the window of " + peer + " is not open");
    }
    next += commands.size();
    int at = (oldest + flying) % WINDOW_MESSAGES;
    ends[at] = next - 1;
    weights[at] = commands.bytes();
    flying++;
    flyingBytes += commands.bytes();
  }

  /** It has acknowledged everything up to {@code slot}. */
  void matches(long slot, long base) {
    match = Math.max(match, slot);
    while (flying > 0 && ends[oldest] <= slot) {
      flyingBytes -= weights[oldest];
      oldest = (oldest + 1) % WINDOW_MESSAGES;
      flying--;
    }
    if (state == State.STREAM) {
      next = Math.max(next, slot + 1);
    } else if (slot >= base && slot >= next) {
      state = State.STREAM;
      next = slot + 1;
    }
  }

  /** It lacks what comes after {@code slot}, although that was sent. */
  void lacks(long slot) {
    next = slot + 1;
    land();
    state = State.PROBE;
  }

  /** It needs a snapshot; ask for one until it has it. */
  void needsSnapshot() {
    land();
    state = State.SNAPSHOT;
  }

  /** A heartbeat is due and sent. */
  void beats(long number) {
    lastBeat = number;
    lastBeatNext = next;
    if (firstBeat == 0) {
      firstBeat = number;
      firstBeatNext = next;
    }
  }

  /**
   * It has answered a heartbeat.
   *
   * @param upTo what it acknowledges with it
   * @return whether something that was sent before got lost; once for each heartbeat that was due
   */
  boolean isBeaten(long number, long upTo) {
    if (firstBeat == 0 || number < firstBeat) {
      return false;
    }
    firstBeat = 0;
    long sent = (number < lastBeat ? firstBeatNext : lastBeatNext) - 1;
    return state != State.STREAM || upTo < sent;
  }

  private void land() {
    probing = false;
    flying = 0;
    flyingBytes = 0;
  }
}
