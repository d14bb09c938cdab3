// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.Evidence;
import io.clowder.api.failure.QosReport;
import io.clowder.api.failure.SelfReport;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.failure.Suspicion.State;
import io.clowder.failure.detector.Signal.Body;
import io.clowder.failure.detector.Signal.Head;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * One node's watch over the others: sends heartbeats as they are wanted ({@link Voice}), has a
 * {@link Detector} judge what comes in, asks after whom it doubts ({@link Inquiry}), and weighs
 * evidence that is better than silence ({@link Verdicts}). A pure state machine: one thread calls
 * it, with its time in nanoseconds from 0, and all that it does goes through its {@link Outlet}.
 *
 * <p>A node that did not run has heard nothing for a reason of its own. Every deadline moves by the
 * time that it stood still, and whatever piled up meanwhile is no sample of anybody's punctuality
 * (compare Lifeguard's local health: Dadgar, Phillips and Currey, 2018).
 */
final class Monitor {
  /** What a peer has at least after a stall, besides its interval. */
  private static final long SLACK_NANOS = 100_000_000;

  /** A heartbeat may be overtaken by so many. */
  private static final long SEQUENCE_SLACK = 8;

  private final Watch watch;
  private final Stalls stalls;
  private final Voice voice;
  private final Inquiry inquiry;
  private final SelfProbe selfProbe;
  private final Questions questions;
  private String algorithm;
  private boolean isOver;

  /**
   * A node that knows nobody yet.
   *
   * @param incarnation larger than in this node's earlier lives, 1 or more
   * @param stallNanos a time for which this node did not run counts if it is longer
   */
  Monitor(
      NodeId self,
      long incarnation,
      DetectionGoal goal,
      long stallNanos,
      String algorithm,
      Detector detector,
      Outlet outlet,
      RandomGenerator random,
      long now) {
    this.algorithm = algorithm;
    this.watch = new Watch(self, goal, stallNanos, detector, outlet, random, now);
    this.stalls = new Stalls(watch, outlet.millis());
    this.voice = new Voice(watch, stalls, incarnation);
    // Answers to questions of an earlier life mean nothing.
    this.questions = new Questions(incarnation << 20);
    this.inquiry = new Inquiry(watch, voice, questions);
    this.selfProbe = new SelfProbe(watch, voice, questions);
    detector.peers(new TreeSet<>(), now);
  }

  // ---- what happens to this node -------------------------------------------------------------

  /** These are the members from now on, with this node or without. */
  void members(SortedSet<NodeId> members, long time) {
    advance(time);
    SortedSet<NodeId> others = new TreeSet<>(members);
    others.remove(watch.self);
    if (others.equals(watch.peers.keySet())) {
      return;
    }
    for (Peer peer : List.copyOf(watch.peers.values())) {
      if (!others.contains(peer.id)) {
        watch.verdicts.forget(peer);
        watch.peers.remove(peer.id);
      }
    }
    List<Peer> added = new ArrayList<>();
    for (NodeId id : others) {
      if (!watch.peers.containsKey(id)) {
        added.add(new Peer(id, watch.now, watch.outlet.millis()));
      }
    }
    added.forEach(peer -> watch.peers.put(peer.id, peer));
    watch.detector.peers(others, watch.now);
    added.forEach(voice::greet);
  }

  /** Other settings; for the goal to count, {@link #use} a detector that was opened for it. */
  void set(DetectionGoal goal, long stallNanos) {
    watch.goal = goal;
    watch.stallNanos = stallNanos;
  }

  /** Another way to judge; nobody's state changes by that. */
  void use(String name, Detector next, long time) {
    advance(time);
    next.peers(new TreeSet<>(watch.peers.keySet()), watch.now);
    teach(next);
    for (Peer peer : watch.peers.values()) {
      if (peer.isHeard && !peer.isSuspect()) {
        next.sign(peer.id, peer.heardNanos);
      }
      if (next.intervalNanos(peer.id) == 0) {
        // They end, and would be out of step when they begin again.
        peer.arrivals.clear();
      }
      // Whatever the next one makes of the past: it has to see for itself first.
      peer.floorNanos = Math.max(peer.floorNanos, watch.now + watch.goalNanos() / 2);
    }
    watch.detector = next;
    algorithm = name;
  }

  private void teach(Detector next) {
    record Heard(Peer peer, Arrivals.Arrival arrival) {}
    List<Heard> all = new ArrayList<>();
    watch.peers.values().forEach(peer -> peer.arrivals.forEach(it -> all.add(new Heard(peer, it))));
    all.sort(Comparator.comparingLong(it -> it.arrival().nanos()));
    long first = all.isEmpty() ? watch.now : all.get(0).arrival().nanos();
    for (Peer peer : watch.peers.values()) {
      if (peer.incarnation != 0) {
        next.restarted(peer.id, peer.incarnation, first);
      }
    }
    for (Heard it : all) {
      Arrivals.Arrival arrival = it.arrival();
      next.heartbeat(it.peer().id, arrival.sequence(), arrival.intervalNanos(), arrival.nanos());
    }
  }

  /** These parts of this node are not alive; the others are told at once. */
  void unwell(List<String> parts, long time) {
    advance(time);
    voice.unwell(parts);
  }

  /** The view with this number is current. */
  void view(long number) {
    watch.verdicts.view = number;
  }

  /** Says that this node's life ends; from then on it says nothing, and hears nothing. */
  void goodbye(long time) {
    advance(time);
    watch.peers.keySet().forEach(id -> voice.send(id, new Signal.Goodbye()));
    isOver = true;
    voice.end();
  }

  /**
   * Others accept this incarnation of this node at least: its clock went back since its last life,
   * or they saw the present one go.
   */
  void rise(long least, long time) {
    advance(time);
    rise(least);
  }

  private void rise(long least) {
    if (voice.rise(least)) {
      watch.detector.risen(least, watch.now);
    }
  }

  // ---- what the network tells ----------------------------------------------------------------

  /** The connection to a peer is there. */
  void connected(NodeId id, long time) {
    advance(time);
    Peer peer = watch.peers.get(id);
    if (peer != null) {
      peer.isConnected = true;
      voice.greet(peer);
    }
  }

  /** It is gone, which may mean anything. */
  void disconnected(NodeId id, long time) {
    advance(time);
    Peer peer = watch.peers.get(id);
    if (peer != null) {
      peer.isConnected = false;
      peer.disconnectedNanos = watch.now;
    }
  }

  /**
   * Nobody listens at a peer's address. If the connection broke and nothing came since, its process
   * has ended; one that still speaks by another connection has not.
   */
  void refused(NodeId id, long time) {
    advance(time);
    Peer peer = watch.peers.get(id);
    if (peer != null
        && peer.isHeard
        && !peer.isConnected
        && !peer.isSuspect()
        && peer.signalNanos <= peer.disconnectedNanos) {
      peer.askAgainNanos = watch.now + watch.againNanos();
      String detail = "its connection broke and nobody listens at its address";
      watch.verdicts.suspect(peer, Evidence.REFUSED, detail, watch.now);
    }
  }

  /** A signal came in. */
  void received(NodeId from, Signal signal, long time) {
    advance(time);
    if (from.equals(watch.self)) {
      returned(signal.body());
      return;
    }
    Peer peer = watch.peers.get(from);
    if (peer == null || isOver) {
      return;
    }
    Head head = signal.head();
    rise(head.accepts());
    if (head.incarnation() < peer.accepts()) {
      voice.correct(peer);
      return;
    }
    if (head.incarnation() > peer.incarnation) {
      watch.restart(peer, head.incarnation());
      voice.greet(peer);
    }
    peer.isDegraded = head.isDegraded();
    peer.isDeaf = head.isDeaf();
    peer.unwell = head.unwell();
    voice.keep(peer, head.wantedMillis() * 1_000_000);
    if (signal.body() instanceof Signal.Goodbye) {
      peer.isGone = true;
      peer.isAsked = false;
      watch.verdicts.suspect(peer, Evidence.GOODBYE, "it said that it stops", watch.now);
    } else {
      heard(peer, signal.body());
      take(peer, signal.body());
    }
  }

  private void heard(Peer peer, Body body) {
    peer.isHeard = true;
    peer.heardNanos = watch.now;
    peer.stalledNanos = 0;
    peer.signalNanos = watch.now;
    peer.isAsked = false;
    if (!(body instanceof Signal.Heartbeat beat) || !sampled(peer, beat)) {
      watch.detector.sign(peer.id, watch.now);
    }
    if (!peer.unwell.isEmpty()) {
      String detail = "it says itself that it is not well: " + String.join(", ", peer.unwell);
      watch.verdicts.suspect(peer, Evidence.UNWELL, detail, watch.now);
    } else if (peer.state != State.ALIVE) {
      watch.verdicts.trust(peer, Evidence.HEARD, "", watch.now);
    }
  }

  /** Whether the heartbeat says something about the peer's punctuality. */
  private boolean sampled(Peer peer, Signal.Heartbeat beat) {
    boolean isDraining = selfProbe.isDraining();
    if (beat.echo() != 0 && !isDraining) {
      peer.quality.roundTrip(Math.max(0, watch.now + 1 - beat.echo() - beat.heldNanos()));
    }
    peer.stamp = beat.stamp();
    peer.stampNanos = watch.now;
    if (beat.intervalMillis() > 0 && beat.sequence() < peer.lastSequence - SEQUENCE_SLACK) {
      // It had forgotten this node, and counts anew.
      peer.lastSequence = 0;
      peer.arrivals.clear();
      watch.detector.restarted(peer.id, peer.incarnation, watch.now);
    }
    if (beat.intervalMillis() == 0 || beat.sequence() <= peer.lastSequence) {
      return false;
    }
    long missing = peer.lastSequence == 0 ? 0 : beat.sequence() - peer.lastSequence - 1;
    peer.lastSequence = beat.sequence();
    // What a node that stood still did not send is not lost on the way.
    peer.quality.heartbeat(peer.isDegraded ? 0 : missing);
    long interval = beat.intervalMillis() * 1_000_000;
    long late = watch.now - peer.beatNanos - (missing + 1) * interval;
    peer.beatNanos = watch.now;
    if (isDraining) {
      return false;
    }
    if (peer.arrivals.size() > 0 && late > watch.goalNanos() / 2) {
      // Its clock stood still, or it sent none for a while: what was learnt is out of step.
      peer.arrivals.clear();
      watch.detector.restarted(peer.id, peer.incarnation, watch.now);
    }
    peer.arrivals.add(beat.sequence(), interval, watch.now);
    watch.detector.heartbeat(peer.id, beat.sequence(), interval, watch.now);
    return true;
  }

  private void take(Peer peer, Body body) {
    if (body instanceof Signal.Heartbeat) {
      return; // All that it says was taken.
    } else if (body instanceof Signal.Ping it) {
      if (it.gossip().length > 0) {
        watch.detector.gossip(peer.id, it.gossip(), watch.now, inquiry);
      }
      voice.send(peer.id, new Signal.Pong(it.token(), watch.detector.gossipFor(peer.id)));
    } else if (body instanceof Signal.Pong it) {
      inquiry.answered(peer, it);
    } else if (body instanceof Signal.PingRequest it) {
      inquiry.relay(peer, it);
    } else if (body instanceof Signal.Relayed it) {
      inquiry.relayed(peer, it);
    } else if (body instanceof Signal.Gossip it) {
      watch.detector.gossip(peer.id, it.gossip(), watch.now, inquiry);
    } else {
      throw new AssertionError("cannot take " + body.getClass());
    }
  }

  // ---- time ----------------------------------------------------------------------------------

  /** To be called when {@link #wakeAt} says; does all that is due. */
  void tick(long time) {
    advance(time);
    if (isOver) {
      return;
    }
    selfProbe.tick();
    voice.tick();
    inquiry.tellLate();
    if (!selfProbe.isHeldUp()) {
      inquiry.tick();
      if (watch.detector.wakeAt() <= watch.now) {
        watch.detector.wake(watch.now, inquiry);
      }
    }
  }

  /** When {@link #tick} is due. */
  long wakeAt() {
    if (isOver) {
      return Long.MAX_VALUE;
    }
    long at = Math.min(watch.now + Stalls.TICK_NANOS, voice.wakeAt());
    if (!selfProbe.isHeldUp()) {
      at = Math.min(at, watch.detector.wakeAt());
    }
    return Math.max(watch.now, at);
  }

  private void advance(long time) {
    watch.now = Math.max(watch.now, time);
    if (stalls.tick(watch.outlet.millis())) {
      excuse(stalls.stallNanos());
      selfProbe.drain();
    }
  }

  private void returned(Body body) {
    long heldUp = body instanceof Signal.Ping it ? selfProbe.returned(it.token()) : 0;
    if (heldUp > 0) {
      stalls.heldUp(heldUp, watch.outlet.millis());
      excuse(heldUp);
    }
  }

  /**
   * Nobody is to blame for the time that this node stood still, until now. Each peer has the time
   * back, and a moment to be heard; but that moment only once in one silence, or a node that stands
   * still again and again would never suspect anybody.
   */
  private void excuse(long stall) {
    for (Peer peer : watch.peers.values()) {
      long deadline = Math.max(watch.detector.doubtAt(peer.id), peer.floorNanos);
      long remaining = deadline - (watch.now - stall);
      long least = watch.detector.intervalNanos(peer.id) + SLACK_NANOS;
      long shift = Math.min(watch.goalNanos(), Math.max(remaining, least));
      peer.stalledNanos += stall;
      long latest = peer.heardNanos + watch.goalNanos() + peer.stalledNanos + least;
      peer.floorNanos = Math.max(peer.floorNanos, Math.min(watch.now + shift, latest));
      peer.answerByNanos += stall;
    }
    questions.extend(stall);
    watch.detector.stalled(stall, watch.now);
  }

  // ---- what is known -------------------------------------------------------------------------

  /** What every peer is taken for. */
  SortedMap<NodeId, Suspicion> suspicions() {
    SortedMap<NodeId, Suspicion> all = new TreeMap<>();
    watch.peers.values().forEach(peer -> all.put(peer.id, Findings.suspicion(watch, peer)));
    return all;
  }

  /** How well each peer is judged. */
  SortedMap<NodeId, QosReport> qualities() {
    SortedMap<NodeId, QosReport> all = new TreeMap<>();
    watch.peers.values().forEach(peer -> all.put(peer.id, Findings.quality(watch, peer)));
    return all;
  }

  /** What this node knows of itself. */
  SelfReport self() {
    return new SelfReport(
        voice.incarnation(),
        algorithm,
        stalls.count(),
        stalls.totalNanos() / 1_000_000,
        stalls.longestNanos() / 1_000_000,
        stalls.lastStallMillis(),
        stalls.isDegraded(),
        voice.unwell());
  }
}
