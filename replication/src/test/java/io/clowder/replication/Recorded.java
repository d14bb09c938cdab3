// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import java.util.ArrayList;
import java.util.List;

/** An outlet that remembers what came out. */
final class Recorded implements Outlet {
  /** A message and where it went. */
  record Sent(ReplicaId to, ReplicaMessage message) {}

  /** What a ticket got. */
  record Told(long ticket, Object what) {}

  final List<Sent> sent = new ArrayList<>();
  final List<Told> told = new ArrayList<>();
  final List<ConfigCommand> proposed = new ArrayList<>();
  final List<Long> confirming = new ArrayList<>();
  final List<ReplicaMessage.Offer> fetched = new ArrayList<>();

  /** What goes to the journal: records' numbers, and cuts as negative ones. */
  final List<Long> journal = new ArrayList<>();

  long written;

  @Override
  public void append(LogRecord record) {
    written++;
    journal.add(record.seq());
  }

  @Override
  public void truncate(long afterSeq) {
    written++;
    journal.add(-afterSeq);
  }

  @Override
  public void send(ReplicaId to, ReplicaMessage message) {
    sent.add(new Sent(to, message));
  }

  @Override
  public void answer(long ticket, Answer answer) {
    told.add(new Told(ticket, answer));
  }

  @Override
  public void refuse(long ticket, Refusal reason, Outcome outcome) {
    told.add(new Told(ticket, reason));
  }

  @Override
  public void propose(ConfigCommand command) {
    proposed.add(command);
  }

  @Override
  public void confirmConfig(long token) {
    confirming.add(token);
  }

  @Override
  public void applied(LogRecord record) {
    // Nobody listens.
  }

  @Override
  public void fetch(ReplicaId from, ReplicaMessage.Offer offer) {
    fetched.add(offer);
  }

  /** The last message to a replica, of a kind. */
  <T extends ReplicaMessage> T last(ReplicaId to, Class<T> kind) {
    for (int i = sent.size() - 1; i >= 0; i--) {
      if (sent.get(i).to.equals(to) && kind.isInstance(sent.get(i).message)) {
        return kind.cast(sent.get(i).message);
      }
    }
    throw new AssertionError("nothing of the kind was sent to " + to);
  }
}
