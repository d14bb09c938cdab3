// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.protocol.Action;

/**
 * Learns what is chosen ("Paxos Made Simple", 2.3), and decides the contiguous part of it: a slot
 * whose predecessors are not all known waits for them.
 *
 * <p>A command is chosen when a quorum of phase 2 has accepted it in one ballot. The leader counts
 * that, for its own ballot only, and tells the others up to which slot it is so. That says which
 * slots, not which commands: what another member holds for such a slot is the chosen command only
 * if it was accepted in the leader's ballot or a later one, since all these propose the same.
 */
final class Learner {
  private final Replica replica;
  private final SlotLog log;

  /** Up to there all is chosen, and decided here. */
  private long decided;

  /** Up to there each slot is decided, or accepted in the promised ballot. */
  private long level;

  /** Up to there all is chosen, as some leader said. */
  private long chosen;

  /** The same, as the promised ballot's leader said. */
  private long told;

  /**
   * Up to there a snapshot was installed, perhaps before a restart. It may hold what a ballot has
   * chosen that is later than the promised one. So for these slots this replica cannot vouch that a
   * leader proposes what is chosen, unless that leader knows them to be chosen.
   */
  private long installed;

  Learner(Replica replica, long snapshotSlot) {
    this.replica = replica;
    log = replica.log;
    decided = snapshotSlot;
    installed = snapshotSlot;
    chosen = replica.recovered;
    restart();
  }

  /** The first step after a restart: decides again what was decided, in whatever ballots. */
  void recall() {
    level = Math.max(level, replica.recovered);
    advance();
  }

  long decided() {
    return decided;
  }

  long level() {
    return level;
  }

  /** A later ballot was promised: nothing is accepted in it yet, and its leader is not heard. */
  void restart() {
    level = decided;
    told = 0;
  }

  /** The leader of the promised ballot says that all up to {@code slot} is chosen. */
  void tell(long slot) {
    told = Math.max(told, slot);
    chosen = Math.max(chosen, slot);
  }

  /** Something was accepted or told: decides what can be. */
  void advance() {
    while (replica.promised().equals(log.ballot(level + 1))) {
      level++;
    }
    long last = Math.min(chosen, level);
    if (last > decided) {
      replica.act(new Action.Decide(decided + 1, log.decided(decided + 1, last)));
      decided = last;
    }
  }

  /** Whether the leader knows all to be chosen that was installed here. */
  boolean isSure() {
    return told >= installed;
  }

  /** What the leader of the promised ballot may count on. */
  long acknowledged() {
    return isSure() ? level : told;
  }

  /** A snapshot covers everything up to {@code slot}: it will not be decided here. */
  void skipTo(long slot) {
    installed = slot;
    decided = slot;
    level = Math.max(level, slot);
  }
}
