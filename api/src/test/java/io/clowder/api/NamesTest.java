// SPDX-License-Identifier: Apache-2.0
package io.clowder.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.protocol.CoreSetting;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class NamesTest {
  @Test
  void aNodesNameIsPlain() {
    assertEquals("n1", new NodeId("n1").toString());
    assertTrue(new NodeId("n1").compareTo(new NodeId("n2")) < 0);
    for (String bad : List.of("", ".", "-a", "a b", "ä", "a/b", "a".repeat(65), "a\nb")) {
      var e = assertThrows(IllegalArgumentException.class, () -> new NodeId(bad));
      assertTrue(e.getMessage().contains("node id"), e.getMessage());
    }
  }

  @Test
  void anAddressHasAHostAndAPort() {
    assertEquals(new Address("localhost", 7000), Address.parse("localhost:7000"));
    assertEquals(new Address("::1", 7000), Address.parse("[::1]:7000"));
    assertEquals("[::1]:7000", new Address("::1", 7000).toString());
    for (String bad : List.of("", "host", ":7000", "host:", "host:x", "host:0", "host:70000")) {
      assertThrows(IllegalArgumentException.class, () -> Address.parse(bad), bad);
    }
  }

  @Test
  void aCoreIsOneOfItsMembersAndPatientEnough() {
    var timing = new CoreSetting.Timing(10, 30);
    assertThrows(IllegalArgumentException.class, () -> new CoreSetting.Timing(10, 29));
    NodeId n1 = new NodeId("n1");
    List<NodeId> others = List.of(new NodeId("n2"));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new CoreSetting(0, n1, others, new TreeMap<>(), 0, new byte[0], timing, new Random(1)));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new CoreSetting(
                0, n1, List.of(n1), new TreeMap<>(), -1, new byte[0], timing, new Random(1)));
  }
}
