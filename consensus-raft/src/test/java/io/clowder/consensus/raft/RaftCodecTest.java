// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.protocol.Message;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RaftCodecTest {
  /** The bytes that journals hold and old peers send: a change of any is a break. */
  private static final Map<String, String> GOLDEN =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry(
                  "AppendRequest term=5 prevIndex=300 prevTerm=3 commit=299 entries=3:a,5:bc",
                  "010105ac0203ab020200016102026263"),
              Map.entry(
                  "AppendRequest term=1 prevIndex=0 prevTerm=0 commit=0 entries=-",
                  "0101010000" + "0000"),
              Map.entry("AppendReply term=5 match=301", "020105ad02"),
              Map.entry(
                  "AppendReject term=5 prevIndex=300 hintIndex=7 hintTerm=2", "030105ac020702"),
              Map.entry("Heartbeat term=5 commit=9 round=130", "04010509" + "8201"),
              Map.entry("HeartbeatReply term=5 round=130", "0501058201"),
              Map.entry(
                  "VoteRequest term=6 lastIndex=9 lastTerm=5 pre=true transfer=false",
                  "0601060905" + "0100"),
              Map.entry("VoteReply term=6 pre=false granted=true", "070106" + "0001"),
              Map.entry("TimeoutNow term=6", "080106"),
              Map.entry("Vote term=6 vote=n2", "090106" + "026e32"),
              Map.entry("Vote term=7 vote=-", "090107" + "00"),
              Map.entry(
                  "Appended prevIndex=300 prevTerm=3 entries=3:a,5:bc",
                  "0a01ac02030200016102026263"),
              Map.entry("Base index=300 indexTerm=3 term=6 vote=n2", "0b01ac020306" + "026e32")));

  private final RaftCodec codec = new RaftCodec();
  private final RaftVocabulary vocabulary = new RaftVocabulary();

  @Test
  void bytesNeverChange() {
    Map<String, String> actual = new TreeMap<>();
    for (String text : GOLDEN.keySet()) {
      actual.put(text, HexFormat.of().formatHex(write(vocabulary.parse(text))));
    }
    assertEquals(GOLDEN, actual);
  }

  @Test
  void everyKindIsReadAsItWasWritten() {
    Set<Class<?>> kinds = new HashSet<>();
    for (String text : GOLDEN.keySet()) {
      Message message = vocabulary.parse(text);
      kinds.add(message.getClass());
      WireReader in = new WireReader(write(message));
      assertEquals(message, codec.read(in));
      in.expectEnd();
    }
    assertEquals(new HashSet<>(kinds(RaftMessage.class)), kinds, "a kind without a golden example");
  }

  private static List<Class<?>> kinds(Class<?> sealed) {
    List<Class<?>> found = new ArrayList<>();
    for (Class<?> permitted : sealed.getPermittedSubclasses()) {
      if (permitted.isRecord()) {
        found.add(permitted);
      } else {
        found.addAll(kinds(permitted));
      }
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // nothing
        "08", // no version
        "0001", // kind 0
        "0c01", // a kind that does not exist
        "080206", // version 2
        "0801", // cut short
        "080100", // term 0
        "0801ffffffffffffffffff01", // a negative term
        "0801ffffffffffffffff7f", // an absurd term
        "0201058080808080808080c001", // an absurd index
        "0601060907" + "0100", // a last entry of a later term
        "0601060905" + "0200", // neither true nor false
        "03010507" + "0709", // a hint of a later term
        "0101050003" + "00ffffff7f", // a huge count
        "0101050003" + "000500016100", // a count beyond the bytes
        "0101050003" + "0001ffffffffffffffffff0100", // a falling term
        "0101050003" + "0001030161", // an entry of a later term than the message
        "01010500030001" + "00ffffff7f", // a huge length
        "0901060321" + "6e32", // no node's name
        "09010641" + "6e", // a name that is too long
        "0b01ac02070600", // a base of a later term than the current
      })
  void refusesWhatNoCoreSends(String hex) {
    WireReader in = new WireReader(HexFormat.of().parseHex(hex));
    assertThrows(WireFormatException.class, () -> codec.read(in));
  }

  /** Damaged messages are refused or are other messages; nothing else is thrown. */
  @Test
  void survivesAnyBytes() {
    SplittableRandom random = new SplittableRandom(7);
    List<byte[]> seeds = GOLDEN.values().stream().map(HexFormat.of()::parseHex).toList();
    int refused = 0;
    int read = 0;
    for (int i = 0; i < 40_000; i++) {
      byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
      for (int flips = random.nextInt(3); flips > 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length;
        Message message = codec.read(new WireReader(bytes, 0, length));
        assertEquals(message, codec.read(new WireReader(write(message))));
        read++;
      } catch (WireFormatException e) {
        refused++;
      }
    }
    assertTrue(refused > 5_000 && read > 5_000, refused + " refused, " + read + " read");
  }

  private byte[] write(Message message) {
    WireWriter out = new WireWriter(64);
    codec.write(message, out);
    return out.toByteArray();
  }
}
