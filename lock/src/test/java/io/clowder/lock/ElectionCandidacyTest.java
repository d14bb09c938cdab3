// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ElectionCandidacyTest {
  @Test
  void theElectionHasTheNameOfTheConfiguration() {
    assertEquals(
        new Standing("billing", "main", 0, ""),
        ElectionCandidacy.standing(Map.of("service.pid", "io.clowder.election~billing")));
    assertEquals(
        new Standing("other", "side", 3, ""),
        ElectionCandidacy.standing(
            Map.of(
                "service.pid",
                "io.clowder.election~billing",
                "election.name",
                "other",
                "consensus.group",
                "side",
                "election.priority",
                3)));
  }

  @Test
  void aBadConfigurationIsRefusedByTheKey() {
    assertEquals(
        "io.clowder.election~billing: election.priority is '12': use an integer from 0 to 9",
        refused(Map.of("service.pid", "io.clowder.election~billing", "election.priority", 12)));
    assertEquals(
        "io.clowder.election.0815: election.name is missing: use 1 to 64 of letters, digits,"
            + " '.', '-' and '_'",
        refused(Map.of("service.pid", "io.clowder.election.0815")));
    assertEquals(
        "io.clowder.election~a b: election.name is 'a b': use 1 to 64 of letters, digits,"
            + " '.', '-' and '_'",
        refused(Map.of("service.pid", "io.clowder.election~a b")));
  }

  private static String refused(Map<String, Object> properties) {
    return assertThrows(
            IllegalArgumentException.class, () -> ElectionCandidacy.standing(properties))
        .getMessage();
  }
}
