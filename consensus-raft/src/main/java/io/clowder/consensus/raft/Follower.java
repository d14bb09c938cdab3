// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.consensus.raft.RaftMessage.AppendReject;
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.AppendRequest;
import io.clowder.consensus.raft.RaftMessage.Appended;
import io.clowder.consensus.raft.RaftMessage.Heartbeat;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;

/** Keeps the log equal to the leader's (§5.3) and short (§7). */
final class Follower {
  /** Entries before a snapshot that stay in memory, so that laggards need no snapshot. */
  static final int TAIL_ENTRIES = 1 << 16;

  /** Bytes that such entries may take. */
  static final int TAIL_BYTES = 16 << 20;

  private final Replica replica;
  private final RaftLog log;
  private final int tailEntries;

  /**
   * The term in which a snapshot was installed, perhaps before a restart. It may hold what a later
   * term has decided: then the leader of this one is over, does not know it yet, and contradicts.
   */
  private long installedIn;

  Follower(Replica replica, int tailEntries) {
    this.replica = replica;
    this.tailEntries = tailEntries;
    log = replica.log;
    installedIn = replica.term();
  }

  /** §5.3, steps 2 to 5 of the receiver. */
  void append(NodeId leader, AppendRequest request) {
    long prev = request.prevIndex();
    // What is before the base is committed, and a leader of a later term has it too: no conflict.
    if (prev >= log.base() && !log.holds(prev, request.prevTerm())) {
      if (prev <= replica.commit()) {
        contradicted(prev, leader);
        return;
      }
      long hint = log.lastOfTerm(prev, request.prevTerm());
      replica.send(leader, new AppendReject(replica.term(), prev, hint, log.term(hint)));
      return;
    }
    Entries entries = request.entries();
    int known = known(prev, entries);
    long lastNew = prev + entries.size();
    if (known < entries.size() && prev + known < replica.commit()) {
      contradicted(prev + known + 1, leader);
      return;
    }
    if (known < entries.size()) {
      keep(prev + known, entries.skip(known), Math.min(request.commit(), lastNew));
    } else {
      replica.commitTo(Math.min(request.commit(), Math.min(lastNew, log.last())));
    }
    long match = Math.max(lastNew, replica.commit());
    replica.send(leader, new AppendReply(replica.term(), match));
  }

  /** The leader holds something else where this log is decided: it is over, or all is lost. */
  private void contradicted(long index, NodeId leader) {
    if (installedIn != replica.term()) {
      throw new AssertionError("committed entry " + index + " has another term at " + leader);
    }
  }

  /** How many of the entries, from the first on, are held or covered by a snapshot. */
  private int known(long prev, Entries entries) {
    int known = (int) Math.min(entries.size(), Math.max(0, log.base() - prev));
    while (known < entries.size() && log.holds(prev + known + 1, entries.term(known))) {
      known++;
    }
    return known;
  }

  private void keep(long prev, Entries entries, long commit) {
    log.truncate(prev);
    long prevTerm = log.term(prev);
    log.append(entries);
    // A quorum has what is committed: to apply it need not wait for this disk.
    replica.commitTo(commit);
    replica.persist(new Appended(prev, prevTerm, entries), log.last());
  }

  void heartbeat(NodeId leader, Heartbeat heartbeat) {
    if (heartbeat.commit() <= log.last()) {
      replica.commitTo(heartbeat.commit());
    }
    if (heartbeat.round() > 0) {
      replica.send(leader, new HeartbeatReply(replica.term(), heartbeat.round()));
    }
  }

  /** The driver has a snapshot of what was decided here. */
  void compacted(long slot) {
    if (slot > replica.commit()) {
      throw new AssertionError("compacted " + slot + ", decided " + replica.commit());
    }
    if (slot > replica.covered()) {
      cover(slot);
    }
  }

  /** §7, steps 6 and 7 of the receiver; the driver did the rest. */
  void installed(long slot, long slotTerm) {
    if (slot <= replica.commit()) {
      compacted(slot);
      return;
    }
    if (!log.holds(slot, slotTerm)) {
      log.reset(slot, slotTerm);
    }
    installedIn = replica.term();
    replica.skipTo(slot);
    cover(slot);
    if (replica.leader() != null && !replica.leader().equals(replica.self)) {
      replica.send(replica.leader(), new AppendReply(replica.term(), slot));
    }
  }

  private void cover(long slot) {
    replica.cover(slot);
    log.compact(log.tail(slot, tailEntries, TAIL_BYTES));
  }
}
