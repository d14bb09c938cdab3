// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.CoreSetting;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quorums, as the parameters of a segment say. */
class PaxosProtocolTest {
  private final PaxosProtocol protocol = new PaxosProtocol();

  private static List<NodeId> members(int count) {
    return IntStream.rangeClosed(1, count).mapToObj(i -> new NodeId("n" + i)).toList();
  }

  private static SortedMap<String, String> parameters(String text) {
    SortedMap<String, String> parameters = new TreeMap<>();
    for (String part : text.split(" ")) {
      parameters.put(part.substring(0, part.indexOf('=')), part.substring(part.indexOf('=') + 1));
    }
    return parameters;
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 2", "4, 3", "5, 3", "256, 129"})
  void quorumsAreMajoritiesUnlessToldOtherwise(int members, int majority) {
    assertEquals(new Quorums(members, majority, majority), Quorums.of(members, new TreeMap<>()));
    protocol.check(members(members), new TreeMap<>());
  }

  @ParameterizedTest
  @CsvSource({
    "4, quorum.accept=2, 3, 2",
    "5, quorum.prepare=4 quorum.accept=2, 4, 2",
    "5, quorum.prepare=5 quorum.accept=1, 5, 1",
    "5, quorum.prepare=1 quorum.accept=5, 1, 5",
    "3, quorum.accept=3, 2, 3"
  })
  void quorumsOfAnySizeThatMeet(int members, String text, int prepare, int accept) {
    protocol.check(members(members), parameters(text));
    Quorums quorums = Quorums.of(members, parameters(text));
    assertEquals(new Quorums(members, prepare, accept), quorums);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "3|quorum.accept=two|parameter 'quorum.accept' = 'two': write a number from 1 to 3, the"
            + " number of members, or leave it out for a majority",
        "3|quorum.prepare=0|parameter 'quorum.prepare' = '0': write a number from 1 to 3, the"
            + " number of members, or leave it out for a majority",
        "3|quorum.prepare=4|parameter 'quorum.prepare' = '4': write a number from 1 to 3, the"
            + " number of members, or leave it out for a majority",
        "5|quorum.accept=2|parameters 'quorum.prepare' = 3 and 'quorum.accept' = 2: two such"
            + " quorums of 5 members need not meet; raise one until their sum is over 5",
        "5|quorum.size=3|parameter 'quorum.size': paxos knows only quorum.prepare and quorum.accept"
      })
  void refusesWhatCannotBe(int members, String text, String message) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> protocol.check(members(members), parameters(text)));
    assertEquals(message, e.getMessage());

    CoreSetting setting =
        new CoreSetting(
            0,
            new NodeId("n1"),
            members(members),
            parameters(text),
            0,
            new byte[0],
            new CoreSetting.Timing(10, 100),
            new SplittableRandom(1));
    assertThrows(IllegalArgumentException.class, () -> protocol.open(setting, List.of()));
  }

  @Test
  void refusesMoreMembersThanBallotsKnow() {
    assertThrows(
        IllegalArgumentException.class, () -> protocol.check(members(257), new TreeMap<>()));
  }
}
