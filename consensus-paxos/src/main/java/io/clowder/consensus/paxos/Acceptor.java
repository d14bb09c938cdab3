// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.consensus.paxos.PaxosMessage.Accept;
import io.clowder.consensus.paxos.PaxosMessage.Accepted;
import io.clowder.consensus.paxos.PaxosMessage.Heartbeat;
import io.clowder.consensus.paxos.PaxosMessage.HeartbeatReply;
import io.clowder.consensus.paxos.PaxosMessage.Missing;
import io.clowder.consensus.paxos.PaxosMessage.Prepare;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.consensus.paxos.PaxosMessage.Trimmed;
import java.util.Arrays;

/**
 * The memory of Paxos ("Paxos Made Simple", 2.2): one promise for all slots, and for each slot the
 * command it accepted last, both on disk before it speaks of them. What is chosen for good and
 * covered by a snapshot it may forget, but must say that it has (van Renesse and Altinbuken, 4.2).
 */
final class Acceptor {
  /** Slots before a snapshot that stay in memory, so that laggards need no snapshot. */
  static final int TAIL_SLOTS = 1 << 16;

  /** Bytes that such slots may take. */
  static final int TAIL_BYTES = 16 << 20;

  /** Slots are accepted that come before their predecessors, but so many at most. */
  static final int GAP_MAX = 1 << 16;

  private final Replica replica;
  private final Learner learner;
  private final SlotLog log;
  private final int tailSlots;
  private final int pageBytes;

  /** The last ballot whose leader did not know what is installed here, and when to say so next. */
  private Ballot doubted = Ballot.NONE;

  private long doubtAt;

  Acceptor(Replica replica, Learner learner, int tailSlots, int pageBytes) {
    this.replica = replica;
    this.learner = learner;
    this.tailSlots = tailSlots;
    this.pageBytes = pageBytes;
    log = replica.log;
  }

  /** Promises a later ballot. */
  void promise(Ballot later) {
    replica.promise(later);
    learner.restart();
  }

  /**
   * Whether everything is held that the owner of a ballot must be told of. If not, it needs a
   * snapshot; to answer "nothing accepted" would let it choose anew what is chosen.
   */
  boolean holds(long from) {
    return from > log.base();
  }

  /** No promise: see {@link #holds}. */
  void answerTrimmed(NodeId owner, Prepare prepare) {
    replica.send(owner, new Trimmed(prepare.ballot(), log.base()));
  }

  /** Phase 1b: a page of all that is accepted from some slot on, the chosen included. */
  void answer(NodeId owner, Prepare prepare) {
    long from = prepare.from();
    Votes votes = log.votes(from, pageBytes);
    replica.send(owner, new Promise(prepare.ballot(), from, learner.decided(), log.last(), votes));
  }

  /** Phase 2b, in the promised ballot. */
  void accept(NodeId leader, Accept request) {
    learner.tell(request.chosen());
    long first = request.first();
    Commands commands = request.commands();
    if (first - 1 <= learner.level() + GAP_MAX) {
      int known = known(first, commands, leader);
      Commands news = commands.skip(known);
      log.put(first + known, replica.promised(), news);
      // A quorum has what is chosen: to apply it need not wait for this disk.
      learner.advance();
      if (!news.isEmpty()) {
        replica.vote(first + known, news, learner.decided());
      }
    }
    // Otherwise it acknowledges less than it has: the leader would send this again at once, for
    // ever.
    if (learner.isSure()) {
      long level = learner.level();
      replica.send(
          leader,
          level >= first + commands.size() - 1
              ? new Accepted(replica.promised(), level)
              : new Missing(replica.promised(), level, first));
    }
  }

  /** How many of the commands, from the first on, are decided or accepted in this ballot. */
  private int known(long first, Commands commands, NodeId leader) {
    int known = 0;
    while (known < commands.size()) {
      long slot = first + known;
      if (slot > learner.decided() && !replica.promised().equals(log.ballot(slot))) {
        break;
      }
      if (slot > log.base() && !Arrays.equals(log.command(slot), commands.get(known))) {
        throw new AssertionError(
            "two commands for slot %d: another one comes from %s in ballot %s"
                .formatted(slot, leader, replica.promised()));
      }
      known++;
    }
    return known;
  }

  void heartbeat(NodeId leader, Heartbeat heartbeat) {
    learner.tell(heartbeat.chosen());
    learner.advance();
    if (heartbeat.round() > 0) {
      if (!learner.isSure()) {
        doubt(leader, heartbeat.ballot());
      }
      replica.send(
          leader,
          new HeartbeatReply(replica.promised(), heartbeat.round(), learner.acknowledged()));
    }
  }

  /**
   * A leader cannot choose these slots with this replica's help. It may be over, or be behind; but
   * if it has just begun, it is about to learn them. Reads send many heartbeats.
   */
  private void doubt(NodeId leader, Ballot ballot) {
    if (ballot.equals(doubted) && replica.now() < doubtAt) {
      return;
    }
    if (ballot.equals(doubted)) {
      replica.act(new Action.NeedSnapshot(leader));
    }
    doubted = ballot;
    doubtAt = replica.now() + replica.timing.heartbeatNanos();
  }

  /** The driver has a snapshot of what was decided here. */
  void compacted(long slot) {
    if (slot > learner.decided()) {
      throw new AssertionError("compacted " + slot + ", decided " + learner.decided());
    }
    if (slot > replica.covered()) {
      replica.cover(slot);
      log.compact(log.tail(slot, tailSlots, TAIL_BYTES));
    }
  }

  /** The driver has a snapshot of another replica; votes in later slots stay votes. */
  void installed(long slot) {
    if (slot <= learner.decided()) {
      compacted(slot);
      return;
    }
    log.compact(slot);
    learner.skipTo(slot);
    // Before the record of it: a later decision that waits for no record must not come first.
    learner.advance();
    replica.cover(slot);
    NodeId leader = replica.leader();
    if (leader != null && !leader.equals(replica.self)) {
      replica.send(leader, new Accepted(replica.promised(), learner.acknowledged()));
    }
  }
}
