// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;
import io.clowder.consensus.paxos.PaxosMessage.Canvass;
import io.clowder.consensus.paxos.PaxosMessage.Support;
import io.clowder.consensus.paxos.Replica.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/**
 * Who prepares a ballot, and when. Paxos is safe whoever does ("The Part-Time Parliament", 3.3.1,
 * on its president), but two who do it by turns stop each other ("Paxos Made Simple", 2.4). So a
 * member waits for a time of its own, and asks first whether it would succeed: that changes nothing
 * anywhere, and is refused where a leader is near ("Paxos Made Live", 5.2, wants a master that is
 * not unseated without need).
 */
final class Election {
  private final Replica replica;
  private final Learner learner;
  private final RandomGenerator random;
  private final TreeSet<NodeId> granted = new TreeSet<>();
  private final TreeSet<NodeId> refused = new TreeSet<>();
  private Ballot asked = Ballot.NONE;
  private long deadline = Long.MAX_VALUE;
  private long heardAt;

  /** Whether there was a hint, which others may have had, too, so that they stand as well. */
  private boolean isHinted;

  private boolean hasGivenWay;

  Election(Replica replica, Learner learner, RandomGenerator random) {
    this.replica = replica;
    this.learner = learner;
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

  /** The leader of the promised ballot was heard. */
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

  /**
   * Asks whether a ballot would be promised. That harms nobody, so it needs no patience: it may
   * have been lost, or refused only because somebody heard the leader a little longer.
   */
  void canvass() {
    replica.become(Role.CANVASSING, null);
    asked = replica.nextBallot();
    granted.clear();
    refused.clear();
    long heartbeat = replica.timing.heartbeatNanos();
    deadline = replica.now() + heartbeat + random.nextLong(heartbeat);
    Canvass canvass = new Canvass(asked, learner.decided() + 1);
    for (NodeId peer : replica.peers) {
      replica.send(peer, canvass);
    }
    replica.send(replica.self, new Support(asked, true, replica.promised()));
  }

  /** Whether a leader is near: then no other is needed. */
  boolean sticksToLeader() {
    return replica.leader() != null
        && (replica.role() == Role.LEADING
            || replica.now() - heardAt < replica.timing.electionNanos());
  }

  /**
   * Answers a canvass; changes nothing.
   *
   * @param holds whether this replica could tell the other one all that it must know
   */
  void answer(NodeId candidate, Canvass canvass, boolean holds) {
    boolean grants = holds && replica.promised().isBelow(canvass.ballot());
    if (grants) {
      giveWay();
    }
    replica.send(candidate, new Support(canvass.ballot(), grants, replica.promised()));
  }

  /**
   * Somebody who is too far behind would lead, and the leader is silent here, too: let this replica
   * stand. Not if it knows no leader, as it may have promised a ballot just now.
   */
  void standSoon() {
    if (replica.role() == Role.FOLLOWER && replica.leader() != null) {
      long soon = random.nextLong(2 * replica.timing.heartbeatNanos());
      deadline = Math.min(deadline, replica.now() + soon);
    }
  }

  /** Counts an answer to the question now asked; true if enough would promise and accept. */
  boolean counts(NodeId voter, Support support) {
    if (replica.role() != Role.CANVASSING || !support.ballot().equals(asked)) {
      return false;
    }
    boolean isNew = (support.granted() ? granted : refused).add(voter);
    return support.granted() && isNew && granted.size() == replica.quorums.serve();
  }

  /** What a replica without a leader waits for. */
  String waiting() {
    if (replica.role() == Role.FOLLOWER) {
      return replica.promised().equals(Ballot.NONE)
          ? "no leader known"
          : "no leader known in " + replica.name(replica.promised());
    }
    List<NodeId> silent = new ArrayList<>(replica.peers);
    silent.removeAll(granted);
    silent.removeAll(refused);
    int members = replica.members.size();
    int reachable = members - silent.size();
    String answers =
        silent.isEmpty()
            ? ""
            : "no answer from %s: %d of %d members reachable, %d needed to elect"
                .formatted(names(silent), reachable, members, replica.quorums.serve());
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
