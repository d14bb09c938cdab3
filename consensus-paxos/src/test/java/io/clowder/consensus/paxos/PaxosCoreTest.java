// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.protocol.Action;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Event;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.WireWriter;
import io.clowder.consensus.paxos.PaxosMessage.Accept;
import io.clowder.consensus.paxos.PaxosMessage.Accepted;
import io.clowder.consensus.paxos.PaxosMessage.HeartbeatReply;
import io.clowder.consensus.paxos.PaxosMessage.Prepare;
import io.clowder.consensus.paxos.PaxosMessage.Promise;
import io.clowder.consensus.paxos.PaxosMessage.Support;
import io.clowder.consensus.paxos.PaxosMessage.Voted;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A leader of three under load; what traces would be too long for. */
class PaxosCoreTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final NodeId N3 = new NodeId("n3");
  private static final Ballot BALLOT = new Ballot(1, 0);

  private final ProtocolCore leader = open(N1, List.of());
  private final List<Action> actions = new ArrayList<>();

  private static ProtocolCore open(NodeId self, List<Message> records) {
    return new PaxosProtocol()
        .open(
            new CoreSetting(
                0,
                self,
                List.of(N1, N2, N3),
                new TreeMap<>(),
                0,
                new byte[0],
                new CoreSetting.Timing(10, 100),
                new SplittableRandom(1)),
            records);
  }

  @BeforeEach
  void elect() {
    step(new Event.Clock(0));
    step(new Event.Clock(200));
    step(new Event.Receive(N1, new Support(BALLOT, true, Ballot.NONE)));
    step(new Event.Receive(N2, new Support(BALLOT, true, Ballot.NONE)));
    step(new Event.Receive(N1, new Promise(BALLOT, 1, 0, 0, Votes.NONE)));
    step(new Event.Receive(N2, new Promise(BALLOT, 1, 0, 0, Votes.NONE)));
    step(new Event.Receive(N3, new HeartbeatReply(BALLOT, 1, 0)));
    for (NodeId node : List.of(N1, N2, N3)) {
      step(new Event.Receive(node, new Accepted(BALLOT, 1)));
    }
    assertEquals(1, leader.view().decided());
  }

  private void step(Event event) {
    actions.clear();
    leader.step(event, actions::add);
  }

  private static List<Message> sent(List<Action> actions, NodeId peer, Class<?> kind) {
    List<Message> found = new ArrayList<>();
    for (Action action : actions) {
      if (action instanceof Action.Send send
          && send.to().equals(peer)
          && kind.isInstance(send.message())) {
        found.add(send.message());
      }
    }
    return found;
  }

  private List<Message> acceptsTo(NodeId peer) {
    return sent(actions, peer, Accept.class);
  }

  private static Commands commands(Message accept) {
    return ((Accept) accept).commands();
  }

  @Test
  void longBatchesAreCutForWireAndJournal() {
    step(new Event.Propose(1, Collections.nCopies(10, new byte[Limits.BATCH_BYTES / 4])));
    List<Message> sent = acceptsTo(N2);
    assertEquals(4, sent.size());
    long written =
        actions.stream()
            .filter(it -> it instanceof Action.Persist p && p.message() instanceof Voted)
            .count();
    assertEquals(4, written);
    for (Message request : sent) {
      assertTrue(commands(request).bytes() <= Limits.BATCH_BYTES);
    }
    Action last = actions.get(actions.size() - 1);
    assertEquals(new Action.Send(N1, new Accepted(BALLOT, 11)), last);
  }

  @Test
  void theDiskWorksWhileTheBatchIsOnItsWay() {
    step(new Event.Propose(1, List.of(new byte[1])));
    assertTrue(actions.get(0) instanceof Action.Send, actions.toString());
    assertTrue(actions.get(1) instanceof Action.Send, actions.toString());
    assertTrue(actions.get(2) instanceof Action.Persist, actions.toString());
  }

  @Test
  void peersThatGoAlongAreSentTheSameObject() {
    step(new Event.Propose(1, List.of(new byte[1], new byte[2])));
    assertSame(acceptsTo(N2).get(0), acceptsTo(N3).get(0));
  }

  @Test
  void aSilentPeerIsNotFloodedAndLaterGetsBigBatches() {
    int proposals = Progress.WINDOW_MESSAGES + 100;
    int sent = 0;
    for (int i = 1; i <= proposals; i++) {
      step(new Event.Propose(i, List.of(new byte[1])));
      sent += acceptsTo(N3).size();
      step(new Event.Receive(N1, new Accepted(BALLOT, 1 + i)));
      step(new Event.Receive(N2, new Accepted(BALLOT, 1 + i)));
    }
    assertEquals(1 + proposals, leader.view().decided());
    assertEquals(Progress.WINDOW_MESSAGES, sent);
    assertEquals("n3 is behind by " + proposals, leader.view().waiting());

    step(new Event.Receive(N3, new Accepted(BALLOT, 2)));
    assertEquals(1, acceptsTo(N3).size());
    assertEquals(100, commands(acceptsTo(N3).get(0)).size());
  }

  /** Reads send heartbeats, too; those must not put off the ones that find lost requests. */
  @Test
  void aLostRequestIsFoundUnderConstantReads() {
    step(new Event.Propose(1, List.of(new byte[1])));
    step(new Event.Receive(N1, new Accepted(BALLOT, 2)));
    step(new Event.Receive(N2, new Accepted(BALLOT, 2)));
    int found = 0;
    for (int time = 201; time <= 240; time++) {
      step(new Event.Clock(time));
      step(new Event.Barrier(time));
      long round = lastRound();
      step(new Event.Receive(N1, new HeartbeatReply(BALLOT, round, 0)));
      step(new Event.Receive(N2, new HeartbeatReply(BALLOT, round, 2)));
      assertTrue(actions.contains(new Action.Ready(time, 2)));
      step(new Event.Receive(N3, new HeartbeatReply(BALLOT, round, 1)));
      found += acceptsTo(N3).size();
    }
    assertEquals(4, found, "once in a heartbeat");
  }

  private long lastRound() {
    List<Message> own = sent(actions, N1, HeartbeatReply.class);
    return ((HeartbeatReply) own.get(own.size() - 1)).round();
  }

  /** Phase 1 comes in pages that fit into a batch; a lost one is asked for again. */
  @Test
  void whatWasAcceptedComesInPages() {
    Ballot old = new Ballot(1, 2);
    List<Message> records = new ArrayList<>();
    for (int slot = 1; slot <= 9; slot++) {
      byte[] command = new byte[Limits.BATCH_BYTES / 4];
      command[0] = (byte) slot;
      records.add(new Voted(old, slot, 0, new Commands(new byte[][] {command})));
    }
    records.add(new Voted(old, 10, 0, new Commands(new byte[][] {new byte[Limits.COMMAND_BYTES]})));
    ProtocolCore voter = open(N2, records);
    voter.step(new Event.Clock(0), action -> {});

    Ballot ballot = new Ballot(2, 0);
    ProtocolCore candidate = candidate(ballot);
    Message question = new Prepare(ballot, 1, false);
    int pages = 0;
    long now = 200;
    for (int turn = 0; question != null; turn++) {
      List<Action> answers = new ArrayList<>();
      voter.step(new Event.Receive(N1, question), answers::add);
      Message page = sent(answers, N1, Promise.class).get(0);
      assertFits(page);
      List<Action> then = new ArrayList<>();
      if (turn % 2 == 0) {
        // Lost: after a while the same is asked again. Until then each says that it lives.
        Message alive = new Promise(ballot, Prepare.ALIVE, 0, 10, Votes.NONE);
        while (questions(then, N2).isEmpty()) {
          candidate.step(new Event.Receive(N2, alive), then::add);
          now += 10;
          candidate.step(new Event.Clock(now), then::add);
        }
      } else {
        pages++;
        candidate.step(new Event.Receive(N2, page), then::add);
        assertEquals(List.of(), questions(then, N3), "no page of n3's has come");
      }
      List<Message> questions = questions(then, N2);
      question = questions.isEmpty() ? null : questions.get(0);
      if (question == null) {
        assertEquals(List.of(), sent(then, N3, Accept.class), "where n3 is is not known");
        assertEquals(5, sent(then, N2, Accept.class).size(), "the last one is its own");
      }
    }
    assertEquals(4, pages);
    assertEquals("leader", candidate.view().role());
    assertEquals(11, candidate.view().lastSlot());
  }

  /** Those that want a page. */
  private static List<Message> questions(List<Action> actions, NodeId peer) {
    List<Message> questions = sent(actions, peer, Prepare.class);
    questions.removeIf(it -> ((Prepare) it).from() == Prepare.ALIVE);
    return questions;
  }

  private static void assertFits(Message page) {
    WireWriter out = new WireWriter(1024);
    new PaxosCodec().write(page, out);
    assertTrue(out.size() <= Limits.FRAME_BYTES / 2, "a page of " + out.size() + " bytes");
    assertNotNull(((Promise) page).votes().ballot(0));
  }

  private static ProtocolCore candidate(Ballot ballot) {
    ProtocolCore candidate = open(N1, List.of());
    candidate.step(new Event.Clock(0), action -> {});
    Ballot before = new Ballot(ballot.round() - 1, 2);
    candidate.step(
        new Event.Receive(N2, new PaxosMessage.Rejected(new Ballot(1, 0), before)), action -> {});
    candidate.step(new Event.Clock(200), action -> {});
    candidate.step(new Event.Receive(N1, new Support(ballot, true, Ballot.NONE)), action -> {});
    candidate.step(new Event.Receive(N2, new Support(ballot, true, before)), action -> {});
    candidate.step(new Event.Receive(N1, new Promise(ballot, 1, 0, 0, Votes.NONE)), action -> {});
    assertEquals("candidate", candidate.view().role());
    return candidate;
  }

  @Test
  void anchorsAreOfDecidedSlots() {
    step(new Event.Propose(1, List.of(new byte[1])));
    assertEquals(0, leader.anchor(1).length);
    assertThrows(IllegalArgumentException.class, () -> leader.anchor(2));
  }
}
