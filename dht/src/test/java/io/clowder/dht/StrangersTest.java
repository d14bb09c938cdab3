// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.NodeId;
import java.util.List;
import org.junit.jupiter.api.Test;

class StrangersTest {
  private static final NodeId ONE = new NodeId("n1");
  private static final NodeId OTHER = new NodeId("n2");

  private final Strangers strangers = new Strangers("mode peer", 10);

  private static String problem(NodeId node, String theirs) {
    return node
        + " has this ring with "
        + theirs
        + ", and this node with mode peer: that is to be the same on all nodes";
  }

  @Test
  void aWordHoldsForAWhile() {
    strangers.heard(OTHER, "mode consistent", 0);
    strangers.heard(ONE, "mode consistent", 5);
    strangers.heard(ONE, "no mode", 8);
    assertEquals(
        List.of(problem(ONE, "no mode"), problem(OTHER, "mode consistent")),
        strangers.problems(10));
    assertEquals(List.of(problem(ONE, "no mode")), strangers.problems(11));
    assertEquals(List.of(), strangers.problems(19));
  }

  @Test
  void whoHasTheSameIsNone() {
    strangers.heard(ONE, "mode consistent", 0);
    strangers.heard(OTHER, "mode consistent", 0);
    strangers.agrees(OTHER);
    assertEquals(List.of(problem(ONE, "mode consistent")), strangers.problems(0));
  }
}
