// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Join;
import io.clowder.replication.ConfigCommand.Remove;
import io.clowder.replication.ConfigCommand.Switchover;
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
 */
final class Roster {
  /** How long a handing over may take before writes are accepted again, in retries. */
  private static final int PATIENCE = 20;

  private final Self self;
  private final Map<ReplicaId, Peer> peers;
  private final Set<ReplicaId> joining = new HashSet<>();
  private final Set<ReplicaId> leaving = new HashSet<>();
  private final SortedSet<ReplicaId> others = new TreeSet<>();
  private final long opening;
  private final long serveAt;
  private StoreConfig config;
  private long askedAt = Long.MIN_VALUE / 2;
  private @Nullable Peer heir;
  private long heirAt;

  Roster(Self self, StoreConfig config, Map<ReplicaId, Peer> peers, long serveAt) {
    this.self = self;
    this.serveAt = serveAt;
    this.peers = peers;
    this.opening = self.ledger.log.end() + 1;
    this.config = config;
    count();
  }

  /** What was asked of the former configuration has been granted by now, or never will be. */
  void configured(StoreConfig next) {
    config = next;
    joining.clear();
    leaving.clear();
    askedAt = Long.MIN_VALUE / 2;
    count();
  }

  private void count() {
    others.clear();
    others.addAll(config.insync());
    others.addAll(joining);
    others.remove(self.id);
  }

  /** The others who are in sync, or may be. */
  SortedSet<ReplicaId> others() {
    return others;
  }

  /** Whether nothing is committed without a replica. */
  boolean isRequired(ReplicaId id) {
    return others.contains(id);
  }

  /** Whether a backup may be let answer reads: it is certainly in sync, and to stay so. */
  boolean isToRead(ReplicaId id) {
    return config.insync().contains(id) && !leaving.contains(id);
  }

  boolean isHandingOver() {
    return heir != null;
  }

  boolean handOver(Peer to) {
    if (heir != null || to.life == 0 || !config.insync().contains(to.id)) {
      return false;
    }
    heir = to;
    heirAt = self.now;
    return true;
  }

  /** Asks for what is due. */
  void review() {
    if (heir != null && self.now - heirAt > PATIENCE * self.timing.retry()) {
      heir = null; // It may be the primary yet, if what was asked for is late.
    }
    if (self.now - askedAt < self.timing.retry()) {
      return;
    }
    for (Peer peer : peers.values()) {
      boolean lags = isRequired(peer.id) && self.now - peer.progressAt > self.timing.lag();
      if (lags || leaving.contains(peer.id)) {
        leaving.add(peer.id);
        propose(new Remove(At.of(config), self.id, self.life, peer.id));
        return;
      }
    }
    for (Peer peer : peers.values()) {
      if (joining.contains(peer.id) || (!isRequired(peer.id) && hasCaughtUp(peer))) {
        joining.add(peer.id);
        count();
        propose(new Join(At.of(config), self.id, self.life, peer.id));
        return;
      }
    }
    if (heir != null && self.ledger.commit() == self.ledger.log.end()) {
      propose(new Switchover(At.of(config), self.id, self.life, heir.id, heir.life));
    }
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
        && self.now - peer.promised < self.timing.relied();
  }

  private void propose(ConfigCommand command) {
    askedAt = self.now;
    self.outlet.propose(command);
  }
}
