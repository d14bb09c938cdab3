// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Suspicion.State;
import io.clowder.failure.detector.Signal.Body;
import io.clowder.failure.detector.Signal.Head;
import java.util.List;

/**
 * What this node says of itself, and when: heartbeats as each peer wants them, and news at once.
 */
final class Voice {
  /** How often a peer is greeted that was never heard of. */
  private static final long GREET_NANOS = 250_000_000;

  /** How often a peer is told that it has to rise above an incarnation. */
  private static final long CORRECT_NANOS = 100_000_000;

  private final Watch watch;
  private final Stalls stalls;
  private long incarnation;
  private List<String> unwell = List.of();
  private boolean isOver;

  Voice(Watch watch, Stalls stalls, long incarnation) {
    this.watch = watch;
    this.stalls = stalls;
    this.incarnation = incarnation;
  }

  long incarnation() {
    return incarnation;
  }

  List<String> unwell() {
    return unwell;
  }

  /** Nothing more is said. */
  void end() {
    isOver = true;
  }

  /** These parts are not alive; told at once if that is news. */
  void unwell(List<String> parts) {
    List<String> some = parts.subList(0, Math.min(parts.size(), Signal.UNWELL_MAX));
    if (!some.equals(unwell)) {
      unwell = List.copyOf(some);
      watch.peers.values().forEach(this::greet);
    }
  }

  /** Whether this incarnation is larger than the present one, whose place it takes then. */
  boolean rise(long least) {
    if (least <= incarnation) {
      return false;
    }
    incarnation = least;
    watch.peers.values().forEach(it -> it.sequence = 0);
    watch.peers.values().forEach(this::greet);
    return true;
  }

  /** A peer lives in the past; tells it so, now and then. */
  void correct(Peer peer) {
    if (watch.now - peer.toldNanos > CORRECT_NANOS) {
      greet(peer);
    }
  }

  /** A peer wants so much time between heartbeats; 0 for none. */
  void keep(Peer peer, long wantedNanos) {
    if (wantedNanos != peer.keptNanos || peer.nextBeatNanos == Long.MAX_VALUE) {
      peer.keptNanos = wantedNanos;
      peer.nextBeatNanos = wantedNanos == 0 ? Long.MAX_VALUE : watch.now + wantedNanos;
    }
  }

  /** Says what is due. */
  void tick() {
    for (Peer peer : watch.peers.values()) {
      boolean unheard = peer.incarnation == 0 && watch.now - peer.toldNanos >= GREET_NANOS;
      if (unheard || wantedMillis(peer) != peer.toldWantedMillis) {
        greet(peer);
      }
      if (peer.nextBeatNanos <= watch.now) {
        // Those that there was no time to send count as lost: the receiver sees an even grid.
        long due = 1 + (watch.now - peer.nextBeatNanos) / peer.keptNanos;
        peer.sequence += due;
        peer.nextBeatNanos += due * peer.keptNanos;
        beat(peer, peer.sequence, peer.keptNanos / 1_000_000);
      }
    }
  }

  /** When the next heartbeat is due. */
  long wakeAt() {
    long at = Long.MAX_VALUE;
    for (Peer peer : watch.peers.values()) {
      at = Math.min(at, peer.nextBeatNanos);
    }
    return at;
  }

  /** Tells a peer at once how this node is and what it wants. */
  void greet(Peer peer) {
    beat(peer, 0, 0);
  }

  private void beat(Peer peer, long sequence, long intervalMillis) {
    peer.toldWantedMillis = wantedMillis(peer);
    peer.toldNanos = watch.now;
    long held = peer.stamp == 0 ? 0 : watch.now - peer.stampNanos;
    send(peer.id, new Signal.Heartbeat(sequence, intervalMillis, watch.now + 1, peer.stamp, held));
  }

  /** Says something, under a head that tells the rest. */
  boolean send(NodeId to, Body body) {
    if (isOver) {
      return false;
    }
    Peer peer = watch.peers.get(to);
    Head head =
        new Head(
            incarnation,
            peer == null ? 0 : peer.accepts(),
            peer == null ? 0 : wantedMillis(peer),
            stalls.isDegraded(),
            peer != null && peer.state == State.UNREACHABLE,
            unwell);
    return watch.outlet.send(to, new Signal(head, body));
  }

  private long wantedMillis(Peer peer) {
    return watch.detector.intervalNanos(peer.id) / 1_000_000;
  }
}
