// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.failure.detector.SwimClaim.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GossipQueueTest {
  private static final NodeId X = new NodeId("x");
  private static final NodeId Y = new NodeId("y");
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final int TIMES = 3;

  private final GossipQueue queue = new GossipQueue();

  @Test
  void aRumourIsPassedOnABoundedNumberOfTimes() {
    queue.add(claim(Kind.SUSPECT, X, 0, N1), true);
    for (int i = 0; i < TIMES; i++) {
      assertTrue(queue.hasNews());
      assertEquals(1, take(1_000).size());
    }
    assertFalse(queue.hasNews());
    assertEquals(List.of(), take(1_000));
    assertEquals(0, queue.size());
  }

  @Test
  void whatWasSentLeastGoesFirstAndTheYoungestOfThese() {
    SwimClaim x = claim(Kind.SUSPECT, X, 0, N1);
    SwimClaim y = claim(Kind.SUSPECT, Y, 0, N1);
    queue.add(x, true);
    queue.add(y, true);
    int one = x.bytesMax() + 1;
    assertEquals(List.of(y), take(one));
    assertEquals(List.of(x), take(one));
    assertEquals(List.of(y), take(one));
  }

  @Test
  void aClaimTakesThePlaceOfWhatItOverrides() {
    queue.add(claim(Kind.SUSPECT, X, 0, N1), true);
    SwimClaim alive = SwimClaim.alive(X, new SwimIncarnation(1, 1));
    queue.add(alive, true);
    assertEquals(List.of(alive), take(1_000));
    SwimClaim dead = claim(Kind.DEAD, X, 1, N2);
    queue.add(dead, true);
    assertEquals(List.of(dead), take(1_000));
  }

  @Test
  void suspicionsOfSeveralStandBesideEachOther() {
    queue.add(claim(Kind.SUSPECT, X, 0, N1), true);
    queue.add(claim(Kind.SUSPECT, X, 0, N2), false);
    assertEquals(2, take(1_000).size());
  }

  @Test
  void aConfirmationOnlyRidesAlong() {
    queue.add(claim(Kind.SUSPECT, X, 0, N2), false);
    assertFalse(queue.hasNews());
    assertEquals(1, take(1_000).size());
  }

  @Test
  void nothingIsPassedOnAboutWhoIsNoMember() {
    queue.add(claim(Kind.SUSPECT, X, 0, N1), true);
    queue.forget(X);
    assertFalse(queue.hasNews());
    assertEquals(0, queue.size());
  }

  private List<SwimClaim> take(int bytes) {
    List<SwimClaim> claims = new ArrayList<>();
    queue.take(claims, bytes, TIMES);
    return claims;
  }

  private static SwimClaim claim(Kind kind, NodeId node, long refutations, NodeId source) {
    return new SwimClaim(kind, node, new SwimIncarnation(1, refutations), source);
  }
}
