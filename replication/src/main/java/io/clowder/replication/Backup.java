// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
import io.clowder.replication.ReplicaMessage.Offer;
import io.clowder.replication.ReplicaMessage.Stamps;
import io.clowder.replication.ReplicaMessage.TellCommit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A replica that is not the primary of its epoch, in sync or not. */
final class Backup {
  private final Self self;
  private final long epoch;
  private final BackupReaders readers;
  private @Nullable ReplicaId leader;
  private long leaderLife;
  private long leaderStamp;
  private long leaseFrom = Long.MIN_VALUE / 2;
  private long heardAt;
  private boolean isAckDue;
  private boolean isMismatch;

  /** Up to here its log is known to be the primary's. */
  private long matched;

  /** The primary is suspected: it gets no promise any more. */
  boolean isWithheld;

  Backup(Self self, long epoch) {
    this.self = self;
    this.epoch = epoch;
    this.heardAt = self.now;
    this.matched = self.ledger.commit();
    this.readers = new BackupReaders(self, epoch);
  }

  /** Who leads this epoch. */
  void leader(ReplicaId id) {
    leader = id;
    readers.leader(id);
  }

  private void heard(ReplicaId from, Stamps stamps) {
    leader(from);
    heardAt = self.now;
    if (stamps.life() != leaderLife) {
      leaderLife = stamps.life();
      leaderStamp = stamps.stamp();
    }
    leaderStamp = Math.max(leaderStamp, stamps.stamp());
  }

  void append(ReplicaId from, Append append) {
    heard(from, append.stamps());
    long here = self.ledger.log.epochOf(append.prevSeq());
    if (here == append.prevEpoch() || here == OperationLog.FORGOTTEN) {
      append.records().forEach(this::take);
      matched = Math.max(matched, append.prevSeq() + append.records().size());
      commit(append.commit());
      // Records are acknowledged when they are on disk; that is soon enough for a lease, too.
      isAckDue |=
          append.records().isEmpty()
              ? append.asks()
              : self.ledger.persisted() == self.ledger.log.end();
    } else if (append.prevSeq() <= self.ledger.commit()) {
      throw new AssertionError(
          "record " + append.prevSeq() + " is committed here and of another epoch there");
    } else {
      isMismatch = true;
      isAckDue = true;
    }
    if (append.grants()
        && append.stamps().echoLife() == self.life
        && self.ledger.commit() >= append.commit()) {
      leaseFrom = Math.max(leaseFrom, append.stamps().echo());
    }
  }

  /** The primary cannot go on from what is here. */
  void offer(ReplicaId from, Offer offer) {
    heard(from, offer.stamps());
    isMismatch = true;
    isAckDue = true;
    if (offer.seq() > self.ledger.commit()) {
      self.outlet.fetch(from, offer);
    }
  }

  /** The log was replaced, or begins later. */
  void installed() {
    matched = Math.max(matched, self.ledger.commit());
    isAckDue = true;
    readers.settle();
  }

  /** A record of the primary's: what is here in its place and of another epoch is void. */
  private void take(LogRecord record) {
    long here = self.ledger.log.epochOf(record.seq());
    if (here == record.epoch() || here == OperationLog.FORGOTTEN) {
      return;
    }
    if (here != -1) {
      self.ledger.truncate(record.seq() - 1);
    }
    self.ledger.append(record);
  }

  private void commit(long upTo) {
    self.ledger.commit(Math.max(self.ledger.commit(), Math.min(upTo, matched)), record -> {});
    readers.settle();
  }

  /** Tells the primary what is on disk, as soon as it is. */
  void persisted() {
    isAckDue |= leaderLife != 0;
  }

  /** Says once what there is to say. */
  void flush() {
    ReplicaId to = leader;
    if (to == null || !isAckDue) {
      return;
    }
    isAckDue = false;
    boolean grants = !isWithheld;
    if (grants) {
      self.promised = self.now;
    }
    OperationLog log = self.ledger.log;
    self.outlet.send(
        to,
        new Ack(
            epoch,
            new Stamps(self.life, self.now, leaderLife, leaderStamp),
            grants,
            Math.min(matched, self.ledger.persisted()),
            isMismatch,
            isMismatch ? log.history() : List.of(),
            log.end()));
    isMismatch = false;
  }

  /**
   * Answers from here if the primary lets it and nothing is under way for the key: whatever was
   * acknowledged is in this log, and so applied, if it is not in the tail (CRAQ, section 2.3).
   */
  void read(long ticket, Query query) {
    boolean isLet = self.now - leaseFrom < self.timing.relied();
    if (isLet && !self.ledger.log.isDirty(query)) {
      self.outlet.answer(ticket, self.ledger.contents.look(query));
    } else {
      readers.add(ticket, query);
    }
  }

  /**
   * Answers from here if the primary has let it, and been the primary then, since so long ago: all
   * that it had committed when it said so is applied.
   */
  void read(long ticket, Query query, long boundNanos) {
    if (self.now - leaseFrom < boundNanos - boundNanos / Timing.DRIFT) {
      self.outlet.answer(ticket, self.ledger.contents.look(query));
    } else {
      read(ticket, query);
    }
  }

  void told(TellCommit tell) {
    commit(tell.commit());
    readers.told(tell.token(), tell.commit());
  }

  void tick() {
    readers.tick();
  }

  /** Whether the primary has said nothing for longer than one may that is of use. */
  boolean isUnheard() {
    return self.now - heardAt > self.timing.lag();
  }

  /** There is another epoch, or this replica leads this one. */
  void end() {
    readers.refuse();
  }
}
