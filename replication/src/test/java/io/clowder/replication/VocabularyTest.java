// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.api.wire.WireFormatException;
import io.clowder.replication.ConfigCommand.At;
import io.clowder.replication.LogRecord.Effect;
import io.clowder.replication.OperationLog.Beginning;
import io.clowder.replication.ReplicaMessage.Stamps;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Iterator;
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
        new ConfigCommand.Create(2, 3, set(N1, N2)),
        "0101020302026e310000000000000005026e320000000000000006");
    golden.put(
        new ConfigCommand.Remove(AT, N1, 7, N2),
        "020102ac02026e3100000000000000050000000000000007026e320000000000000006");
    golden.put(
        new ConfigCommand.Join(AT, N1, 7, N2),
        "030102ac02026e3100000000000000050000000000000007026e320000000000000006");
    golden.put(
        new ConfigCommand.Switchover(AT, N1, 7, N2, 8, true),
        "040102ac02026e3100000000000000050000000000000007026e320000000000000006000000000000000801");
    golden.put(
        new ConfigCommand.Resign(AT, N1, 7), "050102ac02026e3100000000000000050000000000000007");
    golden.put(
        new ConfigCommand.Report(AT, N1, 7, 2, 300, new TreeSet<>(Set.of(N2.node()))),
        "060102ac02026e310000000000000005000000000000000702ac0201026e32");
    golden.put(new ConfigCommand.Admit(AT, N1), "070102ac02026e310000000000000005");
    golden.put(
        new ConfigCommand.Stay(AT, N1, 7), "080102ac02026e3100000000000000050000000000000007");
    golden.put(new ConfigCommand.Fail(AT, N1.node()), "090102ac02026e31");
    golden.put(new ConfigCommand.Expel(AT, N1.node()), "0a0102ac02026e31");
    golden.put(new ConfigCommand.Invite(AT, N1.node()), "0b0102ac02026e31");
    golden.put(
        new ConfigCommand.Force(AT, N1, 7), "0c0102ac02026e3100000000000000050000000000000007");
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
        new ReplicaMessage.Append(300, stamps, false, true, 2, 9, 8, List.of(opening)),
        "0101ac0200000000000000010000000000000002000000000000000300000000000000040001020908011401010100000000000000000001010000fbf10795");
    golden.put(
        new ReplicaMessage.Ack(300, stamps, false, 9, true, List.of(new Beginning(1, 2)), 10),
        "0201ac0200000000000000010000000000000002000000000000000300000000000000040009010101020a");
    golden.put(new ReplicaMessage.AskCommit(300, 9), "0301ac0209");
    golden.put(new ReplicaMessage.TellCommit(300, 9, 8), "0401ac020908");
    golden.put(
        new ReplicaMessage.Offer(300, stamps, 9, 300, 7),
        "0501ac02000000000000000100000000000000020000000000000003000000000000000409ac0200000007");
    golden.forEach(
        (message, hex) -> {
          assertEquals(hex, HexFormat.of().formatHex(message.encode()));
          assertEquals(message, ReplicaMessage.decode(HexFormat.of().parseHex(hex)));
        });
    assertKinds(ReplicaMessage.class, golden.keySet());
  }

  @Test
  void betweenNodes() {
    Op op =
        new Op(
            List.of(
                new Step.Put("k", new byte[] {9}),
                new Step.Delete("l"),
                new Step.CompareAndSet("m", 300, new byte[] {8})),
            new Fence("r", 300));
    RequestId request = new RequestId(-1, 300);
    Answer entries = new Answer.Entries(List.of(new KvEntry("k", new byte[] {9}, 300)));
    List<Question> questions =
        List.of(
            new Question.Write(request, op),
            new Question.Read(Freshness.bounded(Duration.ofMillis(300)), new Query.Get("k")),
            new Question.Read(Freshness.LOCAL, new Query.Scan("k", "l", 300)),
            new Question.HandOver(N1.node()),
            new Question.Describe(),
            new Question.Digest(300),
            new Question.Retire());
    List<Reply> replies =
        List.of(
            new Reply.Answered(new Answer.Changed(300, true)),
            new Reply.Answered(new Answer.Conflict(1, 300)),
            new Reply.Answered(new Answer.Stale(300)),
            new Reply.Answered(entries),
            new Reply.Refused(Refusal.NOT_PRIMARY, Outcome.MAY_HAVE_HAPPENED),
            new Reply.Begun(),
            new Reply.Described(N1, 7, 2, 300, 299, true),
            new Reply.Digested("ab", "file"));
    Map<StoreMessage, String> golden = new LinkedHashMap<>();
    golden.put(
        new StoreMessage.Between(5, 6, new ReplicaMessage.AskCommit(300, 9)),
        "01010000000000000005000000000000000603" + "01ac0209");
    Iterator<String> asked =
        List.of(
                "0201ac0201ffffffffffffffffac02010172ac020301016b010902016c03016dac020108",
                "0201ac020207424f554e444544ac0201016b",
                "0201ac0202054c4f43414c0002016b01016cac02",
                "0201ac020301026e31",
                "0201ac0204",
                "0201ac0205ac02",
                "0201ac0206")
            .iterator();
    questions.forEach(it -> golden.put(new StoreMessage.Ask(300, it), asked.next()));
    Iterator<String> told =
        List.of(
                "0301ac020101ac0201",
                "0301ac02010201ac02",
                "0301ac020103ac02",
                "0301ac02010401016bac020109",
                "0301ac02020b4e4f545f5052494d415259114d41595f484156455f48415050454e4544",
                "0301ac0203",
                "0301ac0204026e310000000000000005000000000000000702ac02ab0201",
                "0301ac02050261620466696c65")
            .iterator();
    replies.forEach(it -> golden.put(new StoreMessage.Told(300, it), told.next()));
    golden.put(new StoreMessage.AskPart(300, 9), "0401ac0209");
    golden.put(new StoreMessage.TellPart(300, 9, new byte[] {7}), "0501ac02090107");
    golden.forEach(
        (message, hex) -> {
          assertEquals(hex, hex(message));
          byte[] bytes = HexFormat.of().parseHex(hex);
          assertEquals(hex, hex(StoreMessage.decode(ByteBuffer.wrap(bytes))));
        });
    assertKinds(StoreMessage.class, golden.keySet());
    assertKinds(Question.class, questions);
    assertKinds(Reply.class, replies);
  }

  private static String hex(StoreMessage message) {
    ByteBuffer buffer = message.encode();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static void assertKinds(Class<?> type, Collection<?> shown) {
    Set<Class<?>> kinds = new HashSet<>(Arrays.asList(type.getPermittedSubclasses()));
    shown.forEach(it -> kinds.remove(it.getClass()));
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void records() {
    Map<LogRecord, String> golden = new LinkedHashMap<>();
    RequestId request = new RequestId(-1, 300);
    List<Effect> effects = List.of(new Effect("k", new byte[] {9}), new Effect("l", null));
    golden.put(LogRecord.opening(1, 300), "0101ac0200000000000000000001ac020000fbb4cc18");
    golden.put(
        new LogRecord(2, 3, request, effects, new Answer.Changed(3, true)),
        "010203ffffffffffffffffac0201030102016b010109016c00dffd5ff2");
    golden.put(
        new LogRecord(2, 3, request, List.of(), new Answer.Conflict(0, 7)),
        "010203ffffffffffffffffac0202000700a7ff698d");
    golden.forEach(
        (record, hex) -> {
          byte[] bytes = Encoded.bytes(record);
          assertEquals(hex, HexFormat.of().formatHex(bytes));
          assertArrayEquals(bytes, Encoded.bytes(Encoded.record(bytes)));
        });
  }

  @Test
  void aFlippedBitIsNoticed() {
    byte[] bytes = Encoded.bytes(LogRecord.opening(1, 300));
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThrows(WireFormatException.class, () -> Encoded.record(flipped));
    }
  }
}
