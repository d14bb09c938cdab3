// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Linearizable reads. A round of heartbeats whose answers come from so many members that no quorum
 * of phase 1 is without one of them proves that no later ballot was prepared when it began, so
 * whatever was acknowledged before is chosen here ("Paxos Made Live", 5.2, reads without an
 * instance of Paxos, there by a lease). Only answers to heartbeats sent after a barrier came in can
 * confirm it: barriers that come while a round is out wait for the next.
 */
final class ReadRounds {
  private final Replica replica;
  private final Learner learner;

  /** The last round of heartbeats, whether for reads or for their own sake. */
  private long round;

  private long outRound;
  private long outSlot;
  private long[] out = new long[16];
  private int outCount;
  private long[] waiting = new long[16];
  private int waitingCount;

  ReadRounds(Replica replica, Learner learner) {
    this.replica = replica;
    this.learner = learner;
  }

  void add(long ticket) {
    if (waitingCount == waiting.length) {
      waiting = Arrays.copyOf(waiting, waitingCount * 2);
    }
    waiting[waitingCount++] = ticket;
  }

  /** A number that no round had. */
  long next() {
    return ++round;
  }

  long last() {
    return round;
  }

  /** Whether barriers wait for answers to a round that is out. */
  boolean isOut() {
    return outCount > 0;
  }

  /** Whether barriers wait for a round that may begin. */
  boolean isDue() {
    return outCount == 0 && waitingCount > 0;
  }

  /** Begins a round for all that wait; its heartbeats are sent now. */
  long begin() {
    long[] empty = out;
    out = waiting;
    outCount = waitingCount;
    waiting = empty;
    waitingCount = 0;
    outSlot = learner.decided();
    outRound = next();
    return outRound;
  }

  /** Enough members have answered this round. */
  void confirm(long answered) {
    if (outCount > 0 && answered >= outRound) {
      for (int i = 0; i < outCount; i++) {
        replica.act(new Action.Ready(out[i], outSlot));
      }
      outCount = 0;
    }
  }

  /** The leadership ends. */
  void refuse(@Nullable NodeId leader) {
    for (int i = 0; i < outCount; i++) {
      replica.act(new Action.Refuse(out[i], leader));
    }
    for (int i = 0; i < waitingCount; i++) {
      replica.act(new Action.Refuse(waiting[i], leader));
    }
    outCount = 0;
    waitingCount = 0;
  }
}
