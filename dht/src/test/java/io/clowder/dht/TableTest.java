// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void partitionsAreTheRingCutEqually() {
    for (int count : new int[] {2, 16, 65_536, 1 << 20}) {
      Partitions partitions = new Partitions(count);
      assertEquals(Identifier.ZERO, partitions.first(0));
      assertEquals("f".repeat(40), partitions.after(0).toString());
      assertEquals("f".repeat(40), partitions.last(count - 1).toString());
      for (int i = 0; i < count; i += Math.max(1, count / 61)) {
        assertEquals(i, partitions.of(partitions.first(i)));
        assertEquals(i, partitions.of(partitions.last(i)));
        assertEquals(partitions.first(i), partitions.after(i).next());
        assertEquals((i + 1) % count, partitions.of(partitions.last(i).next()));
      }
    }
    assertThrows(IllegalArgumentException.class, () -> new Partitions(48));
    assertThrows(IndexOutOfBoundsException.class, () -> new Partitions(16).first(16));
  }

  @Test
  void aPointIsInThePartitionOfItsTopBits() {
    SplittableRandom random = new SplittableRandom(1);
    Table table = Table.empty(new TableSettings(256, 3, "SHA-1"));
    byte[] bytes = new byte[Identifier.BYTES];
    for (int i = 0; i < 1_000; i++) {
      random.nextBytes(bytes);
      int top = new BigInteger(1, bytes).shiftRight(152).intValue();
      assertEquals(top, table.partitionOf(Identifier.of(bytes)));
    }
  }

  @Test
  void assignmentsShareAndDoNotChange() {
    NodeId node = new NodeId("a");
    Assignment other = new Assignment(1, List.of(node), List.of(), 1, true, 0);
    for (int size : new int[] {16, 256, 1024}) {
      Assignments before = Assignments.of(size, Assignment.NONE);
      Assignments after = before.with(Map.of(0, other, size - 1, other));
      assertEquals(before, Assignments.of(size, Assignment.NONE));
      for (int i = 0; i < size; i++) {
        assertEquals(i == 0 || i == size - 1 ? other : Assignment.NONE, after.get(i));
      }
      assertEquals(size, after.size());
      assertThrows(IndexOutOfBoundsException.class, () -> after.get(size));
    }
  }

  /** Where a failure left a gap, who has the data is asked before who has not. */
  @Test
  void holdersCountAsPresentWhereTargetsAreMissing() {
    NodeId a = new NodeId("a");
    NodeId b = new NodeId("b");
    NodeId c = new NodeId("c");
    TableSettings settings = new TableSettings(16, 2, "SHA-1");
    Map<NodeId, TableMember> members = new TreeMap<>();
    for (NodeId node : List.of(a, b, c)) {
      members.put(node, new TableMember(node, 1, "", 1, TableMember.State.MEMBER));
    }
    Assignments assignments =
        Assignments.of(16, new Assignment(1, List.of(a, b, c), List.of(b), 1, true, 0))
            .with(Map.of(1, new Assignment(1, List.of(a), List.of(b, c), 1, true, 0)));
    Table table = new Table(1, settings, new TreeMap<>(members), assignments, true);
    assertEquals(List.of(b, a), table.placement().present().get(0));
    assertEquals(List.of(b, c), table.placement().present().get(1));
    assertEquals("a", table.placement().candidates().get(0).domain());
    assertFalse(table.assignment(1).isSettled());
  }
}
