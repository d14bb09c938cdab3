// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

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

class PaxosCodecTest {
  /** The bytes that journals hold and old peers send: a change of any is a break. */
  private static final Map<String, String> GOLDEN =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry(
                  "Accept ballot=5.1 first=300 chosen=299 commands=a,bc,-",
                  "0101" + "810a" + "ac02ab02" + "03" + "0161026263" + "00"),
              Map.entry("Accepted ballot=5.1 upTo=301", "0201810aad02"),
              Map.entry("Missing ballot=5.1 upTo=2 before=5", "0301810a0205"),
              Map.entry("Heartbeat ballot=5.1 chosen=9 round=130", "0401810a09" + "8201"),
              Map.entry("HeartbeatReply ballot=5.1 round=130 upTo=9", "0501810a8201" + "09"),
              Map.entry("Rejected ballot=5.1 promised=6.0", "0601810a" + "800c"),
              Map.entry("Canvass ballot=5.1 from=300", "0701810aac02"),
              Map.entry("Support ballot=5.1 granted=true promised=0.0", "0801810a" + "0100"),
              Map.entry("Support ballot=5.1 granted=false promised=6.0", "0801810a00" + "800c"),
              Map.entry("Prepare ballot=5.1 from=300 transfer=true", "0901810aac02" + "01"),
              Map.entry(
                  "Promise ballot=5.1 from=2 decided=1 last=9 votes=1.0:a,-,4.2:-",
                  "0a01810a" + "020109" + "03" + "8002" + "0161" + "00" + "8208" + "00"),
              Map.entry(
                  "Promise ballot=5.1 from=2 decided=1 last=1 votes=none",
                  "0a01810a" + "020101" + "00"),
              Map.entry("Trimmed ballot=5.1 slot=300", "0b01810aac02"),
              Map.entry("Succeed ballot=5.1", "0c01810a"),
              Map.entry("Promised ballot=5.1", "0d01810a"),
              Map.entry(
                  "Voted ballot=5.1 first=300 decided=299 commands=a,bc",
                  "0e01810aac02ab02" + "02" + "0161026263"),
              Map.entry("Base slot=300 promised=5.1", "0f01810aac02"),
              Map.entry("Base slot=300 promised=0.0", "0f0100ac02")));

  private final CodecTrial trial = new CodecTrial(new PaxosCodec(), new PaxosVocabulary());

  @Test
  void bytesNeverChange() {
    assertEquals(GOLDEN, trial.bytes(GOLDEN.keySet()));
  }

  @Test
  void everyKindIsReadAsItWasWritten() {
    assertEquals(
        CodecTrial.kinds(PaxosMessage.class),
        trial.kinds(GOLDEN.keySet()),
        "a kind without a golden example");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // nothing
        "0c", // no version
        "0001810a", // kind 0
        "1001810a", // a kind that does not exist
        "0c02810a", // version 2
        "0c01", // cut short
        "0c0100", // no ballot
        "0c0101", // round 0 of member 1
        "0c01ffffffffffffffffff01", // a negative ballot
        "0c01ffffffffffffffff7f", // an absurd round
        "0201810a8080808080808080c001", // an absurd slot
        "0301810a0202", // nothing misses
        "0601810a" + "810a", // rejected by an equal ballot
        "0701810a00", // slot 0
        "0801810a01" + "800c", // supported by one who has promised more
        "0801810a02" + "00", // neither true nor false
        "0901810aac02" + "03", // neither true nor false
        "0a01810a" + "020109" + "00", // no votes where there are some
        "0a01810a" + "020101" + "0180020161", // votes beyond the last
        "0a01810a" + "020509" + "01820c0161", // a vote in a later ballot
        "0a01810a" + "020901" + "00", // decided beyond the last
        "0a01810a" + "020303" + "02" + "80020161" + "00", // decided, and not there
        "0a01810a" + "020109" + "00ffffff7f", // a huge count
        "0101810aac02ab02" + "00", // no commands
        "0101810a00ab02" + "010161", // slot 0
        "0101810aac02ab02" + "ffffff7f", // a huge count
        "0101810aac02ab02" + "05" + "0161", // a count beyond the bytes
        "0101810aac02ab02" + "01" + "ffffff7f", // a huge length
        "0e01810a0506" + "010161", // decided beyond the last
        "0f01810a00", // a base at 0
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
