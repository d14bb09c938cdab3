// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final Progress peer = new Progress(new NodeId("n2"), 0);

  private static Commands commands(int count, int bytes) {
    byte[][] commands = new byte[count][];
    for (int i = 0; i < count; i++) {
      commands[i] = new byte[bytes];
    }
    return new Commands(commands);
  }

  @BeforeEach
  void start() {
    assertFalse(peer.isOpen(), "where it is is not known");
    peer.startAfter(10);
    assertTrue(peer.isOpen());
  }

  @Test
  void theWindowIsBoundedByMessages() {
    for (int i = 0; i < Progress.WINDOW_MESSAGES; i++) {
      assertTrue(peer.isOpen());
      peer.sent(commands(2, 1));
    }
    assertFalse(peer.isOpen());
    assertThrows(AssertionError.class, () -> peer.sent(commands(1, 1)));
    peer.matches(11, 0);
    assertFalse(peer.isOpen(), "half a message");
    peer.matches(12, 0);
    assertTrue(peer.isOpen());
    assertEquals(12, peer.match());
    assertEquals(11 + 2 * Progress.WINDOW_MESSAGES, peer.next());
  }

  @Test
  void theWindowIsBoundedByBytes() {
    int half = Progress.WINDOW_BYTES / 2;
    peer.sent(commands(1, half));
    assertTrue(peer.isOpen());
    peer.sent(commands(1, half));
    assertFalse(peer.isOpen());
    peer.matches(11, 0);
    assertTrue(peer.isOpen());
  }

  @Test
  void whatItLacksIsSentOnceUntilItIsAcknowledged() {
    peer.sent(commands(1, 1));
    peer.sent(commands(1, 1));
    peer.lacks(10);
    assertEquals(11, peer.next());
    assertTrue(peer.isOpen());
    peer.sent(commands(1, 1));
    assertFalse(peer.isOpen());
    peer.matches(10, 0);
    assertEquals(Progress.State.PROBE, peer.state(), "that is not what was sent");
    peer.matches(12, 0);
    assertEquals(Progress.State.STREAM, peer.state());
    assertEquals(13, peer.next(), "it had the second");
  }

  @Test
  void aHeartbeatShowsWhatWasLostBeforeIt() {
    peer.sent(commands(3, 1));
    peer.beats(5);
    peer.sent(commands(1, 1));
    assertFalse(peer.isBeaten(4, 10), "an answer to an earlier one");
    assertFalse(peer.isBeaten(5, 13), "only what was sent after it is not there");
    assertFalse(peer.isBeaten(5, 10), "answered already");
    peer.beats(6);
    assertTrue(peer.isBeaten(7, 13), "also an answer to a later one, for a read");
  }

  /**
   * Answers to the first that was not answered may come after the next is sent, again and again.
   */
  @Test
  void slowAnswersShowWhatWasLostToo() {
    peer.sent(commands(3, 1));
    peer.beats(5);
    peer.sent(commands(1, 1));
    peer.beats(6);
    assertFalse(peer.isBeaten(5, 13));
    peer.beats(7);
    peer.beats(8);
    assertTrue(peer.isBeaten(7, 13));
    peer.beats(9);
    assertTrue(peer.isBeaten(9, 13));
  }

  /** A crash may cost it what it knew to be chosen: that is counted, and sent again. */
  @Test
  void whatItHasForgottenStillCounts() {
    peer.beats(5);
    assertTrue(peer.isBeaten(5, 4));
    peer.lacks(4);
    assertEquals(10, peer.match());
    assertEquals(5, peer.next());
    peer.sent(commands(2, 1));
    peer.matches(6, 0);
    assertEquals(7, peer.next());
    assertEquals(10, peer.match());
  }

  @Test
  void aSnapshotIsNeededUntilItIsThere() {
    peer.needsSnapshot();
    assertFalse(peer.isOpen());
    peer.matches(10, 20);
    assertEquals(Progress.State.SNAPSHOT, peer.state());
    peer.matches(20, 20);
    assertEquals(Progress.State.STREAM, peer.state());
    assertEquals(21, peer.next());
  }
}
