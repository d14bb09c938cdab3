// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.dht.TableCommand.Copy;
import io.clowder.dht.TableCommand.Fail;
import io.clowder.dht.TableCommand.HandOver;
import io.clowder.dht.TableCommand.Held;
import io.clowder.dht.TableCommand.Join;
import io.clowder.dht.TableCommand.Leave;
import io.clowder.dht.TableCommand.Part;
import io.clowder.dht.TableCommand.Place;
import io.clowder.dht.TableCommand.Remove;
import io.clowder.dht.TableMember.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The bytes of every command, verdict and table: what is written today is read for ever. */
class TableCommandTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final TableSettings SETTINGS = new TableSettings(16, 2, "SHA-1");

  private static Map<TableCommand, String> golden() {
    Map<TableCommand, String> golden = new LinkedHashMap<>();
    golden.put(
        new Join(A, 7, 300, "r1", 100, SETTINGS),
        "010101610000000000000007" + "000000000000012c" + "027231" + "64" + "1002055348412d31");
    golden.put(new Leave(A, 7), "020101610000000000000007");
    golden.put(new Fail(A, 7, B), "0301016100000000000000070162");
    golden.put(
        new Place(A, 300, List.of(List.of(B, A), List.of(), List.of(B))),
        "04010161ac02" + "0201610162" + "03" + "020100" + "00" + "0101");
    golden.put(
        new Held(A, 7, List.of(new Copy(300, 299, B), new Copy(0, 1, A))),
        "050101610000000000000007" + "0201610162" + "02" + "ac02ab0201" + "000100");
    golden.put(
        new HandOver(A, 7, List.of(new Part(300, 299))), "060101610000000000000007" + "01ac02ab02");
    golden.put(new Remove(A), "07010161");
    return golden;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void commands() {
    golden()
        .forEach(
            (command, hex) -> {
              assertEquals(hex, hex(command.encode()));
              assertEquals(command, TableCommand.decode(HexFormat.of().parseHex(hex)));
            });
    Set<Class<?>> kinds = new HashSet<>(Arrays.asList(TableCommand.class.getPermittedSubclasses()));
    golden().keySet().forEach(it -> kinds.remove(it.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void verdicts() {
    Verdict refused = Verdict.refused(300, "no");
    assertEquals("00ac02026e6f", hex(refused.encode()));
    assertEquals(refused, Verdict.decode(refused.encode()));
    assertEquals("01ac0200", hex(Verdict.accepted(300).encode()));
  }

  private static Table table() {
    SortedMap<NodeId, TableMember> members = new TreeMap<>();
    members.put(A, new TableMember(A, 7, "", 1, State.MEMBER));
    members.put(B, new TableMember(B, 8, "r1", 100, State.LEAVING));
    Table empty = Table.empty(SETTINGS);
    Assignments assignments =
        empty
            .assignments()
            .with(
                Map.of(
                    0, new Assignment(300, List.of(A, B), List.of(B), 299, false, 1),
                    15, new Assignment(2, List.of(B), List.of(B), 1, true, 0)));
    return new Table(300, SETTINGS, members, assignments, true);
  }

  private static final String TABLE =
      "ac02"
          + "1002055348412d31"
          + "01"
          + "02"
          + "0161000000000000000700"
          + "01"
          + "00"
          + "01620000000000000008027231"
          + "64"
          + "01"
          + "200001"
          + "0101"
          + "ac02ab0201"
          + "03000000".repeat(14)
          + "1301020100";

  @Test
  void tables() {
    assertEquals(TABLE, hex(table().encode()));
    assertEquals(table(), Table.read(new WireReader(HexFormat.of().parseHex(TABLE))));
  }

  /** Bytes that are none, or cut short, are refused as such, and as nothing else. */
  @Test
  void garbage() {
    SplittableRandom random = new SplittableRandom(3);
    List<byte[]> sound = new ArrayList<>();
    golden().keySet().forEach(it -> sound.add(it.encode()));
    sound.add(table().encode());
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = sound.get(random.nextInt(sound.size())).clone();
      for (int i = random.nextInt(3); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      byte[] cut = Arrays.copyOf(bytes, bytes.length - random.nextInt(3));
      refused += isRefused(() -> TableCommand.decode(cut)) ? 1 : 0;
      refused += isRefused(() -> Table.read(new WireReader(cut))) ? 1 : 0;
    }
    assertTrue(refused > 20_000, refused + " refused");
    for (byte[] bytes : sound.subList(0, sound.size() - 1)) {
      for (int length = 0; length < bytes.length; length++) {
        byte[] cut = Arrays.copyOf(bytes, length);
        assertThrows(WireFormatException.class, () -> TableCommand.decode(cut));
      }
      byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
      assertThrows(WireFormatException.class, () -> TableCommand.decode(more));
    }
  }

  private static boolean isRefused(Runnable reading) {
    try {
      reading.run();
      return false;
    } catch (WireFormatException e) {
      return true;
    }
  }

  @Test
  void settingsHaveLimits() {
    new TableSettings(65_536, 3, "SHA-256");
    new TableSettings(16_384, 7, "SHA-512/256");
    for (Runnable wrong :
        List.<Runnable>of(
            () -> new TableSettings(8, 3, "SHA-1"),
            () -> new TableSettings(48, 3, "SHA-1"),
            () -> new TableSettings(131_072, 1, "SHA-1"),
            () -> new TableSettings(16, 0, "SHA-1"),
            () -> new TableSettings(16, 8, "SHA-1"),
            () -> new TableSettings(65_536, 4, "SHA-1"),
            () -> new TableSettings(16, 3, ""),
            () -> new TableMember(A, 1, "é".repeat(33), 1, State.MEMBER),
            () -> new Join(A, 1, 0, "", 0, SETTINGS),
            () -> new Join(A, 1, 0, "", 101, SETTINGS),
            () -> new Assignment(1, List.of(A, A), List.of(), 0, true, 0),
            () -> new Assignment(1, List.of(A), List.of(B, B), 0, true, 0),
            () -> new Assignment(1, List.of(A), List.of(B), 2, true, 0))) {
      assertThrows(IllegalArgumentException.class, wrong::run);
    }
  }
}
