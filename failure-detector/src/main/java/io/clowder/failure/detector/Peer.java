// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.Suspicion.State;
import java.util.List;

/** All that a node remembers of another one. */
final class Peer {
  final NodeId id;
  final Quality quality = new Quality();
  final Arrivals arrivals = new Arrivals();

  // What it is taken for.
  State state = State.NEW;
  long sinceMillis;
  Evidence evidence = Evidence.NONE;
  String detail = "";

  // Its present life, as far as it is known.
  long incarnation;
  boolean isGone;
  boolean isDegraded;
  boolean isDeaf;
  List<String> unwell = List.of();

  // What came from it, and when.
  long bornNanos;
  boolean isHeard;
  long heardNanos;
  long signalNanos;
  boolean isConnected;
  long disconnectedNanos;
  long lastSequence;
  long beatNanos;
  long stamp;
  long stampNanos;

  // What goes to it.
  long sequence;
  long keptNanos;
  long nextBeatNanos = Long.MAX_VALUE;
  long toldWantedMillis = -1;
  long toldNanos;

  // When it is asked whether it lives, and until when an answer may come.
  long floorNanos;
  long stalledNanos;
  long askAgainNanos;
  boolean isAsked;
  long answerByNanos;

  Peer(NodeId id, long now, long nowMillis) {
    this.id = id;
    this.bornNanos = now;
    this.heardNanos = now;
    this.sinceMillis = nowMillis;
    this.disconnectedNanos = now;
  }

  boolean isSuspect() {
    return state == State.SUSPECT || state == State.LEFT;
  }

  /** The least incarnation that is not over, as far as this node knows. */
  long accepts() {
    return isGone ? incarnation + 1 : incarnation;
  }

  /** Forgets what belonged to its last life. */
  void begin(long newIncarnation, long now) {
    incarnation = newIncarnation;
    isGone = false;
    isDegraded = false;
    isDeaf = false;
    unwell = List.of();
    bornNanos = now;
    heardNanos = now;
    stalledNanos = 0;
    lastSequence = 0;
    stamp = 0;
    arrivals.clear();
    isAsked = false;
  }
}
