// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import java.util.ArrayDeque;
import java.util.Deque;

/** Reads at a primary that wait until it is sure that it is the primary. */
final class Readers {
  /** The most that may wait. */
  static final int WAITING_MAX = 16_384;

  /** What a read wants when the primary is sure. */
  private sealed interface Reader {
    long since();
  }

  private record Local(long since, long ticket, Query query) implements Reader {}

  private record Remote(long since, ReplicaId from, long epoch, long token) implements Reader {}

  private final Self self;
  private final Deque<Reader> waiting = new ArrayDeque<>();

  Readers(Self self) {
    this.self = self;
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** When the last one came. */
  long latest() {
    return waiting.isEmpty() ? Long.MIN_VALUE : waiting.getLast().since();
  }

  void add(long ticket, Query query) {
    if (waiting.size() == WAITING_MAX) {
      self.outlet.refuse(ticket, Refusal.OVERLOADED, Outcome.DID_NOT_HAPPEN);
    } else {
      waiting.add(new Local(self.now, ticket, query));
    }
  }

  void add(ReplicaId from, ReplicaMessage.AskCommit ask) {
    if (waiting.size() < WAITING_MAX) {
      waiting.add(new Remote(self.now, from, ask.epoch(), ask.token()));
    }
  }

  /** Answers all that came until then: this replica was the primary after that. */
  void settle(long until) {
    while (!waiting.isEmpty() && waiting.peek().since() <= until) {
      Reader reader = waiting.remove();
      if (reader instanceof Local local) {
        self.outlet.answer(local.ticket, self.ledger.contents.look(local.query));
      } else if (reader instanceof Remote remote) {
        self.outlet.send(
            remote.from,
            new ReplicaMessage.TellCommit(remote.epoch, remote.token, self.ledger.commit()));
      }
    }
  }

  /** Refuses all. */
  void refuse() {
    for (Reader reader : waiting) {
      if (reader instanceof Local local) {
        self.outlet.refuse(local.ticket, Refusal.NOT_PRIMARY, Outcome.DID_NOT_HAPPEN);
      }
    }
    waiting.clear();
  }
}
