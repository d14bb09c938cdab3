// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.replication.Contents.Versioned;
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

  private record Local(long since, long ticket, String key) implements Reader {}

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

  void add(long ticket, String key) {
    if (waiting.size() == WAITING_MAX) {
      self.outlet.refuse(ticket, Refusal.OVERLOADED, Outcome.DID_NOT_HAPPEN);
    } else {
      waiting.add(new Local(self.now, ticket, key));
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
        self.outlet.answer(local.ticket, look(self.ledger.contents, local.key));
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

  /** What a reader of a key is told. */
  static Answer look(Contents contents, String key) {
    Versioned found = contents.get(key);
    return found == null ? new Answer.Absent() : new Answer.Found(found.value(), found.version());
  }
}
