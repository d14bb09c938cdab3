// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector.Probes;
import io.clowder.api.failure.Evidence;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * Who is alive, suspected, dead, by own probes and by rumour (SWIM, section 4.2). Verdicts wait
 * until somebody is there to take them, for signs of life come in without.
 *
 * <p>A rumour never adds a member, and it is not believed if it cannot be refuted: about a node
 * that runs another algorithm, about one that has just come and was not probed yet, about one that
 * has given a sign of life since. Such a node is probed next instead.
 */
final class SwimTable {
  private final NodeId self;
  private final SwimSettings settings;
  private final LifeguardHealth health;
  private final SwimRing ring;
  private final GossipQueue queue;
  private final Map<NodeId, SwimPeer> peers = new HashMap<>();
  private final List<SwimPeer> suspected = new ArrayList<>();
  private final Queue<Verdict> verdicts = new ArrayDeque<>();
  private SwimIncarnation incarnation;
  private int dead;

  SwimTable(
      NodeId self,
      long life,
      SwimSettings settings,
      LifeguardHealth health,
      SwimRing ring,
      GossipQueue queue) {
    this.self = self;
    this.incarnation = new SwimIncarnation(life, 0);
    this.settings = settings;
    this.health = health;
    this.ring = ring;
    this.queue = queue;
  }

  /** This node's own. */
  SwimIncarnation incarnation() {
    return incarnation;
  }

  /** Those that are not dead, this node among them. */
  int members() {
    return peers.size() + 1 - dead;
  }

  /** This node has another life from now on. */
  void risen(long life) {
    incarnation = new SwimIncarnation(life, 0);
    queue.add(SwimClaim.alive(self, incarnation), true);
  }

  @Nullable SwimPeer peer(NodeId node) {
    return peers.get(node);
  }

  void peers(SortedSet<NodeId> nodes, long nanos) {
    Set<SwimPeer> gone = new HashSet<>();
    for (SwimPeer peer : peers.values()) {
      if (!nodes.contains(peer.id)) {
        gone.add(peer);
      }
    }
    for (SwimPeer peer : gone) {
      revive(peer);
      peers.remove(peer.id);
      queue.forget(peer.id);
      verdicts.removeIf(verdict -> verdict.peer == peer);
    }
    ring.removeAll(gone);
    for (NodeId node : nodes) {
      if (!node.equals(self) && !peers.containsKey(node)) {
        SwimPeer peer = new SwimPeer(node, nanos);
        peers.put(node, peer);
        ring.add(peer);
      }
    }
  }

  /** A sign of life, first hand. */
  void heard(SwimPeer peer, Evidence evidence, long nanos) {
    peer.isKnown = true;
    if (settings.isTrusting() && !peer.isAlive()) {
      peer.outlived = peer.incarnation;
      peer.outlivedUntil = nanos + settings.suspicionNanosMin(members());
      trust(peer, evidence, nanos);
    }
  }

  /** It is alive with this incarnation, by its own word that came first hand. */
  void heard(SwimPeer peer, SwimIncarnation its, long nanos) {
    // A refutation too: its claim, in the same message, is none any more once this has been noted.
    boolean isNews = !peer.isAlive() || its.refutations() > 0;
    peer.isMute = false;
    peer.hasSpoken = true;
    heard(peer, Evidence.HEARD, nanos);
    if (its.isAfter(peer.incarnation)) {
      peer.incarnation = its;
      trust(peer, Evidence.HEARD, nanos);
      if (isNews) {
        queue.add(SwimClaim.alive(peer.id, its), true);
      }
    }
  }

  /** A new life of it has begun. */
  void restarted(SwimPeer peer, long life, long nanos) {
    if (life > peer.incarnation.life()) {
      peer.incarnation = new SwimIncarnation(life, 0);
      peer.isMute = false;
      peer.hasSpoken = false;
      peer.isKnown = false;
      peer.sinceNanos = nanos;
      peer.outlivedUntil = Long.MIN_VALUE;
      revive(peer);
      verdicts.removeIf(verdict -> verdict.peer == peer);
    }
  }

  /** What somebody says. */
  void claim(SwimClaim claim, long nanos) {
    if (claim.node().equals(self)) {
      refute(claim);
      return;
    }
    SwimPeer peer = peers.get(claim.node());
    if (peer == null) {
      return;
    }
    boolean isOld = peer.incarnation.isAfter(claim.incarnation());
    if (claim.kind() == SwimClaim.Kind.ALIVE) {
      if (claim.incarnation().isAfter(peer.incarnation)) {
        peer.incarnation = claim.incarnation();
        if (peer.suspicion != null && peer.suspicion.accusers().contains(self)) {
          ring.hurry(peer); // The refutation may be older than what this node has found out.
        }
        trust(peer, Evidence.HEARSAY, nanos);
        queue.add(claim, true);
      }
    } else if (isOld && peer.isAlive() && !queue.contains(peer.id)) {
      // The refutation has not reached the source, nor perhaps those whom the source tells.
      queue.add(SwimClaim.alive(peer.id, peer.incarnation), false);
    } else if (!isOld && !peer.isDead) {
      accused(peer, claim, nanos);
    }
  }

  private void accused(SwimPeer peer, SwimClaim claim, long nanos) {
    boolean isSuspicion = claim.kind() == SwimClaim.Kind.SUSPECT;
    if (!(isSuspicion && peer.suspicion != null) && !isCredible(peer, claim, nanos)) {
      peer.rumour = claim;
      ring.hurry(peer);
    } else if (isSuspicion) {
      suspect(peer, claim, nanos);
    } else {
      peer.incarnation = claim.incarnation();
      die(peer, claim, true, Evidence.HEARSAY, "declared failed by " + claim.source(), nanos);
    }
  }

  /** A probe of this node's failed. */
  void accuse(SwimPeer peer, long nanos) {
    peer.isKnown = true;
    peer.outlivedUntil = Long.MIN_VALUE;
    if (!peer.isDead) {
      suspect(peer, accusation(peer), nanos);
      if (!peer.hasSpoken) {
        ring.hurry(peer); // Perhaps it cannot refute: its chance is the next probe.
      }
    }
  }

  /** What the peer is to hear about itself first of all; null if there is nothing. */
  @Nullable SwimClaim accusation(NodeId node) {
    SwimPeer peer = peers.get(node);
    if (peer == null) {
      return null;
    }
    SwimClaim rumour = peer.rumour;
    peer.rumour = null;
    if (peer.isAlive()) {
      return rumour;
    }
    return peer.isDead || settings.isBuddy() ? accusation(peer) : null;
  }

  /** Those that this node itself suspects: who accuses somebody tells it (Lifeguard, IV-C). */
  List<NodeId> accused() {
    List<NodeId> accused = new ArrayList<>();
    for (SwimPeer peer : suspected) {
      if (settings.isBuddy() && suspicion(peer).accusers().contains(self)) {
        accused.add(peer.id);
      }
    }
    return accused;
  }

  /** Says how well this node is. */
  void worsen(int by) {
    health.worsen(by, settings.healthMax(members()));
  }

  /** The first deadline of a suspicion, or the time of a verdict that waits. */
  long wakeAt() {
    long at = Long.MAX_VALUE;
    for (Verdict verdict : verdicts) {
      at = Math.min(at, verdict.nanos);
    }
    int members = members();
    for (int i = 0; i < suspected.size(); i++) {
      at = Math.min(at, suspicion(suspected.get(i)).deadline(settings, members));
    }
    return at;
  }

  /** Declares dead whose suspicion has timed out. */
  void expire(long nanos) {
    for (int i = suspected.size() - 1; i >= 0; i--) {
      SwimPeer peer = suspected.get(i);
      SwimSuspicion suspicion = suspicion(peer);
      if (suspicion.deadline(settings, members()) <= nanos) {
        List<NodeId> accusers = suspicion.accusers();
        boolean isOwn = accusers.contains(self);
        die(
            peer,
            new SwimClaim(SwimClaim.Kind.DEAD, peer.id, peer.incarnation, self),
            isOwn,
            isOwn ? Evidence.SILENCE : Evidence.HEARSAY,
            "no answer to " + accusers + ", and no refutation",
            nanos);
      }
    }
  }

  void shift(long stallNanos, long floor) {
    for (SwimPeer peer : suspected) {
      suspicion(peer).shift(stallNanos, floor);
    }
    for (SwimPeer peer : peers.values()) {
      if (!peer.isKnown) {
        peer.sinceNanos += stallNanos;
      }
    }
  }

  /** Speaks the verdicts that wait. */
  void flush(Probes out) {
    for (Verdict next = verdicts.poll(); next != null; next = verdicts.poll()) {
      if (next.isDead) {
        out.suspect(next.peer.id, next.evidence, next.detail);
      } else {
        out.trust(next.peer.id, next.evidence);
      }
    }
  }

  private void refute(SwimClaim claim) {
    if (claim.kind() == SwimClaim.Kind.ALIVE || claim.incarnation().life() > incarnation.life()) {
      return;
    }
    if (!incarnation.isAfter(claim.incarnation())) {
      incarnation = new SwimIncarnation(incarnation.life(), claim.incarnation().refutations() + 1);
      worsen(1);
    }
    // Again, if it was refuted already: there are some who have missed it.
    queue.add(SwimClaim.alive(self, incarnation), true);
  }

  /** The moments of a joiner: as long as its first probe takes that is made at once. */
  private boolean isCredible(SwimPeer peer, SwimClaim claim, long nanos) {
    long grace = settings.periodNanos() + settings.roundNanos();
    return !peer.isMute
        && (peer.isKnown || nanos - peer.sinceNanos > grace)
        && (nanos >= peer.outlivedUntil || claim.incarnation().isAfter(peer.outlived));
  }

  private void suspect(SwimPeer peer, SwimClaim claim, long nanos) {
    SwimSuspicion running = peer.suspicion;
    if (running != null && claim.incarnation().equals(peer.incarnation)) {
      if (running.confirm(claim.source(), settings.confirmations())) {
        queue.add(claim, claim.source().equals(self));
      }
      return;
    }
    revive(peer);
    peer.incarnation = claim.incarnation();
    peer.suspicion = new SwimSuspicion(claim.source(), nanos);
    suspected.add(peer);
    queue.add(claim, true);
  }

  /** Where it is no news, all that heard of the suspicion come to the same end by themselves. */
  private void die(
      SwimPeer peer,
      SwimClaim claim,
      boolean isNews,
      Evidence evidence,
      String detail,
      long nanos) {
    revive(peer);
    peer.isDead = true;
    dead++;
    queue.add(claim, isNews);
    verdicts.add(new Verdict(peer, true, evidence, detail, nanos));
  }

  private void trust(SwimPeer peer, Evidence evidence, long nanos) {
    if (peer.isDead) {
      verdicts.add(new Verdict(peer, false, evidence, "", nanos));
    }
    revive(peer);
  }

  private void revive(SwimPeer peer) {
    if (peer.suspicion != null) {
      peer.suspicion = null;
      suspected.remove(peer);
    }
    if (peer.isDead) {
      peer.isDead = false;
      dead--;
    }
  }

  private SwimClaim accusation(SwimPeer peer) {
    SwimClaim.Kind kind = peer.isDead ? SwimClaim.Kind.DEAD : SwimClaim.Kind.SUSPECT;
    return new SwimClaim(kind, peer.id, peer.incarnation, self);
  }

  private static SwimSuspicion suspicion(SwimPeer peer) {
    SwimSuspicion suspicion = peer.suspicion;
    if (suspicion == null) {
      throw new AssertionError(peer + " is among the suspects");
    }
    return suspicion;
  }

  /** A verdict that waits. */
  private record Verdict(
      SwimPeer peer, boolean isDead, Evidence evidence, String detail, long nanos) {}
}
