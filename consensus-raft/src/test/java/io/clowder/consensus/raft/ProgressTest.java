// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.consensus.raft.Progress.State;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final Progress peer = new Progress(new NodeId("n2"), 11, 0);

  private static Entries entries(int count, int bytes) {
    long[] terms = new long[count];
    byte[][] commands = new byte[count][];
    for (int i = 0; i < count; i++) {
      terms[i] = 1;
      commands[i] = new byte[bytes];
    }
    return new Entries(terms, commands);
  }

  @Test
  void probesOneAtATime() {
    assertTrue(peer.isOpen());
    peer.sent(entries(3, 1));
    assertFalse(peer.isOpen());
    assertEquals(11, peer.next());
    assertTrue(peer.parts(10, 6));
    assertTrue(peer.isOpen());
    assertEquals(7, peer.next());
    assertFalse(peer.parts(10, 2), "an answer to an earlier question");
    peer.matches(6, 0);
    assertEquals(State.REPLICATE, peer.state());
    assertEquals(7, peer.next());
  }

  @Test
  void messagesOnTheirWayAreBounded() {
    peer.matches(10, 0);
    for (int i = 0; i < Progress.WINDOW_MESSAGES; i++) {
      assertTrue(peer.isOpen());
      peer.sent(entries(2, 1));
    }
    assertFalse(peer.isOpen());
    peer.matches(13, 0);
    assertTrue(peer.isOpen(), "11 and 12 have arrived, 13 is half of a message");
    peer.sent(entries(1, 1));
    assertFalse(peer.isOpen());
    peer.matches(peer.next() - 1, 0);
    assertTrue(peer.isOpen());
  }

  @Test
  void bytesOnTheirWayAreBounded() {
    peer.matches(10, 0);
    int sent = 0;
    while (peer.isOpen()) {
      peer.sent(entries(1, 1 << 20));
      sent++;
    }
    assertEquals(Progress.WINDOW_BYTES >> 20, sent);
    peer.matches(11, 0);
    assertTrue(peer.isOpen());
  }

  @Test
  void aRefusalEmptiesTheWindow() {
    peer.matches(10, 0);
    peer.sent(entries(5, 1));
    peer.sent(entries(5, 1));
    assertFalse(peer.parts(10, 3), "acknowledged before: the refusal is late");
    assertTrue(peer.parts(15, 10));
    assertEquals(State.PROBE, peer.state());
    assertEquals(11, peer.next());
    peer.matches(12, 0);
    assertEquals(13, peer.next());
  }

  @Test
  void aSnapshotEndsWhenThePeerHasIt() {
    peer.needsSnapshot(40);
    assertFalse(peer.isOpen());
    peer.matches(39, 40);
    assertEquals(State.SNAPSHOT, peer.state());
    peer.matches(40, 40);
    assertEquals(State.REPLICATE, peer.state());
    assertEquals(41, peer.next());
  }

  @Test
  void majorities() {
    assertEquals(1, Quorum.of(1));
    assertEquals(2, Quorum.of(2));
    assertEquals(2, Quorum.of(3));
    assertEquals(3, Quorum.of(4));
    assertEquals(7, Quorum.reached(new long[] {7}));
    assertEquals(1, Quorum.reached(new long[] {7, 1}));
    assertEquals(5, Quorum.reached(new long[] {9, 1, 5}));
    assertEquals(3, Quorum.reached(new long[] {9, 3, 5, 1}));
  }
}
