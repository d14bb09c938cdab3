// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.replication.ReplicaMessage.Ack;
import io.clowder.replication.ReplicaMessage.Append;
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

  /** Up to here its log is known to be the primary's. */
  private long matched;

  /** The primary is suspected: it gets no promise any more. */
  boolean isWithheld;

  Backup(Self self, long epoch) {
    this.self = self;
    this.epoch = epoch;
    this.matched = self.ledger.commit();
    this.readers = new BackupReaders(self, epoch);
  }

  /** Who leads this epoch. */
  void leader(ReplicaId id) {
    leader = id;
    readers.leader(id);
  }

  void append(ReplicaId from, Append append) {
    leader(from);
    Stamps stamps = append.stamps();
    if (stamps.life() != leaderLife) {
      leaderLife = stamps.life();
      leaderStamp = stamps.stamp();
    }
    leaderStamp = Math.max(leaderStamp, stamps.stamp());
    if (append.grants() && stamps.echoLife() == self.life) {
      leaseFrom = Math.max(leaseFrom, stamps.echo());
    }
    boolean isMatch = self.ledger.log.epochOf(append.prevSeq()) == append.prevEpoch();
    if (isMatch) {
      append.records().forEach(this::take);
      matched = Math.max(matched, append.prevSeq() + append.records().size());
      commit(append.commit());
    } else if (append.prevSeq() <= self.ledger.commit()) {
      throw new AssertionError(
          "record " + append.prevSeq() + " is committed here and of another epoch there");
    }
    acknowledge(!isMatch);
  }

  /** A record of the primary's: what is here in its place and of another epoch is void. */
  private void take(LogRecord record) {
    long here = self.ledger.log.epochOf(record.seq());
    if (here == record.epoch()) {
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
    if (leaderLife != 0) {
      acknowledge(false);
    }
  }

  private void acknowledge(boolean isMismatch) {
    if (leader == null) {
      return;
    }
    boolean grants = !isWithheld;
    if (grants) {
      self.promised = self.now;
    }
    OperationLog log = self.ledger.log;
    self.outlet.send(
        leader,
        new Ack(
            epoch,
            new Stamps(self.life, self.now, leaderLife, leaderStamp),
            grants,
            Math.min(matched, self.ledger.persisted()),
            isMismatch,
            isMismatch ? log.history() : List.of(),
            log.end()));
  }

  /**
   * Answers from here if the primary lets it and nothing is under way for the key: whatever was
   * acknowledged is in this log, and so applied, if it is not in the tail (CRAQ, section 2.3).
   */
  void read(long ticket, String key) {
    boolean isLet = self.now - leaseFrom < self.timing.relied();
    if (isLet && self.ledger.log.touch(key) == null) {
      self.outlet.answer(ticket, Readers.look(self.ledger.contents, key));
    } else {
      readers.add(ticket, key);
    }
  }

  void told(TellCommit tell) {
    commit(tell.commit());
    readers.told(tell.token(), tell.commit());
  }

  void tick() {
    readers.tick();
  }

  /** There is another epoch, or this replica leads this one. */
  void end() {
    readers.refuse();
  }
}
