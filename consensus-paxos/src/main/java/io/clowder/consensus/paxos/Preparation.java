// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;
import io.clowder.consensus.paxos.PaxosMessage.Prepare;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.consensus.paxos.PaxosMessage.Trimmed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Phase 1 of one ballot, once for all slots that its owner does not know to be chosen ("Paxos Made
 * Simple", 3). It ends with what the ballot must propose: in each slot the command accepted in the
 * highest ballot that any member of a quorum tells of (P2c); nothing at all where they tell of
 * none, so that what was accepted after such a hole can be applied.
 */
final class Preparation {
  private static final byte[] NOTHING = {};

  private final Replica replica;
  private final Ballot ballot;
  private final boolean transfer;
  private final long from;
  private final SlotLog found;
  private final Map<NodeId, Witness> witnesses = new TreeMap<>();
  private long nextBeat;

  /** What one member has told so far. */
  private static final class Witness {
    /** The slot from which on it is to tell more. */
    long next;

    /** When that was asked for first, and when it is to be asked for again. */
    long askedAt;

    long repeatAt;

    /** How long it may take until it is asked for again. */
    long patience;

    /** It has promised, and told all. */
    boolean isDone;

    /** Up to there it knew what is chosen when it was first asked. */
    long decided;

    /** Up to there it has forgotten it. */
    long trimmed;

    Witness(long next) {
      this.next = next;
    }
  }

  /**
   * Begins.
   *
   * @param decided up to there this replica knows what is chosen
   * @param transfer by wish of the leader
   */
  Preparation(Replica replica, long decided, boolean transfer) {
    this.replica = replica;
    this.transfer = transfer;
    ballot = replica.promised();
    from = decided + 1;
    found = new SlotLog(decided);
    replica.members.forEach(member -> witnesses.put(member, new Witness(from)));
    for (long slot = from; slot <= replica.log.last(); slot++) {
      Ballot vote = replica.log.ballot(slot);
      if (vote != null) {
        consider(slot, vote, replica.log.command(slot));
      }
    }
  }

  /** The vote of the highest ballot counts. */
  private void consider(long slot, Ballot vote, byte[] command) {
    Ballot best = found.ballot(slot);
    if (best == null || best.isBelow(vote)) {
      found.put(slot, vote, command);
    }
  }

  /** Asks all, and itself: it knows its own votes, but its promise counts when it is on disk. */
  void begin() {
    nextBeat = replica.now() + replica.timing.heartbeatNanos();
    for (NodeId peer : replica.peers) {
      turn(peer, witness(peer), 0);
    }
    replica.send(replica.self, new Promise(ballot, from, from - 1, from - 1, Votes.NONE));
  }

  /** When to speak again: questions and answers get lost, and voters are to know that it lives. */
  long deadline() {
    return nextBeat;
  }

  /**
   * Time has passed. To say that it lives it asks for nothing: each repeated question brings a
   * whole page again, and a link that is slower than one page per heartbeat would drown in copies.
   */
  void tick() {
    if (replica.now() < nextBeat) {
      return;
    }
    nextBeat = replica.now() + replica.timing.heartbeatNanos();
    for (NodeId peer : replica.peers) {
      Witness witness = witness(peer);
      if (witness.trimmed > 0) {
        turn(peer, witness, 0);
      } else if (!witness.isDone && replica.now() >= witness.repeatAt) {
        witness.patience *= 2;
        ask(peer, witness);
      } else {
        replica.send(peer, new Prepare(ballot, Prepare.ALIVE, transfer));
      }
    }
  }

  /** Asks for a page for the first time; it may take twice as long as the one before. */
  private void turn(NodeId peer, Witness witness, long took) {
    witness.askedAt = replica.now();
    witness.patience = Math.max(replica.timing.electionNanos() / 2, 2 * took);
    ask(peer, witness);
  }

  private void ask(NodeId peer, Witness witness) {
    witness.repeatAt = replica.now() + witness.patience;
    replica.send(peer, new Prepare(ballot, witness.next, transfer));
  }

  /**
   * Takes a page. Pages come in order, so one that was not asked for is a late copy, or only says
   * that the member lives.
   *
   * @return whether there is hope: the member has promised, and is still telling
   */
  boolean promised(NodeId member, Promise promise) {
    Witness witness = witness(member);
    if (witness.isDone) {
      return false;
    }
    if (promise.from() != witness.next) {
      return witness.trimmed == 0;
    }
    Votes votes = promise.votes();
    for (int i = 0; i < votes.size(); i++) {
      Ballot vote = votes.ballot(i);
      if (vote != null) {
        consider(promise.from() + i, vote, votes.command(i));
      }
    }
    witness.next = promise.from() + votes.size();
    if (promise.from() == from) {
      // What it knows to be chosen it has just told. Later it may know more by a snapshot, and that
      // may be something else than it told: chosen in a later ballot.
      witness.decided = promise.decided();
    }
    witness.trimmed = 0;
    witness.isDone = witness.next > promise.last();
    if (!witness.isDone) {
      turn(member, witness, replica.now() - witness.askedAt);
    }
    return true;
  }

  /** A member cannot promise: it does not hold what would have to be told. */
  void trimmed(NodeId member, Trimmed trimmed) {
    Witness witness = witness(member);
    if (!witness.isDone) {
      witness.trimmed = trimmed.slot();
    }
  }

  /** Whether a quorum has promised and told all. */
  boolean isDone() {
    return witnesses.values().stream().filter(it -> it.isDone).count() >= replica.quorums.prepare();
  }

  /** Up to which slot a member has told what is chosen, or -1 if it has not promised. */
  long decided(NodeId member) {
    Witness witness = witness(member);
    return witness.isDone ? witness.decided : -1;
  }

  /** What this ballot must propose, from the first slot not known to be chosen on. */
  List<byte[]> commands() {
    List<byte[]> commands = new ArrayList<>();
    for (long slot = from; slot <= found.last(); slot++) {
      commands.add(found.ballot(slot) == null ? NOTHING : found.command(slot));
    }
    return commands;
  }

  private Witness witness(NodeId member) {
    Witness witness = witnesses.get(member);
    if (witness == null) {
      throw new AssertionError(member + " is not a member");
    }
    return witness;
  }

  /** What it waits for. */
  String waiting() {
    List<String> reasons = new ArrayList<>();
    List<NodeId> open = new ArrayList<>();
    witnesses.forEach(
        (member, witness) -> {
          if (witness.trimmed > 0) {
            reasons.add(member + " holds what is chosen only after slot " + witness.trimmed);
          } else if (!witness.isDone) {
            open.add(member);
          }
        });
    reasons.add(
        0,
        "%d promises for %s needed; not yet from %s"
            .formatted(replica.quorums.prepare(), replica.name(ballot), Election.names(open)));
    return String.join("; ", reasons);
  }
}
