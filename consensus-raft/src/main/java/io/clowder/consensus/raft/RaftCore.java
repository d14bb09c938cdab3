// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.WireFormatException;
import io.clowder.consensus.raft.RaftMessage.AppendReject;
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.AppendRequest;
import io.clowder.consensus.raft.RaftMessage.Heartbeat;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;
import io.clowder.consensus.raft.RaftMessage.Spoken;
import io.clowder.consensus.raft.RaftMessage.TimeoutNow;
import io.clowder.consensus.raft.RaftMessage.VoteReply;
import io.clowder.consensus.raft.RaftMessage.VoteRequest;
import io.clowder.consensus.raft.Replica.Role;
import org.jspecify.annotations.Nullable;

/** One replica: gives every event to the role it concerns, and keeps the rules for terms (§5.1). */
final class RaftCore implements ProtocolCore {
  /** Elections cannot raise a term that much while a replica is away: such a sender is broken. */
  private static final long TERM_JUMP_MAX = 1L << 32;

  private final Replica replica;
  private final Election election;
  private final Follower follower;
  private @Nullable Leadership leadership;
  private boolean started;
  private long armed = Long.MAX_VALUE;

  RaftCore(CoreSetting setting, Replica replica) {
    this(setting, replica, Follower.TAIL_ENTRIES);
  }

  RaftCore(CoreSetting setting, Replica replica, int tailEntries) {
    this.replica = replica;
    election = new Election(replica, setting.random());
    follower = new Follower(replica, tailEntries);
  }

  @Override
  public void step(Event event, Actions out) {
    replica.begin(out);
    if (event instanceof Event.Receive e) {
      receive(e.from(), e.message());
    } else if (event instanceof Event.Propose e) {
      propose(e);
    } else if (event instanceof Event.Barrier e) {
      barrier(e.ticket());
    } else if (event instanceof Event.Clock e) {
      clock(e.now());
    } else if (event instanceof Event.Compacted e) {
      follower.compacted(e.slot());
    } else if (event instanceof Event.Installed e) {
      installed(e);
    } else if (event instanceof Event.Resign) {
      resign();
    } else if (event instanceof Event.Campaign) {
      campaign();
    } else if (event instanceof Event.Gone e) {
      gone(e.member());
    } else {
      throw new AssertionError("unknown event " + event);
    }
    if (leadership != null && leadership.isOver()) {
      follow(null);
    }
    replica.save();
    arm();
  }

  private void clock(long now) {
    replica.timeIs(now);
    if (!started) {
      started = true;
      if (replica.peers.isEmpty()) {
        election.campaignInTime();
      } else {
        election.rest();
      }
    } else if (leadership != null) {
      leadership.tick();
    } else if (replica.now() >= election.deadline()) {
      election.campaignInTime();
    }
  }

  private void propose(Event.Propose event) {
    if (leadership != null && leadership.isOpen()) {
      leadership.propose(event.commands());
    } else {
      replica.act(new Action.Refuse(event.ticket(), leaderElsewhere()));
    }
  }

  private void barrier(long ticket) {
    if (leadership != null) {
      leadership.barrier(ticket);
    } else {
      replica.act(new Action.Refuse(ticket, leaderElsewhere()));
    }
  }

  private @Nullable NodeId leaderElsewhere() {
    return leadership == null ? replica.leader() : null;
  }

  private void resign() {
    if (leadership != null) {
      leadership.resign();
    }
  }

  private void campaign() {
    if (started && replica.leader() == null && replica.role() == Role.FOLLOWER) {
      election.campaignInTime();
    }
  }

  private void gone(NodeId member) {
    if (replica.role() == Role.FOLLOWER && member.equals(replica.leader())) {
      election.doubt();
    }
  }

  private void installed(Event.Installed event) {
    long slotTerm;
    try {
      slotTerm = Anchor.term(event.anchor());
    } catch (WireFormatException e) {
      throw new AssertionError("installed " + event.slot() + ": " + e.getMessage(), e);
    }
    if (slotTerm > replica.term()) {
      replica.enter(slotTerm);
      follow(null);
    } else if (leadership != null
        && event.slot() > replica.commit()
        && !replica.log.holds(event.slot(), slotTerm)) {
      // Committed elsewhere and not held here: there is a later leader.
      follow(null);
    }
    follower.installed(event.slot(), slotTerm);
  }

  private void receive(NodeId from, Message message) {
    boolean own = from.equals(replica.self);
    if (!(message instanceof Spoken spoken)
        || !(own || replica.peers.contains(from))
        || spoken.term() - replica.term() > TERM_JUMP_MAX) {
      return;
    }
    if (spoken instanceof VoteRequest request) {
      if (!own) {
        requested(from, request);
      }
    } else if (spoken instanceof VoteReply reply && reply.pre() && reply.granted()) {
      // Speaks of a term that nobody is in yet.
      voted(from, reply);
    } else if (spoken.term() < replica.term()) {
      correct(from, spoken);
    } else {
      if (spoken.term() > replica.term()) {
        boolean leads = spoken instanceof AppendRequest || spoken instanceof Heartbeat;
        replica.enter(spoken.term());
        follow(leads && !own ? from : null);
      }
      current(from, own, spoken);
    }
  }

  private void requested(NodeId from, VoteRequest request) {
    if (!request.transfer() && election.sticksToLeader()) {
      return;
    }
    if (request.pre()) {
      election.answerPre(from, request);
      return;
    }
    if (request.term() > replica.term()) {
      replica.enter(request.term());
      follow(null);
    }
    election.answer(from, request);
  }

  /** Tells a leader of an earlier term that it is over; its answers are of no interest. */
  private void correct(NodeId from, Spoken spoken) {
    if (spoken instanceof AppendRequest || spoken instanceof Heartbeat) {
      replica.send(from, new HeartbeatReply(replica.term(), 0));
    }
  }

  /** A message of the current term. */
  private void current(NodeId from, boolean own, Spoken spoken) {
    if (leadership != null) {
      leadership.hear(from);
    }
    if (spoken instanceof AppendRequest request) {
      if (!own) {
        hearLeader(from);
        follower.append(from, request);
      }
    } else if (spoken instanceof Heartbeat heartbeat) {
      if (!own) {
        hearLeader(from);
        follower.heartbeat(from, heartbeat);
      }
    } else if (spoken instanceof VoteReply reply) {
      voted(from, reply);
    } else if (spoken instanceof TimeoutNow) {
      if (from.equals(replica.leader()) && leadership == null) {
        election.campaign(true);
      }
    } else if (leadership != null) {
      if (spoken instanceof AppendReply reply) {
        leadership.acknowledged(from, reply);
      } else if (spoken instanceof AppendReject reject) {
        leadership.rejected(from, reject);
      } else if (spoken instanceof HeartbeatReply reply) {
        leadership.answered(from, reply);
      }
    }
  }

  private void hearLeader(NodeId from) {
    if (leadership != null || (replica.leader() != null && !replica.leader().equals(from))) {
      throw new AssertionError(
          "two leaders in term " + replica.term() + ": " + replica.leader() + " and " + from);
    }
    if (replica.role() != Role.FOLLOWER || replica.leader() == null) {
      replica.become(Role.FOLLOWER, from);
    }
    election.hear();
  }

  private void voted(NodeId from, VoteReply reply) {
    if (reply.pre() && replica.role() == Role.PRE_CANDIDATE) {
      boolean asked = !reply.granted() || reply.term() == replica.term() + 1;
      if (asked && election.counts(from, reply)) {
        election.campaign(false);
      }
    } else if (!reply.pre() && replica.role() == Role.CANDIDATE && election.counts(from, reply)) {
      replica.become(Role.LEADER, replica.self);
      leadership = new Leadership(replica);
      leadership.begin();
    }
  }

  /** Whatever it was, it is a follower now. A follower keeps the patience it has. */
  private void follow(@Nullable NodeId leader) {
    if (leadership != null) {
      leadership.end(leader);
      leadership = null;
    }
    if (replica.role() != Role.FOLLOWER) {
      election.rest();
    }
    replica.become(Role.FOLLOWER, leader);
  }

  /** A wish that comes too early costs a step and is made anew; so it is moved only forward. */
  private void arm() {
    long deadline = leadership != null ? leadership.deadline() : election.deadline();
    if (deadline < armed || armed <= replica.now()) {
      armed = deadline;
      replica.act(new Action.WakeAt(deadline));
    }
  }

  @Override
  public byte[] anchor(long slot) {
    if (slot < replica.log.base() || slot > replica.commit()) {
      throw new IllegalArgumentException(
          "slot " + slot + " is not from " + replica.log.base() + " to " + replica.commit());
    }
    return Anchor.of(replica.log.term(slot));
  }

  @Override
  public View view() {
    String role =
        switch (replica.role()) {
          case FOLLOWER -> "follower";
          case PRE_CANDIDATE, CANDIDATE -> "candidate";
          case LEADER -> "leader";
        };
    return new View(role, replica.term(), replica.log.last(), replica.commit(), waiting());
  }

  private String waiting() {
    if (leadership != null) {
      return leadership.waiting();
    }
    return replica.leader() == null ? election.waiting() : "";
  }
}
