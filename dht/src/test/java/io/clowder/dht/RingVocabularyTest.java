// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.dht.RingMessage.AskState;
import io.clowder.dht.RingMessage.Claim;
import io.clowder.dht.RingMessage.Denied;
import io.clowder.dht.RingMessage.Found;
import io.clowder.dht.RingMessage.Gone;
import io.clowder.dht.RingMessage.Meet;
import io.clowder.dht.RingMessage.Notify;
import io.clowder.dht.RingMessage.Nudge;
import io.clowder.dht.RingMessage.Pending;
import io.clowder.dht.RingMessage.Ping;
import io.clowder.dht.RingMessage.Pong;
import io.clowder.dht.RingMessage.Route;
import io.clowder.dht.RingMessage.State;
import io.clowder.dht.RingMessage.Taken;
import io.clowder.dht.RingMessage.Unfound;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The bytes of every message, and what is refused. */
class RingVocabularyTest {
  private static final Identifier AT = Identifier.parse("0123456789abcdef".repeat(2) + "01234567");
  private static final String AT_HEX = AT.toString();
  private static final Member N1 = new Member(AT, new NodeId("n1"), 5);
  private static final String N1_HEX = AT_HEX + "0000000000000005" + "01" + "026e31";
  private static final Member NOBODY = N1.artificialNext();
  private static final String NOBODY_HEX = AT_HEX + "0000000000000006" + "00";
  private static final Query QUERY = new Query(N1, 300, 7, AT, true, List.of(N1), 1, 2);
  private static final String QUERY_HEX =
      N1_HEX + "ac02" + "07" + AT_HEX + "01" + "01" + N1_HEX + "01" + "02";

  private static Map<RingMessage, String> golden() {
    Successors list = Successors.of(List.of(N1, NOBODY));
    Map<RingMessage, String> golden = new LinkedHashMap<>();
    golden.put(new Ping(1), "010101");
    golden.put(new Pong(300), "0201ac02");
    golden.put(new AskState(3), "030103");
    golden.put(new State(3, N1, list), "040103" + N1_HEX + "02" + N1_HEX + NOBODY_HEX);
    golden.put(new Pending(4), "050104");
    golden.put(new Notify(), "0601");
    golden.put(new Nudge(), "0701");
    golden.put(new Gone(N1), "0801" + N1_HEX);
    golden.put(new Meet(N1, 7), "0901" + N1_HEX + "07");
    golden.put(new Route(8, QUERY), "0a0108" + QUERY_HEX);
    golden.put(new Claim(9, QUERY), "0b0109" + QUERY_HEX);
    golden.put(new Taken(10), "0c010a");
    golden.put(new Denied(11, N1), "0d010b" + N1_HEX);
    golden.put(
        new Found(12, list, List.of(N1), 1, 2),
        "0e010c" + "02" + N1_HEX + NOBODY_HEX + "01" + N1_HEX + "0102");
    golden.put(new Unfound(13, Failure.HOP_LIMIT), "0f010d02");
    return golden;
  }

  @Test
  void everyMessageHasItsBytes() {
    Set<Class<?>> kinds = new HashSet<>(Arrays.asList(RingMessage.class.getPermittedSubclasses()));
    golden()
        .forEach(
            (message, hex) -> {
              kinds.remove(message.getClass());
              assertEquals(hex, HexFormat.of().formatHex(message.encode()), message.toString());
              assertEquals(message, RingMessage.decode(HexFormat.of().parseHex(hex)));
              Envelope envelope = new Envelope(N1, Member.contact(AT, new NodeId("n1")), message);
              assertEquals(envelope, Envelope.decode(envelope.encode()));
            });
    assertEquals(Set.of(), kinds, "without golden bytes");
  }

  @Test
  void whatIsCutShortOrLongerIsRefused() {
    for (RingMessage message : golden().keySet()) {
      byte[] bytes = message.encode();
      for (int length = 0; length < bytes.length; length++) {
        byte[] part = Arrays.copyOf(bytes, length);
        assertThrows(WireFormatException.class, () -> RingMessage.decode(part));
      }
      byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
      assertThrows(WireFormatException.class, () -> RingMessage.decode(more));
    }
  }

  @Test
  void whatNobodySaysIsRefused() {
    Map<String, String> refused = new LinkedHashMap<>();
    refused.put("unknown kind", "100101");
    refused.put("kind 0", "000101");
    refused.put("another version", "010201");
    refused.put("no such failure", "0f010d09");
    refused.put("an empty list", "040103" + N1_HEX + "00");
    refused.put("a list over the limit", "040103" + N1_HEX + "41" + N1_HEX.repeat(65));
    refused.put("more hops than can be", "0901" + N1_HEX + "ffffffff7f");
    refused.put("fewer hops than none", "0901" + N1_HEX + "ffffffffffffffffff01");
    refused.put("a node without a name", "0801" + AT_HEX + "0000000000000005" + "01" + "00");
    refused.forEach(
        (what, hex) ->
            assertThrows(
                WireFormatException.class,
                () -> RingMessage.decode(HexFormat.of().parseHex(hex)),
                what));
  }

  /** Whatever the bytes are, they are a message or refused, and a message has bytes. */
  @Test
  void anyBytesAreReadOrRefused() {
    SplittableRandom random = new SplittableRandom(7);
    int read = 0;
    List<RingMessage> messages = List.copyOf(golden().keySet());
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = messages.get(i % messages.size()).encode();
      for (int flips = random.nextInt(3); flips >= 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        RingMessage message = RingMessage.decode(bytes);
        assertEquals(message, RingMessage.decode(message.encode()));
        read++;
      } catch (WireFormatException e) {
        // Refused, as it should be; anything else that is thrown fails the test.
      }
    }
    assertEquals(true, read > 1_000, read + " read");
  }
}
