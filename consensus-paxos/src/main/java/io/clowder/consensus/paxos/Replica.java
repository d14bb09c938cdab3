// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.CoreSetting;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What all roles of one replica share, and the only way from them to the driver. */
final class Replica {
  /** What it is to the ballot it has promised; an acceptor and a learner it always is. */
  enum Role {
    FOLLOWER,
    /** Asks whether a ballot of its own would be promised. */
    CANVASSING,
    /** Phase 1 of a ballot of its own. */
    PREPARING,
    /** Phase 2 of a ballot of its own. */
    LEADING
  }

  final NodeId self;

  /** In ascending order: a ballot's member is a place in it. */
  final List<NodeId> members;

  final List<NodeId> peers;
  final Quorums quorums;
  final CoreSetting.Timing timing;
  final SlotLog log;

  /**
   * Up to there it had decided before it was restarted, and still holds what its snapshot lacks.
   */
  final long recovered;

  private final int place;

  /** Before any time that a monotonic clock may begin with; some begin far below zero. */
  private long now = Long.MIN_VALUE / 2;

  private Ballot promised;

  /** The promise is not in the journal yet. */
  private boolean unsaved;

  /** The highest ballot that was heard of; nothing is promised to it. */
  private Ballot heard = Ballot.NONE;

  private long covered;
  private Role role = Role.FOLLOWER;
  private @Nullable NodeId leader;

  private boolean announcedLeading;
  private Ballot announcedBallot;
  private @Nullable NodeId announcedLeader;

  private Actions out = action -> {};

  Replica(CoreSetting setting, Quorums quorums, SlotLog log, Ballot promised, long recovered) {
    self = setting.self();
    members = setting.members();
    place = members.indexOf(self);
    peers = members.stream().filter(m -> !m.equals(self)).toList();
    timing = setting.timing();
    this.quorums = quorums;
    this.log = log;
    this.promised = promised;
    this.recovered = recovered;
    covered = setting.snapshotSlot();
    announcedBallot = promised;
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

  /** Nothing of an earlier ballot is accepted here. */
  Ballot promised() {
    return promised;
  }

  /**
   * The driver's name for the promised ballot: its place in the order of all ballots of these
   * members, 0 for none. Never falls, and has one leader at most.
   */
  long term() {
    return promised.round() == 0
        ? 0
        : (promised.round() - 1) * members.size() + promised.member() + 1;
  }

  /** A ballot, for people. */
  String name(Ballot ballot) {
    return "ballot " + ballot.round() + " of " + members.get(ballot.member());
  }

  Role role() {
    return role;
  }

  @Nullable NodeId leader() {
    return leader;
  }

  /** Promises a later ballot, for all slots. */
  void promise(Ballot later) {
    if (!promised.isBelow(later)) {
      throw new AssertionError("ballot " + later + " after ballot " + promised);
    }
    promised = later;
    unsaved = true;
  }

  /** Somebody has promised that ballot: one below it is of no use. */
  void hear(Ballot ballot) {
    heard = Ballot.max(heard, ballot);
  }

  /** A ballot of its own, above all that it knows. */
  Ballot nextBallot() {
    return new Ballot(Ballot.max(promised, heard).round() + 1, place);
  }

  /** Takes a role under a leader, and says so if it is news. */
  void become(Role newRole, @Nullable NodeId newLeader) {
    role = newRole;
    leader = newLeader;
    boolean leads = role == Role.LEADING;
    if (promised.equals(announcedBallot)
        && leads == announcedLeading
        && Objects.equals(leader, announcedLeader)) {
      return;
    }
    announcedBallot = promised;
    announcedLeading = leads;
    announcedLeader = leader;
    out.add(leads ? new Action.Lead(term()) : new Action.Follow(leader, term()));
  }

  /** Sends, after the journal has the promise: nobody may hear of less. */
  void send(NodeId to, PaxosMessage message) {
    save();
    out.add(new Action.Send(to, message));
  }

  /**
   * Writes down votes in the promised ballot: these are a promise, too. And it writes down what is
   * decided, as far as the journal has it by then: after a crash the records that follow may be
   * lost, and older votes in their slots come back, which need not be what was chosen.
   */
  void vote(long first, Commands commands, long decided) {
    unsaved = false;
    long last = first + commands.size() - 1;
    out.add(
        new Action.Persist(
            new PaxosMessage.Voted(promised, first, Math.min(decided, last), commands), last));
  }

  /**
   * Writes down the promise if it is news. It is of all slots, so no trim may take it away before
   * the next base has it, too: it counts as a record of the slot after the last base.
   */
  void save() {
    if (unsaved) {
      unsaved = false;
      out.add(new Action.Persist(new PaxosMessage.Promised(promised), covered + 1));
    }
  }

  /** The last slot that a durable snapshot covers. */
  long covered() {
    return covered;
  }

  /** A snapshot covers everything up to {@code slot}: records of that are superseded by one. */
  void cover(long slot) {
    covered = slot;
    unsaved = false;
    out.add(new Action.Persist(new PaxosMessage.Base(slot, promised), slot + 1));
    out.add(new Action.Trim(slot));
  }

  /** Anything else for the driver. */
  void act(Action action) {
    out.add(action);
  }
}
