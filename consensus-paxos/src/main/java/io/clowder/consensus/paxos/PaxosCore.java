// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.Actions;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.consensus.paxos.PaxosMessage.Accept;
import io.clowder.consensus.paxos.PaxosMessage.Accepted;
import io.clowder.consensus.paxos.PaxosMessage.Answer;
import io.clowder.consensus.paxos.PaxosMessage.Call;
import io.clowder.consensus.paxos.PaxosMessage.Canvass;
import io.clowder.consensus.paxos.PaxosMessage.Heartbeat;
import io.clowder.consensus.paxos.PaxosMessage.HeartbeatReply;
import io.clowder.consensus.paxos.PaxosMessage.Missing;
import io.clowder.consensus.paxos.PaxosMessage.Prepare;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.consensus.paxos.PaxosMessage.Rejected;
import io.clowder.consensus.paxos.PaxosMessage.Spoken;
import io.clowder.consensus.paxos.PaxosMessage.Succeed;
import io.clowder.consensus.paxos.PaxosMessage.Support;
import io.clowder.consensus.paxos.PaxosMessage.Trimmed;
import io.clowder.consensus.paxos.Replica.Role;
import org.jspecify.annotations.Nullable;

/** One replica: gives every event to the role it concerns, and keeps the rules for ballots. */
final class PaxosCore implements ProtocolCore {
  /** Elections cannot raise a round that much while a replica is away: such a sender is broken. */
  private static final long ROUND_JUMP_MAX = 1L << 32;

  private static final byte[] NO_ANCHOR = {};

  private final Replica replica;
  private final Learner learner;
  private final Acceptor acceptor;
  private final Election election;
  private @Nullable Preparation preparation;
  private @Nullable Proposer proposer;
  private boolean started;
  private long armed = Long.MAX_VALUE;

  PaxosCore(CoreSetting setting, Replica replica) {
    this(setting, replica, Acceptor.TAIL_SLOTS, Limits.BATCH_BYTES);
  }

  PaxosCore(CoreSetting setting, Replica replica, int tailSlots, int pageBytes) {
    this.replica = replica;
    learner = new Learner(replica, setting.snapshotSlot());
    acceptor = new Acceptor(replica, learner, tailSlots, pageBytes);
    election = new Election(replica, learner, setting.random());
  }

  @Override
  public void step(Event event, Actions out) {
    replica.begin(out);
    if (learner.decided() < replica.recovered) {
      learner.recall();
    }
    if (event instanceof Event.Receive e) {
      receive(e.from(), e.message());
    } else if (event instanceof Event.Propose e) {
      propose(e);
    } else if (event instanceof Event.Barrier e) {
      barrier(e.ticket());
    } else if (event instanceof Event.Clock e) {
      clock(e.now());
    } else if (event instanceof Event.Compacted e) {
      acceptor.compacted(e.slot());
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
    if (proposer != null && proposer.isOver()) {
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
        prepare(false);
      } else {
        election.rest();
      }
    } else if (proposer != null) {
      proposer.tick();
    } else if (replica.now() >= election.deadline()) {
      canvass();
    } else if (preparation != null) {
      preparation.tick();
    }
  }

  private void propose(Event.Propose event) {
    if (proposer != null && proposer.isOpen()) {
      proposer.propose(event.commands());
    } else {
      replica.act(new Action.Refuse(event.ticket(), leaderElsewhere()));
    }
  }

  private void barrier(long ticket) {
    if (proposer != null) {
      proposer.barrier(ticket);
    } else {
      replica.act(new Action.Refuse(ticket, leaderElsewhere()));
    }
  }

  private @Nullable NodeId leaderElsewhere() {
    return proposer == null ? replica.leader() : null;
  }

  private void resign() {
    if (proposer != null) {
      proposer.resign();
    }
  }

  private void campaign() {
    if (started && replica.leader() == null && replica.role() == Role.FOLLOWER) {
      canvass();
    }
  }

  private void gone(NodeId member) {
    if (replica.role() == Role.FOLLOWER && member.equals(replica.leader())) {
      election.doubt();
    }
  }

  private void installed(Event.Installed event) {
    if (event.anchor().length > 0) {
      throw new AssertionError(
          "installed %d: an anchor of %d bytes; Paxos has none"
              .formatted(event.slot(), event.anchor().length));
    }
    if (event.slot() > learner.decided() && (proposer != null || preparation != null)) {
      // Chosen elsewhere, perhaps in a later ballot: what phase 1 has found may be out of date.
      follow(null);
    }
    acceptor.installed(event.slot());
  }

  private void receive(NodeId from, Message message) {
    int sender = replica.members.indexOf(from);
    if (!(message instanceof Spoken spoken) || sender < 0 || !isPlausible(spoken.ballot())) {
      return;
    }
    boolean own = from.equals(replica.self);
    int owner = spoken.ballot().member();
    if (spoken instanceof Call call) {
      if (owner == sender && !own) {
        called(from, call);
      }
    } else if (spoken instanceof Answer answer) {
      if (replica.members.get(owner).equals(replica.self)) {
        answered(from, answer);
      }
    }
  }

  private boolean isPlausible(Ballot ballot) {
    return ballot.member() < replica.members.size()
        && ballot.round() - replica.promised().round() <= ROUND_JUMP_MAX;
  }

  private void called(NodeId owner, Call call) {
    if (call instanceof Canvass canvass) {
      canvassed(owner, canvass);
    } else if (call.ballot().isBelow(replica.promised())) {
      replica.send(owner, new Rejected(call.ballot(), replica.promised()));
    } else if (call instanceof Prepare prepare) {
      prepared(owner, prepare);
    } else if (call instanceof Accept accept) {
      hearLeader(owner, accept.ballot());
      acceptor.accept(owner, accept);
    } else if (call instanceof Heartbeat heartbeat) {
      hearLeader(owner, heartbeat.ballot());
      acceptor.heartbeat(owner, heartbeat);
    } else if (call instanceof Succeed) {
      if (owner.equals(replica.leader())) {
        prepare(true);
      }
    }
  }

  private void canvassed(NodeId owner, Canvass canvass) {
    if (!election.sticksToLeader()) {
      boolean holds = acceptor.holds(canvass.from());
      election.answer(owner, canvass, holds);
      if (!holds) {
        replica.act(new Action.NeedSnapshot(owner));
        election.standSoon();
      }
    }
  }

  /** Phase 1b. The ballot is the promised one, or a later one. */
  private void prepared(NodeId owner, Prepare prepare) {
    if (!prepare.transfer() && election.sticksToLeader()) {
      return;
    }
    if (!acceptor.holds(prepare.from())) {
      replica.act(new Action.NeedSnapshot(owner));
      acceptor.answerTrimmed(owner, prepare);
      election.standSoon();
      return;
    }
    // Only a question for a page shows whether this replica could answer it.
    if (replica.promised().isBelow(prepare.ballot()) && prepare.from() != Prepare.ALIVE) {
      enter(prepare.ballot(), null);
    }
    if (replica.leader() == null) {
      election.rest();
    }
    if (replica.promised().equals(prepare.ballot())) {
      acceptor.answer(owner, prepare);
    }
  }

  /** The owner of a ballot that is not earlier than the promised one leads in it. */
  private void hearLeader(NodeId owner, Ballot ballot) {
    if (replica.promised().isBelow(ballot)) {
      enter(ballot, owner);
    } else if (replica.role() != Role.FOLLOWER || replica.leader() == null) {
      follow(owner);
    }
    election.hear();
  }

  /** Promises another member's ballot. */
  private void enter(Ballot ballot, @Nullable NodeId leader) {
    acceptor.promise(ballot);
    follow(leader);
  }

  private void answered(NodeId from, Answer answer) {
    if (answer instanceof Support support) {
      hear(support.promised());
      if (election.counts(from, support)) {
        prepare(false);
      }
      return;
    }
    if (answer instanceof Rejected rejected) {
      hear(rejected.promised());
    }
    if (!answer.ballot().equals(replica.promised())) {
      return;
    }
    if (answer instanceof Rejected) {
      if (proposer != null || preparation != null) {
        follow(null);
      }
    } else if (preparation != null) {
      promised(preparation, from, answer);
    } else if (proposer != null) {
      proposer.hear(from);
      if (answer instanceof Accepted accepted) {
        proposer.accepted(from, accepted);
      } else if (answer instanceof Missing missing) {
        proposer.missing(from, missing);
      } else if (answer instanceof HeartbeatReply reply) {
        proposer.answered(from, reply);
      }
    }
  }

  private void hear(Ballot ballot) {
    if (isPlausible(ballot)) {
      replica.hear(ballot);
    }
  }

  private void promised(Preparation phase1, NodeId from, Answer answer) {
    if (answer instanceof Promise promise) {
      if (phase1.promised(from, promise)) {
        election.rest();
      }
    } else if (answer instanceof Trimmed trimmed) {
      phase1.trimmed(from, trimmed);
    }
    if (phase1.isDone()) {
      preparation = null;
      replica.become(Role.LEADING, replica.self);
      proposer = new Proposer(replica, learner);
      proposer.begin(phase1);
    }
  }

  private void canvass() {
    preparation = null;
    if (replica.peers.isEmpty()) {
      prepare(false);
    } else {
      election.canvass();
    }
  }

  /** Phase 1a of a ballot of its own. */
  private void prepare(boolean transfer) {
    acceptor.promise(replica.nextBallot());
    replica.become(Role.PREPARING, null);
    election.rest();
    preparation = new Preparation(replica, learner.decided(), transfer);
    preparation.begin();
  }

  /** Whatever it was, it is a follower now. A follower keeps the patience it has. */
  private void follow(@Nullable NodeId leader) {
    if (proposer != null) {
      proposer.end(leader);
      proposer = null;
    }
    preparation = null;
    if (replica.role() != Role.FOLLOWER) {
      election.rest();
    }
    replica.become(Role.FOLLOWER, leader);
  }

  /** A wish that comes too early costs a step and is made anew; so it is moved only forward. */
  private void arm() {
    long deadline = proposer != null ? proposer.deadline() : election.deadline();
    if (preparation != null) {
      deadline = Math.min(deadline, preparation.deadline());
    }
    if (deadline < armed || armed <= replica.now()) {
      armed = deadline;
      replica.act(new Action.WakeAt(deadline));
    }
  }

  @Override
  public byte[] anchor(long slot) {
    if (slot < replica.log.base() || slot > learner.decided()) {
      throw new IllegalArgumentException(
          "slot " + slot + " is not from " + replica.log.base() + " to " + learner.decided());
    }
    return NO_ANCHOR;
  }

  @Override
  public View view() {
    String role =
        switch (replica.role()) {
          case FOLLOWER -> "follower";
          case CANVASSING, PREPARING -> "candidate";
          case LEADING -> "leader";
        };
    return new View(role, replica.term(), replica.log.last(), learner.decided(), waiting());
  }

  private String waiting() {
    if (proposer != null) {
      return proposer.waiting();
    }
    if (preparation != null) {
      return preparation.waiting();
    }
    return replica.leader() == null ? election.waiting() : "";
  }
}
