// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SwimGossipTest {
  private static final NodeId N1 = new NodeId("n1");
  private static final NodeId N2 = new NodeId("n2");
  private static final SwimGossip ALL =
      new SwimGossip(
          new SwimIncarnation(300, 2),
          List.of(
              SwimClaim.alive(N1, new SwimIncarnation(5, 1)),
              new SwimClaim(SwimClaim.Kind.SUSPECT, N2, new SwimIncarnation(6, 0), N1),
              new SwimClaim(SwimClaim.Kind.DEAD, N1, new SwimIncarnation(-1, 128), N2)));
  private static final String GOLDEN =
      "5301ac020203" // S, version 1, life 300, 2 refutations, 3 claims
          + "00026e310501" // alive n1, 5, 1
          + "01026e320600026e31" // suspect n2, 6, 0, says n1
          + "02026e31ffffffffffffffffff018001026e32"; // dead n1, -1, 128, says n2

  @Test
  void theBytesAreThese() {
    assertEquals(GOLDEN, HexFormat.of().formatHex(ALL.encode()));
    assertEquals(ALL, SwimGossip.decode(HexFormat.of().parseHex(GOLDEN)));
  }

  @Test
  void whatIsCutShortOrTooLongIsRefused() {
    byte[] bytes = ALL.encode();
    for (int length = 0; length < bytes.length; length++) {
      byte[] part = Arrays.copyOf(bytes, length);
      assertThrows(WireFormatException.class, () -> SwimGossip.decode(part), "length " + length);
    }
    assertRefused(GOLDEN + "00");
    byte[] huge = Arrays.copyOf(bytes, SwimGossip.BYTES + 1);
    assertThrows(WireFormatException.class, () -> SwimGossip.decode(huge));
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertRefused("5401010000"); // another mark
    assertRefused("5302010000"); // another version
    assertRefused("530101000103026e310501"); // a claim of kind 3
    assertRefused("530101000100012e0501"); // a node called .
    assertRefused("5301018080808080808080010100"); // more refutations than there can be
    assertRefused("53010100" + "41" + "00".repeat(65)); // 65 claims
  }

  @Test
  void noiseIsRefusedOrReadAndNothingElse() {
    SplittableRandom random = new SplittableRandom(1);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = ALL.encode();
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        assertEquals(3, SwimGossip.decode(bytes).claims().size());
      } catch (WireFormatException e) {
        refused++;
      }
    }
    assertTrue(refused > 5_000, "refused " + refused);
  }

  @Test
  void aFullMessageKeepsTheLimit() {
    NodeId longest = new NodeId("n".repeat(64));
    SwimIncarnation incarnation = new SwimIncarnation(-1, 1L << 48);
    SwimClaim claim = new SwimClaim(SwimClaim.Kind.SUSPECT, longest, incarnation, longest);
    GossipQueue queue = new GossipQueue();
    for (int i = 0; i < 30; i++) {
      NodeId source = new NodeId("n".repeat(62) + (10 + i));
      queue.add(new SwimClaim(claim.kind(), longest, incarnation, source), true);
    }
    List<SwimClaim> claims = new ArrayList<>();
    queue.take(claims, SwimGossip.BYTES - SwimGossip.HEADER_BYTES, 4);
    assertEquals(7, claims.size());
    byte[] bytes = new SwimGossip(incarnation, claims).encode();
    assertTrue(bytes.length <= SwimGossip.BYTES);
    assertTrue(claim.bytesMax() >= (bytes.length - SwimGossip.HEADER_BYTES) / 7);
    assertThrows(
        AssertionError.class,
        () -> new SwimGossip(incarnation, Collections.nCopies(SwimGossip.CLAIMS + 1, claim)));
  }

  private static void assertRefused(String hex) {
    assertThrows(
        WireFormatException.class, () -> SwimGossip.decode(HexFormat.of().parseHex(hex)), hex);
  }
}
