// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import java.util.List;
import org.junit.jupiter.api.Test;

class AssignmentTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final NodeId C = new NodeId("c");

  private static Assignment assignment(List<NodeId> holders, List<NodeId> targets) {
    return new Assignment(1, holders, targets, 1, true, 0);
  }

  @Test
  void theOwnerIsTheFirstHolder() {
    assertNull(Assignment.NONE.owner());
    assertEquals(B, assignment(List.of(B, A), List.of(A, B)).owner());
  }

  @Test
  void whoIsToHoldItAndDoesNotJoins() {
    assertEquals(List.of(C), assignment(List.of(A, B), List.of(B, C)).joining());
    assertEquals(List.of(), assignment(List.of(A, B), List.of(B)).joining());
  }

  /** Another order is another owner. */
  @Test
  void itIsSettledInOrder() {
    assertTrue(assignment(List.of(A, B), List.of(A, B)).isSettled());
    assertFalse(assignment(List.of(A, B), List.of(B, A)).isSettled());
    assertFalse(assignment(List.of(A, B), List.of(A)).isSettled());
  }
}
