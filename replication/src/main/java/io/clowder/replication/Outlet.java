// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.replication.ReplicaMessage.Offer;

/** What a {@link Replica} does in the world; nothing of it waits. */
interface Outlet {
  /** Appends to the journal. Appends and truncations reach the disk in this order. */
  void append(LogRecord record);

  /** Cuts the journal after a record. */
  void truncate(long afterSeq);

  /** Sends a message, which may get lost. */
  void send(ReplicaId to, ReplicaMessage message);

  /** Answers a client. */
  void answer(long ticket, Answer answer);

  /** Tells a client that it gets no answer here, and whether its request may take effect. */
  void refuse(long ticket, Refusal reason, Outcome outcome);

  /** Asks for another configuration, which consensus may grant, refuse, or lose. */
  void propose(ConfigCommand command);

  /** Asks consensus for the configuration as it is now, or later: a linearizable read. */
  void confirmConfig(long token);

  /** A record is committed and applied here. */
  void applied(LogRecord record);

  /**
   * The primary has a snapshot without which this replica cannot go on: to be fetched, put on disk,
   * and then {@link Replica#installed}. Asked for again and again until it is there; one at a time.
   */
  void fetch(ReplicaId from, Offer offer);
}
