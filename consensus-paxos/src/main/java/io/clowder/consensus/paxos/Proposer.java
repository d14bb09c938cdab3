// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.consensus.paxos.PaxosMessage.Accept;
import io.clowder.consensus.paxos.PaxosMessage.Accepted;
import io.clowder.consensus.paxos.PaxosMessage.Heartbeat;
import io.clowder.consensus.paxos.PaxosMessage.HeartbeatReply;
import io.clowder.consensus.paxos.PaxosMessage.Missing;
import io.clowder.consensus.paxos.PaxosMessage.Succeed;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Phase 2 of one ballot, for all slots ("Paxos Made Simple", 3): what phase 1 has found first, then
 * what comes, each in the next slot, without waiting for the one before. What it knows dies with
 * the ballot.
 */
final class Proposer {
  private static final byte[] NOTHING = {};
  private static final long NEVER = Long.MAX_VALUE;

  private final Replica replica;
  private final Learner learner;
  private final SlotLog log;
  private final Ballot ballot;
  private final List<Progress> peers = new ArrayList<>();
  private final ReadRounds reads;
  private final long[] scratch;

  /** The last slot that phase 1 has found. */
  private long foundLast;

  private long ownMatch;
  private long ownRound;
  private long nextBeat;
  private long handOverBy = NEVER;
  private @Nullable NodeId successor;
  private boolean over;

  /** The last request and heartbeat: peers that go along are sent the same object. */
  private @Nullable Accept request;

  private @Nullable Heartbeat heartbeat;

  Proposer(Replica replica, Learner learner) {
    this.replica = replica;
    this.learner = learner;
    log = replica.log;
    ballot = replica.promised();
    reads = new ReadRounds(replica, learner);
    scratch = new long[replica.members.size()];
    ownMatch = learner.decided();
  }

  /**
   * Says that it leads, and proposes in this ballot what phase 1 has found, also what a member
   * knows to be chosen, so that this one has it; then nothing, so that something is chosen.
   */
  void begin(Preparation phase1) {
    learner.tell(learner.decided());
    for (NodeId node : replica.peers) {
      Progress peer = new Progress(node, replica.now());
      long decided = phase1.decided(node);
      if (decided >= 0) {
        peer.startAfter(decided);
        learner.tell(decided);
      }
      peers.add(peer);
    }
    beatAll();
    List<byte[]> found = phase1.commands();
    foundLast = learner.decided() + found.size();
    found.add(NOTHING);
    propose(learner.decided() + 1, found);
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

  /** Proposes in the slots after the last one. */
  void propose(List<byte[]> commands) {
    propose(log.last() + 1, commands);
  }

  /** Accepts all, sends first and writes then: the peers' disks and this one work in parallel. */
  private void propose(long first, List<byte[]> commands) {
    for (int i = 0; i < commands.size(); i++) {
      log.put(first + i, ballot, commands.get(i));
    }
    learner.advance();
    for (Progress peer : peers) {
      replicate(peer);
    }
    long from = first;
    while (from <= log.last()) {
      Commands batch = log.slice(from);
      replica.vote(from, batch, learner.decided());
      from += batch.size();
    }
    replica.send(replica.self, new Accepted(ballot, log.last()));
  }

  void barrier(long ticket) {
    reads.add(ticket);
    read();
  }

  /** A peer spoke in this ballot. */
  void hear(NodeId from) {
    Progress peer = progress(from);
    if (peer != null) {
      peer.heardAt = replica.now();
    }
  }

  void accepted(NodeId from, Accepted answer) {
    Progress peer = progress(from);
    if (matches(peer, answer.upTo()) && peer != null) {
      replicate(peer);
    }
  }

  void missing(NodeId from, Missing answer) {
    Progress peer = progress(from);
    if (peer != null && matches(peer, answer.upTo())) {
      if (peer.state() == Progress.State.STREAM && answer.before() > peer.match()) {
        peer.lacks(answer.upTo());
      }
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
      if (matches(peer, reply.upTo())) {
        if (peer.isBeaten(reply.round(), reply.upTo())) {
          revive(peer, reply.upTo());
        }
        replicate(peer);
      }
    }
    if (reads.isOut()) {
      scratch[0] = ownRound;
      for (int i = 0; i < peers.size(); i++) {
        scratch[i + 1] = peers.get(i).round;
      }
      reads.confirm(Quorums.reached(scratch, replica.quorums.read()));
      read();
    }
  }

  /** Counts what a member has accepted; false if that makes no sense. */
  private boolean matches(@Nullable Progress peer, long upTo) {
    if (upTo > log.last()) {
      return false;
    }
    if (peer == null) {
      ownMatch = Math.max(ownMatch, upTo);
    } else {
      peer.matches(upTo, log.base());
    }
    if (upTo > learner.decided()) {
      choose();
    }
    tellChosen();
    if (successor == null) {
      handOver();
    }
    return true;
  }

  /** What a quorum has accepted in this ballot is chosen; no other ballot's votes are counted. */
  private void choose() {
    scratch[0] = ownMatch;
    for (int i = 0; i < peers.size(); i++) {
      scratch[i + 1] = peers.get(i).match();
    }
    long reached = Quorums.reached(scratch, replica.quorums.accept());
    if (reached > learner.decided()) {
      learner.tell(reached);
      learner.advance();
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
      beatAll();
      successor = null;
      handOver();
    }
  }

  private void beatAll() {
    nextBeat = replica.now() + replica.timing.heartbeatNanos();
    long round = reads.next();
    for (Progress peer : peers) {
      peer.beats(round);
    }
    beat(round);
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
      over |= learner.decided() == log.last();
      return;
    }
    for (Progress peer : peers) {
      if (peer.match() == log.last() && peer.next() > log.last() && isNear(peer)) {
        successor = peer.peer;
        replica.send(successor, new Succeed(ballot));
        return;
      }
    }
  }

  /** Who hears too few to choose anything must not keep clients waiting. */
  private boolean hearsQuorum() {
    scratch[0] = replica.now();
    for (int i = 0; i < peers.size(); i++) {
      scratch[i + 1] = peers.get(i).heardAt;
    }
    long heardAt = Quorums.reached(scratch, replica.quorums.accept());
    return replica.now() - heardAt < replica.timing.electionNanos();
  }

  private boolean isNear(Progress peer) {
    return replica.now() - peer.heardAt < replica.timing.electionNanos();
  }

  /** Once all is chosen, peers that go along are told, as their clients wait for it. */
  private void tellChosen() {
    if (learner.decided() < log.last()) {
      return;
    }
    for (Progress peer : peers) {
      if (peer.state() == Progress.State.STREAM && peer.told < learner.decided()) {
        sendHeartbeat(peer, 0);
      }
    }
  }

  private void read() {
    if (reads.isDue() && learner.decided() >= foundLast) {
      beat(reads.begin());
    }
  }

  private void beat(long round) {
    for (Progress peer : peers) {
      sendHeartbeat(peer, round);
    }
    if (reads.isOut()) {
      replica.send(replica.self, new HeartbeatReply(ballot, round, 0));
    }
  }

  private void sendHeartbeat(Progress peer, long round) {
    long chosen = learner.decided();
    peer.told = chosen;
    Heartbeat message = heartbeat;
    if (message == null || message.chosen() != chosen || message.round() != round) {
      message = new Heartbeat(ballot, chosen, round);
      heartbeat = message;
    }
    replica.send(peer.peer, message);
  }

  /** Sends as much as the peer's window takes. */
  private void replicate(Progress peer) {
    while (peer.isOpen() && peer.next() <= log.last()) {
      if (peer.next() <= log.base()) {
        peer.needsSnapshot();
        replica.act(new Action.NeedSnapshot(peer.peer));
      } else {
        sendAccept(peer);
      }
    }
  }

  /** After the answer to a heartbeat that was due: what the peer lacks is known. */
  private void revive(Progress peer, long upTo) {
    switch (peer.state()) {
      case PROBE -> peer.startAfter(upTo);
      case STREAM -> peer.lacks(upTo);
      case SNAPSHOT -> replica.act(new Action.NeedSnapshot(peer.peer));
    }
  }

  @SuppressWarnings(
      "ReferenceEquality") // equal slices are the same object: no need to compare bytes
  private void sendAccept(Progress peer) {
    Commands commands = log.slice(peer.next());
    Accept message = request;
    if (message == null
        || message.first() != peer.next()
        || message.chosen() != learner.decided()
        || message.commands() != commands) {
      message = new Accept(ballot, peer.next(), learner.decided(), commands);
      request = message;
    }
    peer.told = learner.decided();
    peer.sent(commands);
    replica.send(peer.peer, message);
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
    if (learner.decided() < foundLast) {
      reasons.add("waiting until all is chosen that was accepted before " + replica.name(ballot));
    }
    for (Progress peer : peers) {
      long behind = learner.decided() - peer.match();
      if (replica.now() - peer.heardAt >= 2 * replica.timing.heartbeatNanos()) {
        reasons.add("no answer from " + peer.peer);
      } else if (peer.state() == Progress.State.SNAPSHOT) {
        reasons.add(peer.peer + " needs a snapshot");
      } else if (behind > Commands.COUNT_MAX || (behind > 0 && !peer.isOpen())) {
        reasons.add(peer.peer + " is behind by " + behind);
      }
    }
    return String.join("; ", reasons);
  }
}
