// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import io.clowder.consensus.raft.RaftMessage.AppendReply;
import io.clowder.consensus.raft.RaftMessage.AppendRequest;
import io.clowder.consensus.raft.RaftMessage.HeartbeatReply;
import io.clowder.consensus.raft.RaftMessage.VoteReply;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A leader of three under load; what traces would be too long for. */
class RaftCoreTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final NodeId N3 = new NodeId("n3");

  private final ProtocolCore leader =
      new RaftProtocol()
          .open(
              new CoreSetting(
                  0,
                  N1,
                  List.of(N1, N2, N3),
                  new TreeMap<>(),
                  0,
                  new byte[0],
                  new CoreSetting.Timing(10, 100),
                  new SplittableRandom(1)),
              List.of());
  private final List<Action> actions = new ArrayList<>();

  @BeforeEach
  void elect() {
    step(new Event.Clock(0));
    step(new Event.Clock(200));
    for (boolean pre : new boolean[] {true, false}) {
      step(new Event.Receive(N1, new VoteReply(1, pre, true)));
      step(new Event.Receive(N2, new VoteReply(1, pre, true)));
    }
    for (NodeId node : List.of(N1, N2, N3)) {
      step(new Event.Receive(node, new AppendReply(1, 1)));
    }
    assertEquals(1, leader.view().decided());
  }

  private void step(Event event) {
    actions.clear();
    leader.step(event, actions::add);
  }

  private List<AppendRequest> appendsTo(NodeId peer) {
    List<AppendRequest> found = new ArrayList<>();
    for (Action action : actions) {
      if (action instanceof Action.Send send
          && send.to().equals(peer)
          && send.message() instanceof AppendRequest request) {
        found.add(request);
      }
    }
    return found;
  }

  @Test
  void longBatchesAreCutForWireAndJournal() {
    step(new Event.Propose(1, Collections.nCopies(10, new byte[Limits.BATCH_BYTES / 4])));
    List<AppendRequest> sent = appendsTo(N2);
    assertEquals(4, sent.size());
    List<Message> written = new ArrayList<>();
    for (Action action : actions) {
      if (action instanceof Action.Persist persist) {
        written.add(persist.message());
      }
    }
    assertEquals(4, written.size());
    for (AppendRequest request : sent) {
      assertTrue(request.entries().bytes() <= Limits.BATCH_BYTES);
    }
    Action last = actions.get(actions.size() - 1);
    assertEquals(new Action.Send(N1, new AppendReply(1, 11)), last);
  }

  @Test
  void peersThatGoAlongAreSentTheSameObject() {
    step(new Event.Propose(1, List.of(new byte[1], new byte[2])));
    assertSame(appendsTo(N2).get(0), appendsTo(N3).get(0));
  }

  @Test
  void aSilentPeerIsNotFloodedAndLaterGetsBigBatches() {
    int proposals = Progress.WINDOW_MESSAGES + 100;
    int sent = 0;
    for (int i = 0; i < proposals; i++) {
      step(new Event.Propose(i, List.of(new byte[1])));
      sent += appendsTo(N3).size();
      long last = leader.view().lastSlot();
      step(new Event.Receive(N1, new AppendReply(1, last)));
      step(new Event.Receive(N2, new AppendReply(1, last)));
    }
    assertEquals(1 + proposals, leader.view().decided());
    assertEquals(Progress.WINDOW_MESSAGES, sent);
    assertEquals("n3 is behind by " + proposals, leader.view().waiting());

    step(new Event.Receive(N3, new AppendReply(1, 2)));
    assertEquals(1, appendsTo(N3).size());
    assertEquals(100, appendsTo(N3).get(0).entries().size());
  }

  /** Reads send heartbeats, too; those must not put off the ones that find lost appends. */
  @Test
  void aLostAppendIsFoundUnderConstantReads() {
    step(new Event.Propose(1, List.of(new byte[1])));
    step(new Event.Receive(N1, new AppendReply(1, 2)));
    step(new Event.Receive(N2, new AppendReply(1, 2)));
    int found = 0;
    for (int time = 201; time <= 240; time++) {
      step(new Event.Clock(time));
      step(new Event.Barrier(time));
      long round = lastRound();
      step(new Event.Receive(N1, new HeartbeatReply(1, round)));
      step(new Event.Receive(N2, new HeartbeatReply(1, round)));
      assertTrue(actions.contains(new Action.Ready(time, 2)));
      step(new Event.Receive(N3, new HeartbeatReply(1, round)));
      found += appendsTo(N3).size();
    }
    assertEquals(4, found, "once in a heartbeat");
  }

  private long lastRound() {
    long round = 0;
    for (Action action : actions) {
      if (action instanceof Action.Send send && send.message() instanceof HeartbeatReply reply) {
        round = reply.round();
      }
    }
    return round;
  }

  @Test
  void anchorsAreOfDecidedSlots() {
    assertArrayEquals(new byte[] {0, 0, 0, 0, 0, 0, 0, 1}, leader.anchor(1));
    step(new Event.Propose(1, List.of(new byte[1])));
    assertThrows(IllegalArgumentException.class, () -> leader.anchor(2));
  }
}
