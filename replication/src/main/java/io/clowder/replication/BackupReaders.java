// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.replication.ReplicaMessage.AskCommit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads at a backup that it must not answer by itself. It asks the primary how far it has to be,
 * once for all that wait (CRAQ's version query, section 2.3), and answers when it is there.
 */
final class BackupReaders {
  /** The most that may wait. */
  static final int WAITING_MAX = 16_384;

  private record Reader(long ticket, Query query) {}

  private record Ready(long needs, List<Reader> readers) {}

  private final Self self;
  private final long epoch;
  private @Nullable ReplicaId leader;
  private List<Reader> fresh = new ArrayList<>();
  private List<Reader> asked = new ArrayList<>();
  private final List<Ready> ready = new ArrayList<>();
  private long token;
  private long askedAt;
  private int count;

  BackupReaders(Self self, long epoch) {
    this.self = self;
    this.epoch = epoch;
  }

  void leader(ReplicaId id) {
    leader = id;
    ask();
  }

  void add(long ticket, Query query) {
    if (leader == null) {
      self.outlet.refuse(ticket, Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN);
    } else if (count == WAITING_MAX) {
      self.outlet.refuse(ticket, Refusal.OVERLOADED, Outcome.DID_NOT_HAPPEN);
    } else {
      count++;
      fresh.add(new Reader(ticket, query));
      ask();
    }
  }

  private void ask() {
    if (leader != null && asked.isEmpty() && !fresh.isEmpty()) {
      asked = fresh;
      fresh = new ArrayList<>();
      token = self.nextToken();
      send(leader);
    }
  }

  private void send(ReplicaId to) {
    askedAt = self.now;
    self.outlet.send(to, new AskCommit(epoch, token));
  }

  /** The primary was it still, after it was asked, and had committed so much. */
  void told(long answered, long needs) {
    if (answered == token && !asked.isEmpty()) {
      ready.add(new Ready(needs, asked));
      asked = new ArrayList<>();
      settle();
      ask();
    }
  }

  /** Answers those for whom enough is applied. */
  void settle() {
    ready.removeIf(
        it -> {
          if (it.needs > self.ledger.commit()) {
            return false;
          }
          for (Reader reader : it.readers) {
            count--;
            self.outlet.answer(reader.ticket, self.ledger.contents.look(reader.query));
          }
          return true;
        });
  }

  void tick() {
    if (leader != null && !asked.isEmpty() && self.now - askedAt >= self.timing.retry()) {
      send(leader);
    }
  }

  /** There is another epoch. */
  void refuse() {
    List<Reader> all = new ArrayList<>(fresh);
    all.addAll(asked);
    ready.forEach(it -> all.addAll(it.readers));
    all.forEach(it -> self.outlet.refuse(it.ticket, Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN));
    fresh.clear();
    asked.clear();
    ready.clear();
    count = 0;
  }
}
