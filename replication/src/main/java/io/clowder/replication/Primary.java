// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.store.RequestId;
import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.AskCommit;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.ReplicaMessage.Stamps;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A replica while it is the primary of its epoch (PacificA, section 2.2). */
final class Primary {
  /** Writes that may wait to be committed. */
  static final int PENDING_MAX = 16_384;

  private static final int ASKED_MAX = 64;

  /** So many heartbeats without a tick are a pause. */
  private static final int STALL = 5;

  private record Waiting(long seq, long ticket) {}

  /** A question to consensus. */
  private record Asked(long token, long at) {}

  private final Self self;
  private final long epoch;
  private final long opening;
  private final long serveAt;
  private final SortedMap<ReplicaId, Peer> peers = new TreeMap<>();

  /** Who waits for a record, in the order of the records. */
  private final Deque<Waiting> waiting = new ArrayDeque<>();

  /** Who came later for the same. */
  private final Map<Long, List<Long>> retries = new HashMap<>();

  private final Readers readers;
  private final Roster roster;
  private StoreConfig config;
  private final Deque<Asked> asked = new ArrayDeque<>();
  private long tickedAt;

  /** Elected, with all that is in its log; it commits and answers nothing until the rest agree. */
  Primary(Self self, StoreConfig config) {
    this.self = self;
    this.config = config;
    this.epoch = config.epoch();
    self.ledger.log.lead();
    this.opening = self.ledger.log.end() + 1;
    // Until then the former primary may serve reads, and until a lease later its backups may.
    this.serveAt = config.isReleased() ? self.now - 1 : self.promised + 2 * self.timing.granted();
    this.readers = new Readers(self);
    this.roster = new Roster(self, config, peers, serveAt);
    this.tickedAt = self.now;
    meet();
    self.ledger.append(LogRecord.opening(epoch, opening));
  }

  private void meet() {
    peers.keySet().retainAll(config.members());
    for (ReplicaId id : config.members()) {
      if (!id.equals(self.id)) {
        peers.computeIfAbsent(id, it -> new Peer(it, self.ledger.log.end(), self.now));
      }
    }
  }

  /** The configuration of the same epoch is another now. */
  void configured(StoreConfig next) {
    config = next;
    meet();
    roster.configured(next);
    commit();
  }

  /** Another is the primary now: what became of the writes that wait is up to it. */
  void depose() {
    waiting.forEach(it -> depose(it.ticket));
    retries.values().forEach(several -> several.forEach(this::depose));
    waiting.clear();
    retries.clear();
    self.ledger.log.follow();
    readers.refuse();
  }

  private void depose(long ticket) {
    self.outlet.refuse(ticket, Refusal.NOT_PRIMARY, Outcome.MAY_HAVE_HAPPENED);
  }

  // ---- writes --------------------------------------------------------------------------------

  void write(long ticket, RequestId request, Op op) {
    Ledger ledger = self.ledger;
    Answer.@Nullable Written told = ledger.contents.result(request);
    if (told != null) {
      self.outlet.answer(ticket, told);
    } else if (ledger.contents.isForgotten(request)) {
      self.outlet.refuse(ticket, Refusal.FORGOTTEN, Outcome.MAY_HAVE_HAPPENED);
    } else if (ledger.log.find(request) != 0) {
      retries.computeIfAbsent(ledger.log.find(request), it -> new ArrayList<>()).add(ticket);
    } else if (op.isTooLarge()) {
      self.outlet.refuse(ticket, Refusal.TOO_LARGE, Outcome.DID_NOT_HAPPEN);
    } else if (!config.isEnough()) {
      self.outlet.refuse(ticket, Refusal.NOT_ENOUGH_COPIES, Outcome.DID_NOT_HAPPEN);
    } else if (roster.isStopped()) {
      self.outlet.refuse(ticket, Refusal.HANDING_OVER, Outcome.DID_NOT_HAPPEN);
    } else if (ledger.log.end() - ledger.commit() >= PENDING_MAX) {
      self.outlet.refuse(ticket, Refusal.OVERLOADED, Outcome.DID_NOT_HAPPEN);
    } else {
      LogRecord record = Judgement.judge(op, request, epoch, ledger);
      waiting.add(new Waiting(record.seq(), ticket));
      // It goes to the backups while the own disk writes it; neither waits for the other.
      ledger.append(record);
    }
  }

  /** Commits what everybody has who may have to have it, and answers. */
  void commit() {
    if (self.now <= serveAt || !config.isEnough()) {
      return;
    }
    long upTo = self.ledger.persisted();
    for (Peer peer : peers.values()) {
      if (roster.isRequired(peer.id) || self.mayRead(peer.id)) {
        upTo = Math.min(upTo, peer.acked);
      }
    }
    for (ReplicaId gone : self.granted.keySet()) {
      if (!peers.containsKey(gone) && self.mayRead(gone)) {
        return;
      }
    }
    if (upTo < opening || upTo <= self.ledger.commit()) {
      return;
    }
    self.ledger.commit(upTo, this::answer);
    settle();
  }

  private void answer(LogRecord record) {
    Waiting first = waiting.peek();
    if (first != null && first.seq == record.seq()) {
      self.outlet.answer(waiting.remove().ticket, record.result());
    }
    if (!retries.isEmpty()) {
      List<Long> several = retries.remove(record.seq());
      if (several != null) {
        several.forEach(it -> self.outlet.answer(it, record.result()));
      }
    }
  }

  // ---- reads ---------------------------------------------------------------------------------

  void read(long ticket, Query query) {
    if (!config.isEnough() && self.ledger.commit() < opening) {
      // What of the log was acknowledged shows only when this epoch commits something.
      self.outlet.refuse(ticket, Refusal.NOT_ENOUGH_COPIES, Outcome.DID_NOT_HAPPEN);
      return;
    }
    readers.add(ticket, query);
    settle();
    confirm();
  }

  void ask(ReplicaId from, AskCommit ask) {
    readers.add(from, ask);
    settle();
    confirm();
  }

  /** All that was committed before is, here; and no promise to another primary is in force. */
  private boolean isServing() {
    return self.ledger.commit() >= opening && self.now > serveAt;
  }

  /** Whether only consensus knows that there is no other primary. */
  private boolean isAlone() {
    return !config.isEnough() || roster.others().isEmpty();
  }

  private boolean isPromised() {
    return !isAlone() && self.now - earliest(true) < self.timing.relied();
  }

  /** The time until which all others were of this epoch, or have promised to be. */
  private long earliest(boolean promised) {
    long earliest = self.now;
    for (ReplicaId id : roster.others()) {
      Peer peer = peers.get(id);
      long at = peer == null ? Long.MIN_VALUE / 2 : promised ? peer.promised : peer.heard;
      earliest = Math.min(earliest, at);
    }
    return earliest;
  }

  private void settle() {
    if (!readers.isEmpty() && isServing() && !isAlone() && !roster.isStopped()) {
      readers.settle(isPromised() ? self.now : earliest(false));
    }
  }

  /** Asks whether this is the primary still, if reads have to know. */
  private void confirm() {
    if (readers.isEmpty() || !isServing() || roster.isStopped()) {
      return;
    }
    if (isAlone()) {
      // Who comes meanwhile waits for the next; an answer that takes long counts, too.
      Asked last = asked.peekLast();
      if (last == null || self.now - last.at >= self.timing.retry()) {
        if (asked.size() == ASKED_MAX) {
          asked.remove();
        }
        asked.add(new Asked(self.nextToken(), self.now));
        self.outlet.confirmConfig(asked.getLast().token);
      }
    } else {
      for (ReplicaId id : roster.others()) {
        Peer peer = peers.get(id);
        if (peer != null && peer.sentAt < readers.latest()) {
          send(peer);
        }
      }
    }
  }

  /** Consensus has said what the configuration is, at some time after it was asked. */
  void confirmed(long token, StoreConfig present) {
    Asked question = asked.stream().filter(it -> it.token == token).findFirst().orElse(null);
    if (question == null) {
      return;
    }
    while (asked.remove().token != token) {
      // Those before it have no more to say.
    }
    if (present.epoch() == epoch
        && present.isServedBy(self.id, self.life)
        && isServing()
        && !roster.isStopped()) {
      readers.settle(question.at);
      confirm();
    }
  }

  // ---- backups -------------------------------------------------------------------------------

  void acknowledged(ReplicaId from, Ack ack) {
    Peer peer = peers.get(from);
    Stamps stamps = ack.stamps();
    if (peer == null) {
      return;
    }
    if (stamps.life() != peer.life) {
      peer.begin(stamps, ack.persisted());
    }
    peer.stamp = Math.max(peer.stamp, stamps.stamp());
    if (stamps.echoLife() == self.life) {
      peer.heard = Math.max(peer.heard, stamps.echo());
      peer.promised = ack.grants() ? Math.max(peer.promised, stamps.echo()) : peer.promised;
    }
    if (ack.persisted() > peer.acked || ack.persisted() == self.ledger.log.end()) {
      peer.progressAt = self.now;
    }
    advance(peer, ack.persisted());
    if (ack.isMismatch() && stamps.echo() >= peer.rewoundAt) {
      peer.rewind(Math.max(peer.acked, self.ledger.log.common(ack.history(), ack.end())), self.now);
    }
    commit();
    settle();
    roster.review();
  }

  private void advance(Peer peer, long acked) {
    OperationLog log = self.ledger.log;
    for (long seq = Math.max(peer.acked, Math.max(peer.base, log.base())) + 1;
        seq <= Math.min(acked, peer.sent);
        seq++) {
      peer.underWay -= log.get(seq).size();
    }
    peer.acked = Math.max(peer.acked, acked);
    if (peer.acked >= peer.sent) {
      peer.sent = peer.acked;
      peer.underWay = 0;
    }
  }

  /** Sends what there is to send, once for all that happened. */
  void flush() {
    for (Peer peer : peers.values()) {
      while (peer.sent >= self.ledger.log.base()
          && peer.sent < self.ledger.log.end()
          && peer.isReady()) {
        send(peer);
      }
      // So that the backups are clean, and can answer, as soon as may be.
      boolean isNews =
          peer.told < self.ledger.commit()
              && peer.sent == peer.acked
              && peer.sent >= self.ledger.log.base();
      if (peer.sentAt == Peer.NEVER) {
        send(peer);
      } else if (isNews) {
        send(peer, false);
      }
    }
  }

  private void send(Peer peer) {
    send(peer, true);
  }

  private void send(Peer peer, boolean asks) {
    OperationLog log = self.ledger.log;
    Stamps stamps = new Stamps(self.life, self.now, peer.life, peer.stamp);
    peer.sentAt = asks ? self.now : peer.sentAt;
    if (peer.sent < log.base()) {
      offer(peer, stamps);
      return;
    }
    List<LogRecord> records =
        peer.isReady() ? log.slice(peer.sent, log.end()) : List.<LogRecord>of();
    boolean grants = peer.life != 0 && isServing() && isPromised() && roster.isToRead(peer.id);
    if (grants) {
      self.granted.put(peer.id, self.now);
    }
    long commit = self.ledger.commit();
    self.outlet.send(
        peer.id,
        new Append(
            epoch, stamps, asks, grants, log.epochOf(peer.sent), peer.sent, commit, records));
    peer.told = commit;
    peer.sent += records.size();
    records.forEach(it -> peer.underWay += it.size());
  }

  /** It lacks records that are forgotten here. */
  private void offer(Peer peer, Stamps stamps) {
    Offer snapshot = self.snapshot;
    if (snapshot != null && snapshot.seq() >= self.ledger.log.base()) {
      self.outlet.send(
          peer.id, new Offer(epoch, stamps, snapshot.seq(), snapshot.size(), snapshot.checksum()));
    }
  }

  /** As {@link Roster#isUnanswered}. */
  boolean isUnanswered() {
    return roster.isUnanswered();
  }

  /** Gives the place to another; writes wait for the one who has it then. */
  boolean handOver(ReplicaId to) {
    Peer peer = peers.get(to);
    return peer != null && roster.handOver(peer);
  }

  void tick() {
    if (self.now - tickedAt > STALL * self.timing.heartbeat()) {
      // It stood still itself: what the others did meanwhile has yet to be read.
      peers.values().forEach(it -> it.progressAt = self.now);
      roster.stoodStill();
    }
    tickedAt = self.now;
    commit();
    settle();
    for (Peer peer : peers.values()) {
      if (self.now - peer.sentAt >= self.timing.heartbeat()) {
        send(peer);
      }
    }
    confirm();
    roster.review();
  }

  /** Whom the failure detector suspects now. */
  void suspects(SortedSet<NodeId> suspects) {
    roster.suspects(suspects);
  }

  /** How far the others are. */
  Collection<Peer> peers() {
    return peers.values();
  }
}
