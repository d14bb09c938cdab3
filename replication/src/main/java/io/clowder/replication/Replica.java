// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.replication.ConfigCommand.Admit;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.ConfigCommand.Report;
import io.clowder.replication.ConfigCommand.Resign;
import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.AskCommit;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.ReplicaMessage.Stamps;
import io.clowder.replication.ReplicaMessage.TellCommit;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One copy of a store, in one life of its process: a pure state machine. One thread calls it, with
 * the time in nanoseconds of a clock that only rises, read when the event is taken up; all that it
 * does goes through its {@link Outlet}.
 *
 * <p>It is the primary when the configuration says that this very life is, and a {@link Backup}
 * otherwise. An epoch is entered by the configuration or by the first message of its primary, and
 * is never left for an earlier one: that of the log's last record counts, too.
 */
final class Replica {
  private final Self self;
  private @Nullable StoreConfig config;
  private long epoch;
  private @Nullable Primary primary;
  private Backup backup;
  private SortedSet<NodeId> suspects = new TreeSet<>();
  private long askedAt;

  /**
   * Begins a life.
   *
   * @param life another than that of any earlier life of any replica, and not 0
   * @param recovered what it found on its disk
   */
  Replica(ReplicaId id, long life, Timing timing, Recovered recovered, Outlet outlet, long now) {
    self = new Self(id, life, timing, new Ledger(recovered, outlet), outlet, now);
    epoch = self.ledger.log.lastEpoch();
    backup = new Backup(self, epoch);
    askedAt = now - timing.retry();
  }

  /** What it has. */
  Ledger ledger() {
    return self.ledger;
  }

  /** The configuration that it knows; null if it knows none yet. */
  @Nullable StoreConfig config() {
    return config;
  }

  /** Whether a forced promotion has undone what it may have: it must not be used any more. */
  boolean isVoid() {
    return config != null && config.voided().contains(self.id);
  }

  /** Whether it takes itself for the primary. */
  boolean isPrimary() {
    return primary != null;
  }

  // ---- configuration -------------------------------------------------------------------------

  /** Consensus has decided on a configuration; it may be told late, and again. */
  void configured(StoreConfig next, long now) {
    self.now = now;
    if (config != null && next.version() <= config.version()) {
      return;
    }
    config = next;
    enter(next.epoch());
    if (next.epoch() == epoch) {
      take(next);
    }
    askedAt = now - self.timing.retry();
    ask();
  }

  private void take(StoreConfig next) {
    boolean isMine = next.isServedBy(self.id, self.life);
    if (primary != null && isMine) {
      primary.configured(next);
    } else if (primary != null) {
      depose();
    } else if (isMine) {
      if (self.ledger.log.lastEpoch() >= epoch) {
        throw new AssertionError("elected for epoch " + epoch + ", in which there are records");
      }
      backup.end();
      primary = new Primary(self, next);
      primary.suspects(suspects);
    } else if (next.primary() != null && !self.id.equals(next.primary())) {
      backup.leader(next.primary());
      backup.isWithheld = suspects.contains(next.primary().node());
    }
  }

  private void enter(long next) {
    if (next > epoch) {
      epoch = next;
      depose();
      backup.end();
      backup = new Backup(self, epoch);
    }
  }

  private void depose() {
    if (primary != null) {
      primary.depose();
      primary = null;
    }
  }

  /** What consensus says when it was asked by {@link Outlet#confirmConfig}. */
  void confirmed(long token, StoreConfig present, long now) {
    self.now = now;
    if (primary != null) {
      primary.confirmed(token, present);
    }
  }

  /** Whom the failure detector suspects now. */
  void suspects(SortedSet<NodeId> nodes, long now) {
    self.now = now;
    suspects = new TreeSet<>(nodes);
    suspects.remove(self.id.node());
    if (primary != null) {
      primary.suspects(suspects);
    }
    ReplicaId leader = config == null ? null : config.primary();
    backup.isWithheld = leader != null && suspects.contains(leader.node());
    askedAt = now - self.timing.retry();
    ask();
  }

  /** Asks consensus for what this replica needs, again and again until it is another matter. */
  private void ask() {
    if (config == null || primary != null || self.now - askedAt < self.timing.retry()) {
      return;
    }
    ConfigCommand command = needed(config);
    if (command != null) {
      askedAt = self.now;
      self.outlet.propose(command);
    }
  }

  private @Nullable ConfigCommand needed(StoreConfig present) {
    ReplicaId leader = present.primary();
    if (!present.members().contains(self.id)) {
      boolean isWelcome = present.isFor(self.id.node()) && !present.voided().contains(self.id);
      return isWelcome ? new Admit(At.of(present), self.id) : null;
    } else if (self.id.equals(leader)) {
      return present.life() == self.life ? null : new Resign(At.of(present), self.id, self.life);
    } else if (present.isElectable(self.id)
        && (leader == null || suspects.contains(leader.node()) || backup.isUnheard())) {
      // Whoever suspects the primary waits for all in sync: also for one that is only cut off from
      // it, and that is told by others that it lives.
      OperationLog log = self.ledger.log;
      return new Report(At.of(present), self.id, self.life, log.lastEpoch(), log.end(), suspects);
    }
    return null;
  }

  /** Gives the primary's place to another, if this is the primary and that is in sync. */
  boolean handOver(ReplicaId to, long now) {
    self.now = now;
    return primary != null && primary.handOver(to);
  }

  /** As {@link Roster#isUnanswered}, if this is the primary. */
  boolean isUnanswered() {
    return primary != null && primary.isUnanswered();
  }

  /** How far the others are, if this is the primary; else nobody. */
  Collection<Peer> peers() {
    return primary == null ? List.of() : primary.peers();
  }

  // ---- clients -------------------------------------------------------------------------------

  /**
   * A client writes; the ticket is answered or refused once, now or later, unless this life ends.
   */
  void write(long ticket, RequestId request, Op op, long now) {
    self.now = now;
    if (primary != null) {
      primary.write(ticket, request, op);
    } else {
      self.outlet.refuse(ticket, Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN);
    }
  }

  /** A client reads. */
  void read(long ticket, Freshness freshness, Query query, long now) {
    self.now = now;
    if (freshness.kind() == Freshness.Kind.LOCAL) {
      self.outlet.answer(ticket, self.ledger.contents.look(query));
    } else if (primary != null) {
      primary.read(ticket, query);
    } else if (freshness.kind() == Freshness.Kind.BOUNDED) {
      backup.read(ticket, query, freshness.bound().toNanos());
    } else {
      backup.read(ticket, query);
    }
  }

  // ---- the world -----------------------------------------------------------------------------

  /** To be called at least every quarter of a heartbeat. */
  void tick(long now) {
    self.now = now;
    if (primary != null) {
      primary.tick();
    } else {
      backup.tick();
    }
    ask();
  }

  /**
   * To be called after each event, or after several that came together: sends what there is to send
   * once for all of them.
   */
  void flush(long now) {
    self.now = now;
    if (primary != null) {
      primary.flush();
    } else {
      backup.flush();
    }
  }

  /** As {@link Ledger#persisted(long)}. */
  void persisted(long count, long now) {
    self.now = now;
    self.ledger.persisted(count);
    if (primary != null) {
      primary.commit();
    } else {
      backup.persisted();
    }
  }

  /** A message came in. */
  void received(ReplicaId from, ReplicaMessage message, long now) {
    self.now = now;
    if (message instanceof Append || message instanceof Offer) {
      enter(message.epoch());
    }
    if (message.epoch() != epoch) {
      return;
    }
    if (message instanceof Append append) {
      if (primary != null) {
        throw new AssertionError("two primaries of epoch " + epoch + ": " + self.id + ", " + from);
      }
      backup.append(from, append);
    } else if (message instanceof Offer offer) {
      if (primary == null) {
        backup.offer(from, offer);
      }
    } else if (message instanceof Ack ack) {
      if (primary != null) {
        primary.acknowledged(from, ack);
      }
    } else if (message instanceof AskCommit ask) {
      if (primary != null) {
        primary.ask(from, ask);
      }
    } else if (message instanceof TellCommit tell) {
      backup.told(tell);
    } else {
      throw new AssertionError("cannot take " + message.getClass());
    }
  }

  // ---- snapshots -----------------------------------------------------------------------------

  /** What is committed here, for a snapshot. */
  Image image() {
    return self.ledger.image();
  }

  /**
   * A snapshot of what was committed here is on disk: records that are in it may be forgotten, the
   * oldest first, while the log has more bytes than this.
   *
   * @param size of the snapshot's bytes
   * @param checksum CRC32C of them
   */
  void snapshotted(long seq, long size, int checksum, long logBytesMax) {
    self.snapshot = new Offer(0, Stamps.NONE, seq, size, checksum);
    self.ledger.covered(seq);
    self.ledger.forget(logBytesMax);
  }

  /**
   * A snapshot of the primary's is on disk.
   *
   * @return whether it is more than what was here, and was taken over
   */
  boolean installed(Image image, long now) {
    self.now = now;
    if (primary != null || !self.ledger.install(image)) {
      return false;
    }
    enter(image.epoch());
    backup.installed();
    return true;
  }
}
