// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Join;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Stay;
import io.clowder.replication.ConfigCommand.Switchover;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Whom a primary has to reckon with: the largest in-sync set that may be in force, whatever becomes
 * of what it has asked for (as Kafka's maximal ISR). Asks for changes: who lags is to leave, who
 * has caught up is to join.
 *
 * <p>The place is given to another in three steps. First no backup is let answer reads any more,
 * while all else goes on. When no such lease is in force, the primary itself stops. When all is
 * committed, it asks for the other to be elected, <em>released</em>: that one need not wait, for
 * nobody answers anything in this epoch. If that takes too long, the primary asks to stay;
 * whichever of the two consensus decides on first makes the other void.
 */
final class Roster {
  /**
   * How long handing over may take before the primary asks to stay, and an answer of consensus
   * before there is none to come, in retries.
   */
  private static final int PATIENCE = 20;

  /** With so few records missing a learner is waited for. */
  private static final int CLOSE_RECORDS = 1_024;

  private enum Handing {
    NOTHING,
    DRAINING,
    STOPPED,
    PROPOSED
  }

  private final Self self;
  private final Map<ReplicaId, Peer> peers;
  private final Set<ReplicaId> joining = new HashSet<>();
  private final Set<ReplicaId> leaving = new HashSet<>();

  /** Learners that have nearly all: from here on they are waited for, so that they get the rest. */
  private final Set<ReplicaId> closing = new HashSet<>();

  /** Since when consensus has been asked to let go of somebody, and has not answered. */
  private long unansweredAt;

  private final SortedSet<ReplicaId> others = new TreeSet<>();
  private final long opening;
  private final long serveAt;
  private SortedSet<NodeId> suspects = new TreeSet<>();
  private StoreConfig config;
  private long askedAt = Long.MIN_VALUE / 2;
  private Handing handing = Handing.NOTHING;
  private @Nullable Peer heir;
  private long heirAt;
  private long persisted;
  private long persistedAt;

  Roster(Self self, StoreConfig config, Map<ReplicaId, Peer> peers, long serveAt) {
    this.self = self;
    this.serveAt = serveAt;
    this.peers = peers;
    this.opening = self.ledger.log.end() + 1;
    this.config = config;
    this.persistedAt = self.now;
    count();
  }

  /** What was asked of the former configuration has been granted by now, or never will be. */
  void configured(StoreConfig next) {
    config = next;
    joining.clear();
    leaving.clear();
    closing.clear();
    askedAt = Long.MIN_VALUE / 2;
    Peer to = heir;
    if (to == null || isOverdue() || !next.insync().contains(to.id) || !peers.containsKey(to.id)) {
      heir = null;
      handing = Handing.NOTHING;
    } else if (handing == Handing.PROPOSED) {
      handing = Handing.STOPPED; // What was proposed is void by now.
    }
    count();
  }

  private boolean isOverdue() {
    return self.now - heirAt > PATIENCE * self.timing.retry();
  }

  private void count() {
    others.clear();
    others.addAll(config.insync());
    others.addAll(joining);
    others.remove(self.id);
  }

  /** Whom the failure detector suspects now. */
  void suspects(SortedSet<NodeId> nodes) {
    suspects = nodes;
    review();
  }

  /** The others who are in sync, or may be. */
  SortedSet<ReplicaId> others() {
    return others;
  }

  /** Whether nothing is committed without a replica. */
  boolean isRequired(ReplicaId id) {
    return others.contains(id) || closing.contains(id);
  }

  /** Whether a backup may be let answer reads: it is certainly in sync, and to stay so. */
  boolean isToRead(ReplicaId id) {
    return handing == Handing.NOTHING && config.insync().contains(id) && !leaving.contains(id);
  }

  /** Whether the primary takes and answers nothing, as another may be the primary already. */
  boolean isStopped() {
    return handing == Handing.STOPPED || handing == Handing.PROPOSED;
  }

  /** Whether writes wait for somebody whom consensus would have to let go of, and has not, long. */
  boolean isUnanswered() {
    return !leaving.isEmpty() && self.now - unansweredAt > PATIENCE * self.timing.retry();
  }

  /** This process stood still: what the others said meanwhile has yet to be read. */
  void stoodStill() {
    unansweredAt = self.now;
  }

  boolean handOver(Peer to) {
    if (heir != null || to.life == 0 || !config.insync().contains(to.id)) {
      return false;
    }
    heir = to;
    heirAt = self.now;
    handing = Handing.DRAINING;
    return true;
  }

  /** Asks for what is due. */
  void review() {
    drain();
    peers.values().forEach(this::close);
    if (self.now - askedAt < self.timing.retry()) {
      return;
    }
    for (Peer peer : peers.values()) {
      if (leaving.contains(peer.id) || (others.contains(peer.id) && isLate(peer))) {
        if (leaving.isEmpty()) {
          unansweredAt = self.now;
        }
        leaving.add(peer.id);
        propose(new Remove(At.of(config), self.id, self.life, peer.id));
        return;
      }
    }
    for (Peer peer : peers.values()) {
      if (joining.contains(peer.id) || (!others.contains(peer.id) && hasCaughtUp(peer))) {
        closing.remove(peer.id);
        joining.add(peer.id);
        count();
        propose(new Join(At.of(config), self.id, self.life, peer.id));
        return;
      }
    }
    yieldIfDiskHangs();
  }

  /** Makes no progress, or is suspected and has not been heard of lately. */
  private boolean isLate(Peer peer) {
    return self.now - peer.progressAt > self.timing.lag()
        || (suspects.contains(peer.id.node()) && self.now - peer.heard > self.timing.relied());
  }

  /**
   * Under load a learner never has all that is committed, as more is by the time that it says so;
   * unless nothing is committed without it. It is let go if it does not keep up after all.
   */
  private void close(Peer peer) {
    long end = self.ledger.log.end();
    boolean isClose =
        !others.contains(peer.id)
            && peer.acked >= opening
            && end - peer.acked <= CLOSE_RECORDS
            && !suspects.contains(peer.id.node())
            && self.now - peer.promised < self.timing.relied();
    if (isClose && peer.acked < end) {
      closing.add(peer.id);
    } else if (closing.contains(peer.id) && isLate(peer)) {
      closing.remove(peer.id);
    }
  }

  private void drain() {
    Peer to = heir;
    if (to == null) {
      return;
    }
    boolean isLate = isOverdue();
    if (isLate && handing != Handing.PROPOSED) {
      heir = null;
      handing = Handing.NOTHING;
      return;
    }
    if (handing == Handing.DRAINING && self.granted.keySet().stream().noneMatch(self::mayRead)) {
      handing = Handing.STOPPED;
    }
    boolean isDone = isStopped() && self.ledger.commit() == self.ledger.log.end();
    if (isDone && self.now - askedAt >= self.timing.retry()) {
      handing = Handing.PROPOSED;
      propose(
          isLate
              ? new Stay(At.of(config), self.id, self.life)
              : new Switchover(At.of(config), self.id, self.life, to.id, to.life, true));
    }
  }

  /** What is not on the own disk is not committed: another one has to be the primary. */
  private void yieldIfDiskHangs() {
    if (self.ledger.persisted() != persisted || self.ledger.persisted() == self.ledger.log.end()) {
      persisted = self.ledger.persisted();
      persistedAt = self.now;
    }
    if (self.now - persistedAt <= self.timing.lag() || heir != null) {
      return;
    }
    peers.values().stream()
        .filter(it -> it.life != 0 && config.insync().contains(it.id) && !isLate(it))
        .max(Comparator.comparingLong(it -> it.acked))
        .ifPresent(
            it ->
                propose(new Switchover(At.of(config), self.id, self.life, it.id, it.life, false)));
  }

  /**
   * Whether a learner has all that is committed, and could be the next primary. Whoever is elected
   * waits for the leases that its own promise allowed. A learner's promise had no part in those of
   * a former epoch, so they must have ended; and it must be fresh, so that those that were granted
   * until now end before the learner would serve. Nor may this replica fall back, by a restart, to
   * an epoch in which it would promise again: the opening of this one is on its disk.
   */
  private boolean hasCaughtUp(Peer peer) {
    return peer.acked >= Math.max(opening, self.ledger.commit())
        && self.ledger.persisted() >= opening
        && self.now > serveAt
        && !suspects.contains(peer.id.node())
        && self.now - peer.promised < self.timing.relied();
  }

  private void propose(ConfigCommand command) {
    askedAt = self.now;
    self.outlet.propose(command);
  }
}
