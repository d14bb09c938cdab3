// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.consensus.raft.RaftMessage.VoteReply;
import io.clowder.consensus.raft.RaftMessage.VoteRequest;
import io.clowder.consensus.raft.Replica.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** Who leads next (§5.2, dissertation 4.2.3 and 9.6): both sides of a vote, and the time-out. */
final class Election {
  private final Replica replica;
  private final RandomGenerator random;
  private final TreeSet<NodeId> granted = new TreeSet<>();
  private final TreeSet<NodeId> refused = new TreeSet<>();
  private long deadline = Long.MAX_VALUE;
  private long heardAt;

  /** Whether there was a hint, which others may have had, too, so that they stand as well. */
  private boolean isHinted;

  private boolean hasGivenWay;

  Election(Replica replica, RandomGenerator random) {
    this.replica = replica;
    this.random = random;
  }

  /** When patience ends. */
  long deadline() {
    return deadline;
  }

  /** Patience begins anew, for a time of its own each time: ties are broken by chance. */
  void rest() {
    long patience = replica.timing.electionNanos();
    deadline = replica.now() + patience + random.nextLong(patience);
  }

  /**
   * A pre-vote harms nobody, so it needs no patience: it may have been lost, or refused only
   * because the voter heard the leader a little longer.
   */
  private void askAgainSoon() {
    long heartbeat = replica.timing.heartbeatNanos();
    deadline = replica.now() + heartbeat + random.nextLong(heartbeat);
  }

  /** The leader of the current term was heard. */
  void hear() {
    heardAt = replica.now();
    isHinted = false;
    hasGivenWay = false;
    rest();
  }

  /** The leader is said to be gone: if it is not, it will be heard before long, and all is well. */
  void doubt() {
    heardAt = replica.now() - replica.timing.electionNanos();
    if (!isHinted) {
      isHinted = true;
      standSoon();
    }
  }

  /** Another was faster: it is given time, once, so that the two do not halve the votes. */
  private void giveWay() {
    if (isHinted && !hasGivenWay) {
      hasGivenWay = true;
      deadline = Math.max(deadline, replica.now() + 2 * replica.timing.heartbeatNanos());
    }
  }

  /** Not at once: others may have the same reason to. */
  private void standSoon() {
    long soon = random.nextLong(2 * replica.timing.heartbeatNanos());
    deadline = Math.min(deadline, replica.now() + soon);
  }

  /** Patience has ended. */
  void campaignInTime() {
    if (replica.peers.isEmpty()) {
      campaign(false);
      return;
    }
    replica.become(Role.PRE_CANDIDATE, null);
    ask(replica.term() + 1, true, false);
  }

  /**
   * Stands for the next term.
   *
   * @param transfer by wish of the leader
   */
  void campaign(boolean transfer) {
    replica.enter(replica.term() + 1);
    replica.voteFor(replica.self);
    replica.become(Role.CANDIDATE, null);
    ask(replica.term(), false, transfer);
  }

  private void ask(long term, boolean pre, boolean transfer) {
    granted.clear();
    refused.clear();
    if (pre) {
      askAgainSoon();
    } else {
      rest();
    }
    RaftLog log = replica.log;
    VoteRequest request = new VoteRequest(term, log.last(), log.lastTerm(), pre, transfer);
    for (NodeId peer : replica.peers) {
      replica.send(peer, request);
    }
    replica.send(replica.self, new VoteReply(term, pre, true));
  }

  /** Whether a leader is near: then no candidate is needed (4.2.3). */
  boolean sticksToLeader() {
    return replica.leader() != null
        && (replica.role() == Role.LEADER
            || replica.now() - heardAt < replica.timing.electionNanos());
  }

  /** Answers a candidate. The request's term is the current one, or an earlier one. */
  void answer(NodeId candidate, VoteRequest request) {
    boolean free = replica.vote() == null && replica.leader() == null;
    boolean granted =
        request.term() == replica.term()
            && (free || candidate.equals(replica.vote()))
            && isUpToDate(request);
    if (granted) {
      replica.voteFor(candidate);
      rest();
    }
    replica.send(candidate, new VoteReply(replica.term(), false, granted));
  }

  /** Answers a pre-candidate; changes neither term nor vote (9.6). */
  void answerPre(NodeId candidate, VoteRequest request) {
    if (request.term() > replica.term() && isUpToDate(request)) {
      giveWay();
      replica.send(candidate, new VoteReply(request.term(), true, true));
      return;
    }
    replica.send(candidate, new VoteReply(replica.term(), true, false));
    if (request.term() > replica.term() && replica.leader() != null) {
      // It cannot win against this better log, and the leader is silent here, too: let this replica
      // stand. Not if it has voted, and so has no leader: that candidate is given its time.
      standSoon();
    }
  }

  /** §5.4.1: the later last term, and of equal ones the longer log. */
  private boolean isUpToDate(VoteRequest request) {
    long lastTerm = replica.log.lastTerm();
    return request.lastTerm() > lastTerm
        || (request.lastTerm() == lastTerm && request.lastIndex() >= replica.log.last());
  }

  /** Counts an answer to the question now asked; true if it makes a majority. */
  boolean counts(NodeId voter, VoteReply reply) {
    (reply.granted() ? granted : refused).add(voter);
    return reply.granted() && granted.size() == replica.quorum();
  }

  /** What a replica without a leader waits for. */
  String waiting() {
    if (replica.role() == Role.FOLLOWER) {
      return "no leader known in term " + replica.term();
    }
    List<NodeId> silent = new ArrayList<>(replica.peers);
    silent.removeAll(granted);
    silent.removeAll(refused);
    int members = replica.peers.size() + 1;
    int reachable = members - silent.size();
    String answers =
        silent.isEmpty()
            ? ""
            : "no answer from "
                + names(silent)
                + ": "
                + reachable
                + " of "
                + members
                + " members reachable, "
                + replica.quorum()
                + " needed to elect";
    if (refused.isEmpty()) {
      return answers;
    }
    return (answers.isEmpty() ? "" : answers + "; ") + "refused by " + names(refused);
  }

  static String names(Iterable<NodeId> nodes) {
    List<String> names = new ArrayList<>();
    nodes.forEach(node -> names.add(node.value()));
    return names.stream().collect(Collectors.joining(", "));
  }
}
