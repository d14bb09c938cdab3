// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.NodeId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.LogRecord.Effect;
import io.clowder.replication.OperationLog.Beginning;
import io.clowder.replication.ReplicaMessage.Stamps;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The bytes of every command, message and record: what is written today is read for ever. */
class VocabularyTest {
  private static final ReplicaId N1 = new ReplicaId(new NodeId("n1"), 5);
  private static final ReplicaId N2 = new ReplicaId(new NodeId("n2"), 6);
  private static final At AT = new At(2, 300);

  private static SortedSet<ReplicaId> set(ReplicaId... replicas) {
    return new TreeSet<>(Arrays.asList(replicas));
  }

  @Test
  void commands() {
    Map<ConfigCommand, String> golden = new LinkedHashMap<>();
    golden.put(
        new ConfigCommand.Create(2, set(N1, N2)),
        "01010202026e310000000000000005026e320000000000000006");
    golden.put(
        new ConfigCommand.Remove(AT, N1, 7, N2),
        "020102ac02026e3100000000000000050000000000000007026e320000000000000006");
    golden.put(
        new ConfigCommand.Join(AT, N1, 7, N2),
        "030102ac02026e3100000000000000050000000000000007026e320000000000000006");
    golden.put(
        new ConfigCommand.Switchover(AT, N1, 7, N2, 8),
        "040102ac02026e3100000000000000050000000000000007026e3200000000000000060000000000000008");
    golden.put(
        new ConfigCommand.Resign(AT, N1, 7), "050102ac02026e3100000000000000050000000000000007");
    golden.put(
        new ConfigCommand.Report(AT, N1, 7, 2, 300, new TreeSet<>(Set.of(N2.node()))),
        "060102ac02026e310000000000000005000000000000000702ac0201026e32");
    golden.put(new ConfigCommand.Admit(AT, N1), "070102ac02026e310000000000000005");
    golden.forEach(
        (command, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(command.encode()));
          assertEquals(command, ConfigCommand.decode(HexFormat.of().parseHex(hex)));
        });
    Set<Class<?>> kinds =
        new HashSet<>(Arrays.asList(ConfigCommand.Change.class.getPermittedSubclasses()));
    kinds.add(ConfigCommand.Create.class);
    golden.keySet().forEach(it -> kinds.remove(it.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void messages() {
    Stamps stamps = new Stamps(1, 2, 3, 4);
    LogRecord opening = LogRecord.opening(1, 1);
    Map<ReplicaMessage, String> golden = new LinkedHashMap<>();
    golden.put(
        new ReplicaMessage.Append(300, stamps, true, 2, 9, 8, List.of(opening)),
        "0101ac020000000000000001000000000000000200000000000000030000000000000004010209080113010101000000000000000000010100e6b64e3b");
    golden.put(
        new ReplicaMessage.Ack(300, stamps, false, 9, true, List.of(new Beginning(1, 2)), 10),
        "0201ac0200000000000000010000000000000002000000000000000300000000000000040009010101020a");
    golden.put(new ReplicaMessage.AskCommit(300, 9), "0301ac0209");
    golden.put(new ReplicaMessage.TellCommit(300, 9, 8), "0401ac020908");
    golden.forEach(
        (message, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(message.encode()));
          assertEquals(message, ReplicaMessage.decode(HexFormat.of().parseHex(hex)));
        });
    Set<Class<?>> kinds =
        new HashSet<>(Arrays.asList(ReplicaMessage.class.getPermittedSubclasses()));
    golden.keySet().forEach(it -> kinds.remove(it.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void records() {
    Map<LogRecord, String> golden = new LinkedHashMap<>();
    RequestId request = new RequestId(-1, 300);
    List<Effect> effects = List.of(new Effect("k", new byte[] {9}), new Effect("l", null));
    golden.put(LogRecord.opening(1, 300), "0101ac0200000000000000000001ac0200a37dc33b");
    golden.put(
        new LogRecord(2, 3, request, effects, new Answer.Removed(true)),
        "010203ffffffffffffffffac02020102016b010109016c00e68983ac");
    golden.put(
        new LogRecord(2, 3, request, List.of(), new Answer.Conflict(7)),
        "010203ffffffffffffffffac02030700fbdaa006");
    golden.forEach(
        (record, hex) -> {
          byte[] bytes = record.encode();
          assertEquals(hex, HexFormat.of().formatHex(bytes));
          assertArrayEquals(bytes, LogRecord.decode(bytes).encode());
        });
  }

  @Test
  void aFlippedBitIsNoticed() {
    byte[] bytes = LogRecord.opening(1, 300).encode();
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThrows(WireFormatException.class, () -> LogRecord.decode(flipped));
    }
  }
}
