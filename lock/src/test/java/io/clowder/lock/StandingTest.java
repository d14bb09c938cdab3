// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StandingTest {
  @Test
  void whatIsMissingHasADefault() {
    assertEquals(
        new Standing("billing", "main", 0, "acme"),
        Standing.of(Map.of("election.name", "billing"), null, "acme"));
    assertEquals(new Standing("a.B-c_1", "main", 0, ""), Standing.of(Map.of(), "a.B-c_1", ""));
    assertEquals(
        new Standing("other", "main", 0, ""),
        Standing.of(Map.of("election.name", ""), "other", ""));
  }

  @Test
  void valuesMayBeTypedOrText() {
    Standing all = new Standing("billing", "side-2", 9, "");
    for (Object nine : List.of(9, 9L, (short) 9, "9")) {
      assertEquals(
          all,
          Standing.of(
              Map.of(
                  "election.name",
                  "billing",
                  "consensus.group",
                  "side-2",
                  "election.priority",
                  nine),
              null,
              ""));
    }
  }

  @Test
  void whatMakesNoSenseIsNamed() {
    assertEquals(
        "election.name is missing: use 1 to 64 of letters, digits, '.', '-' and '_'",
        refused(Map.of()));
    for (Object wrong : List.of("a b", "a/b", "ü", "x".repeat(65), 5)) {
      assertEquals(
          "election.name is '%s': use 1 to 64 of letters, digits, '.', '-' and '_'"
              .formatted(wrong),
          refused(Map.of("election.name", wrong)));
    }
    for (Object wrong : List.of("", "Main", "-a", "x".repeat(33), 5)) {
      assertEquals(
          "consensus.group is '%s': use 1 to 32 of a-z, 0-9 and '-'".formatted(wrong),
          refused(Map.of("election.name", "x", "consensus.group", wrong)));
    }
    for (Object wrong : List.of(-1, 10, 1.5, "10", "high", "", true)) {
      assertEquals(
          "election.priority is '%s': use an integer from 0 to 9".formatted(wrong),
          refused(Map.of("election.name", "x", "election.priority", wrong)));
    }
  }

  private static String refused(Map<String, Object> properties) {
    return assertThrows(IllegalArgumentException.class, () -> Standing.of(properties, null, "acme"))
        .getMessage();
  }
}
