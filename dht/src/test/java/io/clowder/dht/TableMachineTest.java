// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.NodeId;
import io.clowder.api.consensus.Entry;
import io.clowder.api.wire.WireFormatException;
import io.clowder.dht.TableCommand.Join;
import io.clowder.dht.TableCommand.Leave;
import io.clowder.dht.TableCommand.Place;
import io.clowder.dht.TableCommand.Remove;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TableMachineTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final TableSettings SETTINGS = new TableSettings(16, 2, "SHA-1");

  private final List<String> told = new ArrayList<>();
  private final TableMachine machine =
      new TableMachine((ring, table) -> told.add(ring + " " + table.epoch()));
  private long position;

  private Verdict apply(String ring, TableCommand command) {
    return Verdict.decode(apply(machine, TableMachine.encode(ring, command)));
  }

  private byte[] apply(TableMachine applying, byte[] command) {
    return applying.apply(new Entry(Entry.Kind.COMMAND, ++position, 0, 1, command));
  }

  private Table table(String ring) {
    return TableMachine.decode(machine.query(TableMachine.query(ring)));
  }

  private static byte[] snapshot(TableMachine machine) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    machine.snapshot().writeTo(out);
    return out.toByteArray();
  }

  private static Join join(NodeId node) {
    return new Join(node, 1, 0, "", 1, SETTINGS);
  }

  @Test
  void ringsAreMadeByWhoJoinsFirst() {
    assertEquals(new Verdict(false, 0, "there is no ring x"), apply("x", new Leave(A, 1)));
    assertNull(table("x"));
    assertEquals(Verdict.accepted(1), apply("x", join(A)));
    assertEquals(Verdict.accepted(1), apply("x", join(A)));
    assertEquals(Verdict.accepted(2), apply("x", join(B)));
    assertEquals(Verdict.accepted(1), apply("y", join(B)));
    assertFalse(apply("y", new Remove(B)).isAccepted());
    assertEquals(List.of("x 1", "x 2", "y 1"), told);
    assertEquals(List.of(A, B), table("x").candidates().stream().map(TableMember::node).toList());
  }

  @Test
  void ringsHaveALimit() {
    for (int i = 0; i < TableMachine.RINGS; i++) {
      assertTrue(apply("r" + i, join(A)).isAccepted());
    }
    assertFalse(apply("x", join(A)).isAccepted());
    assertNull(table("x"));
  }

  @Test
  void partitionsOfAllRingsHaveALimit() {
    Join join = new Join(A, 1, 0, "", 1, new TableSettings(65_536, 1, "SHA-1"));
    for (int i = 0; i < 16; i++) {
      assertTrue(apply("r" + i, join).isAccepted());
    }
    assertFalse(apply("x", join(A)).isAccepted());
  }

  @Test
  void aSnapshotIsAllOfIt() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 200; i++) {
      String ring = "r" + random.nextInt(3);
      NodeId node = new NodeId("n" + random.nextInt(5));
      apply(ring, join(node));
      Table table = table(ring);
      apply(ring, new Place(node, table.epoch(), new BoundedLoads().place(table.placement())));
      if (random.nextInt(3) == 0) {
        apply(ring, new Leave(node, 1));
      }
    }
    byte[] before = snapshot(machine);
    List<String> restored = new ArrayList<>();
    TableMachine other =
        new TableMachine((ring, table) -> restored.add(ring + " " + table.epoch()));
    other.restore(new ByteArrayInputStream(before));
    assertArrayEquals(before, snapshot(other));
    assertEquals(3, restored.size());
    byte[] next = TableMachine.encode("r0", join(new NodeId("n9")));
    assertArrayEquals(apply(machine, next), apply(other, next));
    assertArrayEquals(snapshot(machine), snapshot(other));
    other.restore(new ByteArrayInputStream(new byte[0]));
    assertEquals(0, other.query(TableMachine.query("r0")).length);
  }

  /** It is written later, by another thread, as it was. */
  @Test
  void aSnapshotIsOfItsTime() throws IOException {
    apply("x", join(A));
    byte[] before = snapshot(machine);
    var taken = machine.snapshot();
    apply("x", join(B));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    taken.writeTo(out);
    assertArrayEquals(before, out.toByteArray());
  }

  @Test
  void garbageChangesNothing() throws IOException {
    apply("x", join(A));
    byte[] before = snapshot(machine);
    byte[] command = TableMachine.encode("x", join(B));
    byte[] unknown = command.clone();
    unknown[3] = 99;
    assertThrows(WireFormatException.class, () -> apply(machine, unknown));
    assertThrows(WireFormatException.class, () -> apply(machine, new byte[] {1}));
    byte[] cut = Arrays.copyOf(before, before.length - 1);
    assertThrows(IOException.class, () -> machine.restore(new ByteArrayInputStream(cut)));
    assertThrows(IOException.class, () -> machine.restore(new ByteArrayInputStream(unknown)));
    assertArrayEquals(before, snapshot(machine));
    assertEquals(
        0, machine.apply(new Entry(Entry.Kind.SESSION_ENDED, 9, 0, 1, new byte[0])).length);
  }

  /** The largest table and placement fit into a result and a command, whatever is on the way. */
  @Test
  void theLargestFits() {
    for (TableSettings settings :
        List.of(new TableSettings(65_536, 3, "SHA-1"), new TableSettings(16_384, 7, "SHA-1"))) {
      String ring = "r" + settings.replicas();
      List<NodeId> nodes = new ArrayList<>();
      for (int i = 0; i < Table.MEMBERS_MAX; i++) {
        nodes.add(new NodeId(String.format("%064d", i)));
        String domain = String.format("%064d", i);
        assertTrue(apply(ring, new Join(nodes.get(i), -1, 0, domain, 1, settings)).isAccepted());
      }
      int replicas = settings.replicas();
      for (int from : new int[] {900, 800}) {
        List<List<NodeId>> targets =
            Collections.nCopies(settings.partitions(), nodes.subList(from, from + replicas));
        TableCommand place = new Place(nodes.get(0), table(ring).epoch(), targets);
        assertTrue(place.encode().length < Limits.COMMAND_BYTES);
        assertEquals("", apply(ring, place).reason());
      }
      int length = machine.query(TableMachine.query(ring)).length;
      int oneHolderMore = 2 * settings.partitions();
      int longerNumbers = 6 * settings.partitions();
      assertTrue(length + oneHolderMore + longerNumbers < Limits.RESULT_BYTES, "" + length);
      assertEquals(table(ring), TableMachine.decode(machine.query(TableMachine.query(ring))));
    }
  }
}
