// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.CoreSetting;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What all roles of one replica share, and the only way from them to the driver. */
final class Replica {
  /** §5.2; a pre-candidate asks whether it would win before it disturbs anybody (9.6). */
  enum Role {
    FOLLOWER,
    PRE_CANDIDATE,
    CANDIDATE,
    LEADER
  }

  final NodeId self;
  final List<NodeId> peers;
  final CoreSetting.Timing timing;
  final RaftLog log;

  /** Before any time that a monotonic clock may begin with; some begin far below zero. */
  private long now = Long.MIN_VALUE / 2;

  private long term;
  private @Nullable NodeId vote;

  /** The term or the vote is not in the journal yet. */
  private boolean unsaved;

  private long commit;
  private long covered;
  private Role role = Role.FOLLOWER;
  private @Nullable NodeId leader;

  private Role announcedRole = Role.FOLLOWER;
  private long announcedTerm;
  private @Nullable NodeId announcedLeader;

  private Actions out = action -> {};

  Replica(CoreSetting setting, RaftLog log, long term, @Nullable NodeId vote) {
    self = setting.self();
    peers = setting.members().stream().filter(m -> !m.equals(self)).toList();
    timing = setting.timing();
    this.log = log;
    this.term = term;
    this.vote = vote;
    commit = setting.snapshotSlot();
    covered = commit;
    announcedTerm = term;
  }

  /** The actions of the step that begins. */
  void begin(Actions actions) {
    out = actions;
  }

  long now() {
    return now;
  }

  void timeIs(long nanos) {
    now = Math.max(now, nanos);
  }

  long term() {
    return term;
  }

  @Nullable NodeId vote() {
    return vote;
  }

  long commit() {
    return commit;
  }

  Role role() {
    return role;
  }

  @Nullable NodeId leader() {
    return leader;
  }

  /** How many members are a majority. */
  int quorum() {
    return Quorum.of(peers.size() + 1);
  }

  /** Goes to a later term, in which it has voted for nobody. */
  void enter(long laterTerm) {
    if (laterTerm <= term) {
      throw new AssertionError("term " + laterTerm + " after term " + term);
    }
    term = laterTerm;
    vote = null;
    unsaved = true;
  }

  /** Votes in the current term; once. */
  void voteFor(NodeId candidate) {
    if (vote != null && !vote.equals(candidate)) {
      throw new AssertionError("two votes in term " + term + ": " + vote + ", " + candidate);
    }
    unsaved |= vote == null;
    vote = candidate;
  }

  /** Takes a role under a leader, and says so if it is news. */
  void become(Role newRole, @Nullable NodeId newLeader) {
    role = newRole;
    leader = newLeader;
    boolean leads = role == Role.LEADER;
    if (term == announcedTerm
        && leads == (announcedRole == Role.LEADER)
        && Objects.equals(leader, announcedLeader)) {
      return;
    }
    announcedTerm = term;
    announcedRole = role;
    announcedLeader = leader;
    out.add(leads ? new Action.Lead(term) : new Action.Follow(leader, term));
  }

  /** Decides everything up to {@code index} that is not decided yet. */
  void commitTo(long index) {
    if (index > commit) {
      out.add(new Action.Decide(commit + 1, log.decided(commit + 1, index)));
      commit = index;
    }
  }

  /** A snapshot covers everything up to {@code index}: it will not be decided here. */
  void skipTo(long index) {
    commit = Math.max(commit, index);
  }

  /** Sends, after the journal has the term and the vote: nobody may hear of less. */
  void send(NodeId to, RaftMessage message) {
    save();
    out.add(new Action.Send(to, message));
  }

  /** Persists. The journal has the term of an entry before it has the entry. */
  void persist(RaftMessage.Written message, long slot) {
    save();
    out.add(new Action.Persist(message, slot));
  }

  /**
   * Persists the term and the vote if they are news. The next base has them too, and no trim before
   * it may take them away: so they count as a record of the slot after the last base.
   */
  void save() {
    if (unsaved) {
      unsaved = false;
      out.add(new Action.Persist(new RaftMessage.Vote(term, vote), covered + 1));
    }
  }

  /** The last slot that a durable snapshot covers. */
  long covered() {
    return covered;
  }

  /** A snapshot covers everything up to {@code slot}: records of that are superseded by one. */
  void cover(long slot) {
    covered = slot;
    persist(new RaftMessage.Base(slot, log.term(slot), term, vote), slot + 1);
    out.add(new Action.Trim(slot));
  }

  /** Anything else for the driver. */
  void act(Action action) {
    out.add(action);
  }
}
