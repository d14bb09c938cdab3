// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.Detector;
import io.clowder.api.failure.Evidence;
import io.clowder.api.wire.WireFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.random.RandomGenerator;

/**
 * SWIM (Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group
 * Membership Protocol", DSN 2002) with Lifeguard (Dadgar, Phillips and Currey, "Lifeguard: Local
 * Health Awareness for More Accurate Failure Detection", DSN 2018): each node probes one other in a
 * period, and what it finds out goes round by gossip, on the probes and in rounds of its own as
 * memberlist has them. The cost does not grow with the cluster.
 *
 * <p>Unlike there, the membership comes from outside; SWIM's suspicion stays inside, and what was
 * declared failed is what others see as a suspect. A time in which this node did not run counts for
 * nobody's silence, and every sign of life counts, so that it works among nodes that run something
 * else and answer without gossip.
 */
final class Swim implements Detector {
  private final SwimSettings settings;
  private final RandomGenerator random;
  private final LifeguardHealth health;
  private final SwimRing ring;
  private final GossipQueue queue = new GossipQueue();
  private final SwimTable table;
  private final SwimProber prober;
  private long gossipAt = Long.MAX_VALUE;

  Swim(NodeId self, long incarnation, SwimSettings settings, RandomGenerator random) {
    this.settings = settings;
    this.random = random;
    this.health = new LifeguardHealth();
    this.ring = new SwimRing(random);
    this.table = new SwimTable(self, incarnation, settings, health, ring, queue);
    this.prober = new SwimProber(settings, health, table, ring, this::gossipFor, random);
  }

  @Override
  public void peers(SortedSet<NodeId> peers, long nanos) {
    table.peers(peers, nanos);
    prober.peers(nanos);
  }

  @Override
  public void heartbeat(NodeId peer, long sequence, long intervalNanos, long nanos) {
    sign(peer, nanos);
  }

  @Override
  public void sign(NodeId peer, long nanos) {
    SwimPeer known = table.peer(peer);
    if (known != null) {
      heard(known, Evidence.HEARD, nanos);
    }
  }

  @Override
  public void restarted(NodeId peer, long incarnation, long nanos) {
    SwimPeer known = table.peer(peer);
    if (known != null) {
      table.restarted(known, incarnation, nanos);
    }
  }

  @Override
  public void risen(long incarnation, long nanos) {
    table.risen(incarnation);
    appoint(nanos);
  }

  /** None: this algorithm asks. */
  @Override
  public long intervalNanos(NodeId peer) {
    return 0;
  }

  @Override
  public long doubtAt(NodeId peer) {
    return Long.MAX_VALUE;
  }

  /** 1 while it is suspected as SWIM means it, infinite when it was declared failed. */
  @Override
  public double level(NodeId peer, long nanos) {
    SwimPeer known = table.peer(peer);
    if (known == null || known.isAlive()) {
      return 0;
    }
    return known.isDead ? Double.POSITIVE_INFINITY : 1;
  }

  @Override
  public void stalled(long stallNanos, long nanos) {
    // What waits to be heard is heard first, however little time was left before the stall.
    long floor = nanos + settings.probeNanos();
    table.shift(stallNanos, floor);
    prober.shift(stallNanos, floor);
    table.worsen(1);
  }

  @Override
  public long wakeAt() {
    return Math.min(gossipAt, Math.min(table.wakeAt(), prober.wakeAt()));
  }

  @Override
  public void wake(long nanos, Probes out) {
    prober.wake(nanos, out);
    table.expire(nanos);
    table.flush(out);
    if (nanos >= gossipAt) {
      tell(out);
      gossipAt = queue.hasNews() ? nanos + settings.gossipNanos() : Long.MAX_VALUE;
    }
    appoint(nanos);
  }

  @Override
  public void answered(NodeId peer, long token, byte[] gossip, long nanos, Probes out) {
    SwimPeer known = table.peer(peer);
    if (known == null) {
      return;
    }
    Boolean isRelayed = prober.answered(known, token);
    if (gossip.length == 0 && isRelayed != null) {
      // Only an answer to a question that nobody else was asked is certainly its own.
      known.isMute |= !isRelayed;
    }
    boolean isOthers = gossip.length == 0 && isRelayed != null && isRelayed;
    heard(known, isOthers ? Evidence.RELAYED : Evidence.HEARD, nanos);
    hear(known, gossip, nanos);
    finish(nanos, out);
  }

  @Override
  public void notAnswered(NodeId relay, NodeId peer, long token, long nanos, Probes out) {
    SwimPeer known = table.peer(peer);
    if (known != null) {
      prober.notAnswered(known, token);
    }
    finish(nanos, out);
  }

  @Override
  public void gossip(NodeId from, byte[] gossip, long nanos, Probes out) {
    SwimPeer known = table.peer(from);
    if (known != null) {
      heard(known, Evidence.HEARD, nanos);
      hear(known, gossip, nanos);
      finish(nanos, out);
    }
  }

  @Override
  public byte[] gossipFor(NodeId to) {
    List<SwimClaim> claims = new ArrayList<>();
    SwimClaim accusation = table.accusation(to);
    if (accusation != null) {
      claims.add(accusation);
    }
    int left = SwimGossip.BYTES - SwimGossip.HEADER_BYTES - (claims.isEmpty() ? 0 : 192);
    queue.take(claims, left, settings.retransmissions(table.members()));
    return new SwimGossip(table.incarnation(), claims).encode();
  }

  /** Lifeguard's local health, from 0. */
  int health() {
    return health.score();
  }

  /** How often this node has refuted suspicions in this life. */
  long refutations() {
    return table.incarnation().refutations();
  }

  private void heard(SwimPeer peer, Evidence evidence, long nanos) {
    if (settings.isTrusting()) {
      prober.heard(peer);
    }
    table.heard(peer, evidence, nanos);
  }

  /** Who says what makes no sense here runs another algorithm, or another version. */
  private void hear(SwimPeer from, byte[] bytes, long nanos) {
    if (bytes.length == 0) {
      return;
    }
    SwimGossip gossip;
    try {
      gossip = SwimGossip.decode(bytes);
    } catch (WireFormatException e) {
      from.isMute = true;
      return;
    }
    table.heard(from, gossip.sender(), nanos);
    for (SwimClaim claim : gossip.claims()) {
      table.claim(claim, nanos);
    }
  }

  private void finish(long nanos, Probes out) {
    table.flush(out);
    appoint(nanos);
  }

  /** Rumours go round by themselves while there are any. */
  private void appoint(long nanos) {
    if (gossipAt == Long.MAX_VALUE && queue.hasNews()) {
      gossipAt = nanos + random.nextLong(settings.gossipNanos());
    }
  }

  private void tell(Probes out) {
    List<NodeId> told = new ArrayList<>(table.accused());
    for (SwimPeer peer : ring.draw(settings.fanOut(), peer -> !peer.isDead)) {
      told.add(peer.id);
    }
    for (NodeId peer : told) {
      if (!queue.hasNews()) {
        return;
      }
      out.tell(peer, gossipFor(peer));
    }
  }
}
