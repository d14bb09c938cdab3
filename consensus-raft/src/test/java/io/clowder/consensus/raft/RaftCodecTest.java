// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.simulator.trace.CodecTrial;
import java.util.HexFormat;
import java.util.Map;
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

  private final CodecTrial trial = new CodecTrial(new RaftCodec(), new RaftVocabulary());

  @Test
  void bytesNeverChange() {
    assertEquals(GOLDEN, trial.bytes(GOLDEN.keySet()));
  }

  @Test
  void everyKindIsReadAsItWasWritten() {
    assertEquals(
        CodecTrial.kinds(RaftMessage.class),
        trial.kinds(GOLDEN.keySet()),
        "a kind without a golden example");
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
    assertThrows(WireFormatException.class, () -> trial.codec().read(in));
  }

  /** Damaged messages are refused or are other messages; nothing else is thrown. */
  @Test
  void survivesAnyBytes() {
    CodecTrial.Damage damage = trial.damage(GOLDEN.values(), 40_000);
    assertTrue(damage.refused() > 5_000 && damage.read() > 5_000, damage.toString());
  }
}
