// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.consensus.raft.RaftMessage.AppendReject;
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.AppendRequest;
import io.clowder.consensus.raft.RaftMessage.Appended;
import io.clowder.consensus.raft.RaftMessage.Heartbeat;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;
import io.clowder.consensus.raft.RaftMessage.TimeoutNow;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One replica's leadership of one term; what it knows dies with it. */
final class Leadership {
  private static final byte[] NOTHING = {};
  private static final long NEVER = Long.MAX_VALUE;

  private final Replica replica;
  private final RaftLog log;
  private final long term;
  private final long firstOwn;
  private final List<Progress> peers = new ArrayList<>();
  private final ReadRounds reads;
  private final long[] scratch;
  private long ownMatch;
  private long ownRound;
  private long nextBeat;
  private long handOverBy = NEVER;
  private @Nullable NodeId successor;
  private boolean over;

  /** The last append and heartbeat: peers that go along are sent the same object. */
  private @Nullable AppendRequest request;

  private @Nullable Heartbeat heartbeat;

  Leadership(Replica replica) {
    this.replica = replica;
    log = replica.log;
    term = replica.term();
    firstOwn = log.last() + 1;
    reads = new ReadRounds(replica);
    scratch = new long[replica.peers.size() + 1];
    for (NodeId peer : replica.peers) {
      peers.add(new Progress(peer, firstOwn, replica.now()));
    }
    nextBeat = replica.now() + replica.timing.heartbeatNanos();
  }

  /** §5.4.2, §8: an entry of its own term, without which nothing before it commits. */
  void begin() {
    propose(List.of(NOTHING));
  }

  /** Whether it ended by itself: no quorum, or handed over. */
  boolean isOver() {
    return over;
  }

  /** Whether it takes proposals. */
  boolean isOpen() {
    return handOverBy == NEVER;
  }

  long deadline() {
    return Math.min(nextBeat, handOverBy);
  }

  /** Appends all, sends first and writes then: the peers' disks and this one work in parallel. */
  void propose(List<byte[]> commands) {
    long first = log.last() + 1;
    for (byte[] command : commands) {
      log.append(term, command);
    }
    for (Progress peer : peers) {
      replicate(peer);
    }
    long from = first;
    while (from <= log.last()) {
      Entries entries = log.slice(from);
      long last = from + entries.size() - 1;
      replica.persist(new Appended(from - 1, log.term(from - 1), entries), last);
      from = last + 1;
    }
    replica.send(replica.self, new AppendReply(term, log.last()));
  }

  void barrier(long ticket) {
    reads.add(ticket);
    read();
  }

  /** A peer spoke in this term. */
  void hear(NodeId from) {
    Progress peer = progress(from);
    if (peer != null) {
      peer.heardAt = replica.now();
    }
  }

  void acknowledged(NodeId from, AppendReply reply) {
    if (reply.match() > log.last()) {
      return;
    }
    Progress peer = progress(from);
    if (peer == null) {
      ownMatch = Math.max(ownMatch, reply.match());
    } else {
      peer.matches(reply.match(), log.base());
    }
    if (reply.match() > replica.commit()) {
      commit();
    }
    if (peer != null) {
      replicate(peer);
    }
    tellCommit();
    if (successor == null) {
      handOver();
    }
  }

  void rejected(NodeId from, AppendReject reject) {
    Progress peer = progress(from);
    if (peer == null) {
      return;
    }
    if (peer.state() == Progress.State.SNAPSHOT && reject.hintIndex() < log.base()) {
      replica.act(new Action.NeedSnapshot(peer.peer));
    } else if (peer.parts(
        reject.prevIndex(), log.lastOfTerm(reject.hintIndex(), reject.hintTerm()))) {
      replicate(peer);
    }
  }

  void answered(NodeId from, HeartbeatReply reply) {
    if (reply.round() > reads.last()) {
      return;
    }
    Progress peer = progress(from);
    if (peer == null) {
      ownRound = Math.max(ownRound, reply.round());
    } else {
      peer.round = Math.max(peer.round, reply.round());
      if (peer.beaten) {
        peer.beaten = false;
        revive(peer);
      }
    }
    if (reads.isOut()) {
      scratch[0] = ownRound;
      for (int i = 0; i < peers.size(); i++) {
        scratch[i + 1] = peers.get(i).round;
      }
      reads.confirm(Quorum.reached(scratch));
      read();
    }
  }

  /** Time has passed. */
  void tick() {
    if (replica.now() >= handOverBy || !hearsQuorum()) {
      over = true;
      return;
    }
    if (replica.now() >= nextBeat) {
      nextBeat = replica.now() + replica.timing.heartbeatNanos();
      for (Progress peer : peers) {
        peer.beaten = true;
      }
      beat(reads.next());
      successor = null;
      handOver();
    }
  }

  /** Looks for a successor, for one election time-out. */
  void resign() {
    if (handOverBy == NEVER) {
      handOverBy = replica.now() + replica.timing.electionNanos();
      handOver();
    }
  }

  /** The replica follows somebody else now. */
  void end(@Nullable NodeId leader) {
    reads.refuse(leader);
  }

  private void handOver() {
    if (handOverBy == NEVER) {
      return;
    }
    if (peers.isEmpty()) {
      over |= replica.commit() == log.last();
      return;
    }
    for (Progress peer : peers) {
      if (peer.match() == log.last() && isNear(peer)) {
        successor = peer.peer;
        replica.send(successor, new TimeoutNow(term));
        return;
      }
    }
  }

  /** Check-quorum (dissertation 6.2): who hears no majority must not keep clients waiting. */
  private boolean hearsQuorum() {
    scratch[0] = replica.now();
    for (int i = 0; i < peers.size(); i++) {
      scratch[i + 1] = peers.get(i).heardAt;
    }
    return replica.now() - Quorum.reached(scratch) < replica.timing.electionNanos();
  }

  private boolean isNear(Progress peer) {
    return replica.now() - peer.heardAt < replica.timing.electionNanos();
  }

  /** §5.3, §5.4.2: what a majority has on disk, if it is of this term, and all before it. */
  private void commit() {
    scratch[0] = ownMatch;
    for (int i = 0; i < peers.size(); i++) {
      scratch[i + 1] = peers.get(i).match();
    }
    long reached = Quorum.reached(scratch);
    if (reached > replica.commit() && log.term(reached) == term) {
      replica.commitTo(reached);
      read();
    }
  }

  /**
   * Once all is committed, followers that have it are told, as their clients wait for it. Others
   * are told by their next append, or when they have acknowledged the last.
   */
  private void tellCommit() {
    if (replica.commit() < log.last()) {
      return;
    }
    for (Progress peer : peers) {
      if (peer.match() == log.last() && peer.told < replica.commit()) {
        sendHeartbeat(peer, 0);
      }
    }
  }

  private void read() {
    if (reads.isDue() && replica.commit() >= firstOwn) {
      beat(reads.begin());
    }
  }

  private void beat(long round) {
    for (Progress peer : peers) {
      sendHeartbeat(peer, round);
    }
    if (reads.isOut()) {
      replica.send(replica.self, new HeartbeatReply(term, round));
    }
  }

  private void sendHeartbeat(Progress peer, long round) {
    long commit = Math.min(peer.match(), replica.commit());
    peer.told = Math.max(peer.told, commit);
    Heartbeat message = heartbeat;
    if (message == null || message.commit() != commit || message.round() != round) {
      message = new Heartbeat(term, commit, round);
      heartbeat = message;
    }
    replica.send(peer.peer, message);
  }

  /** Sends as much as the peer's window takes. */
  private void replicate(Progress peer) {
    while (peer.isOpen() && (peer.next() <= log.last() || peer.state() == Progress.State.PROBE)) {
      sendAppend(peer, true);
    }
  }

  /** After a heartbeat was answered: finds out whether appends or their answers got lost. */
  private void revive(Progress peer) {
    peer.probeAgain();
    if (peer.state() == Progress.State.PROBE) {
      replicate(peer);
    } else if (peer.match() < peer.next() - 1 || peer.state() == Progress.State.SNAPSHOT) {
      sendAppend(peer, false);
    }
  }

  private void sendAppend(Progress peer, boolean full) {
    if (peer.next() <= log.base()) {
      peer.needsSnapshot(log.base());
      replica.act(new Action.NeedSnapshot(peer.peer));
      return;
    }
    long prev = peer.next() - 1;
    Entries entries = full && prev < log.last() ? log.slice(prev + 1) : Entries.NONE;
    AppendRequest message = request(prev, entries);
    peer.told = Math.max(peer.told, Math.min(replica.commit(), prev + entries.size()));
    peer.sent(entries);
    replica.send(peer.peer, message);
  }

  @SuppressWarnings(
      "ReferenceEquality") // equal slices are the same object: no need to compare bytes
  private AppendRequest request(long prev, Entries entries) {
    AppendRequest message = request;
    if (message == null
        || message.prevIndex() != prev
        || message.commit() != replica.commit()
        || message.entries() != entries) {
      message = new AppendRequest(term, prev, log.term(prev), replica.commit(), entries);
      request = message;
    }
    return message;
  }

  private @Nullable Progress progress(NodeId node) {
    for (Progress peer : peers) {
      if (peer.peer.equals(node)) {
        return peer;
      }
    }
    return null;
  }

  /** What a leader waits for. */
  String waiting() {
    List<String> reasons = new ArrayList<>();
    if (handOverBy != NEVER) {
      reasons.add(successor == null ? "looking for a successor" : "handing over to " + successor);
    }
    if (replica.commit() < firstOwn) {
      reasons.add("waiting for a first commit of term " + term);
    }
    for (Progress peer : peers) {
      long behind = replica.commit() - peer.match();
      if (replica.now() - peer.heardAt >= 2 * replica.timing.heartbeatNanos()) {
        reasons.add("no answer from " + peer.peer);
      } else if (peer.state() == Progress.State.SNAPSHOT) {
        reasons.add(peer.peer + " needs a snapshot");
      } else if (behind > Entries.COUNT_MAX || (behind > 0 && !peer.isOpen())) {
        reasons.add(peer.peer + " is behind by " + behind);
      }
    }
    return String.join("; ", reasons);
  }
}
