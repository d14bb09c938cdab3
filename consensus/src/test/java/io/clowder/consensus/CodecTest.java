// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import static io.clowder.consensus.Workbench.N1;
import static io.clowder.consensus.Workbench.N2;
import static io.clowder.consensus.Workbench.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Address;
import io.clowder.api.Limits;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The bytes that are in logs and snapshots already, and that nodes of other versions send. */
class CodecTest {
  /** One of each, and the bytes it has had since version 1. */
  static final Map<Envelope, String> ENVELOPES = new LinkedHashMap<>();

  static final Map<GroupMessage, String> MESSAGES = new LinkedHashMap<>();

  static final Segment NEXT =
      new Segment(
          2,
          0x20,
          "paxos",
          new TreeMap<>(Map.of("quorum.accept", "1")),
          new TreeMap<>(Map.of(N1, new Address("::1", 7_001))),
          Segment.UNKNOWN);
  static final Segment TWO_MEMBERS = Workbench.segment(1, 0x10, "raft", 200, N1, N2);
  private static final String TWO_MEMBERS_BYTES =
      "01 0000000000000010 0472616674 00 02 026e31 "
          + "0e3132372e302e302e313a31303234 026e32 0e3132372e302e302e313a31303235 "
          + "c901";
  private static final String NEXT_BYTES =
      "02 0000000000000020 057061786f73 01 0d71756f72756d2e616363657074 0131 "
          + "01 026e31 0a5b3a3a315d3a37303031 00";

  static {
    ENVELOPES.put(
        new Envelope.Open(N1, 0x0102030405060708L, -2, 10_000),
        "01 0000000000000000 026e31 0102030405060708 fffffffffffffffe 00002710");
    ENVELOPES.put(
        new Envelope.Command(5, 300, 299, "kv", bytes("put")),
        "02 0000000000000000 0000000000000005 ac02 ab02 026b76 707574");
    ENVELOPES.put(new Envelope.Expire(9), "03 0000000000000000 0000000000000009");

    ENVELOPES.put(
        new Envelope.Prepare(NEXT, new TreeMap<>(Map.of(N1, 7L)), 9_000),
        "04 0000000000000000" + NEXT_BYTES + "01 026e31 0000000000000007 00002328");
    ENVELOPES.put(new Envelope.Seal(2, 0x20), "05 0000000000000000 02 0000000000000020");
    ENVELOPES.put(
        new Envelope.Abandon(2, 0x20, "late"),
        "06 0000000000000000 02 0000000000000020 046c617465");

    MESSAGES.put(new GroupMessage.Forward(List.of(bytes("ab"), new byte[0])), "02 02 02 6162 00");
    MESSAGES.put(new GroupMessage.ReadAt(128), "03 8001");
    MESSAGES.put(new GroupMessage.ReadFrom(1, 2), "04 01 02");
    MESSAGES.put(new GroupMessage.Renew(3, 4), "05 03 04");
    MESSAGES.put(new GroupMessage.Renewed(3, 4, true), "06 03 04 01");
    MESSAGES.put(new GroupMessage.Offer(10, 20), "07 0a 14");
    MESSAGES.put(new GroupMessage.Want(10, 5), "08 0a 05");
    MESSAGES.put(new GroupMessage.Chunk(10, 5, 20, -1, bytes("x")), "09 0a 05 14 ffffffff 01 78");
    MESSAGES.put(new GroupMessage.Stranger(-1), "0a ffffffffffffffff");
    MESSAGES.put(new GroupMessage.Busy("full"), "0b 0466756c6c");
    MESSAGES.put(
        new GroupMessage.Ask(5, "paxos", new TreeMap<>(Map.of("a", "b")), List.of(N1, N2)),
        "0c 05 057061786f73 01 0161 0162 02 026e31 026e32");
    MESSAGES.put(new GroupMessage.Answer(5, "no"), "0d 05 026e6f");
    MESSAGES.put(new GroupMessage.Report(128, 4, -1, true), "0e 8001 04 00 01");
    MESSAGES.put(new GroupMessage.Removed(2, 9), "0f 02 09");
  }

  static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  static byte[] written(GroupMessage message) {
    WireWriter out = new WireWriter(16);
    message.write(out);
    return out.toByteArray();
  }

  static GroupMessage read(byte[] bytes) {
    WireReader in = new WireReader(bytes);
    return GroupMessage.read(in.readByte(), in);
  }

  @Test
  void envelopesHaveTheirGoldenBytes() {
    ENVELOPES.forEach(
        (envelope, golden) -> {
          assertArrayEquals(hex(golden), envelope.encode(), envelope.toString());
          assertArrayEquals(hex(golden), Envelope.decode(hex(golden)).encode());
          assertSameFields(envelope, Envelope.decode(hex(golden)));
        });
    assertCovered(Envelope.class, ENVELOPES.keySet());
  }

  @Test
  void groupMessagesHaveTheirGoldenBytes() {
    MESSAGES.forEach(
        (message, golden) -> {
          assertArrayEquals(hex(golden), written(message), message.toString());
          assertSameFields(message, read(hex(golden)));
        });
    assertCovered(GroupMessage.class, MESSAGES.keySet());
  }

  @Test
  void headersHaveTheirGoldenBytes() {
    GroupMessage.Header header = new GroupMessage.Header(1, 2, 3);
    WireWriter out = new WireWriter(16);
    header.write(out);
    assertArrayEquals(hex("01 02 0000000000000002 0000000000000003"), out.toByteArray());
    assertEquals(header, GroupMessage.Header.read(new WireReader(out.toByteArray())));
  }

  @Test
  void aHeaderOfAnotherVersionIsRefused() {
    byte[] bytes = hex("02 01 0000000000000002 0000000000000003");
    WireFormatException refused =
        assertThrows(
            WireFormatException.class, () -> GroupMessage.Header.read(new WireReader(bytes)));
    assertEquals("group message of version 2", refused.getMessage());
  }

  @Test
  void segmentsHaveTheirGoldenBytes() {
    WireWriter out = new WireWriter(16);
    TWO_MEMBERS.write(out);
    assertArrayEquals(hex(TWO_MEMBERS_BYTES), out.toByteArray());
    assertEquals(TWO_MEMBERS, Segment.read(new WireReader(out.toByteArray())));
  }

  @Test
  void sessionTablesHaveTheirGoldenBytes() {
    Sessions sessions = sampleSessions();
    WireWriter out = new WireWriter(16);
    sessions.write(out);
    // One session, 2 is acknowledged, 3 has a result, 4 is a gap, 5 failed, 6 is pending.
    String golden = "01 05 026e31 0000000000000007 00002710 03 04 00 09 01 72 ff 01 0a 00 02 0b 00";
    assertArrayEquals(hex(golden), out.toByteArray());

    Sessions read = new Sessions();
    read.read(new WireReader(hex(golden)));
    WireWriter again = new WireWriter(16);
    read.write(again);
    assertArrayEquals(hex(golden), again.toByteArray());
  }

  static Sessions sampleSessions() {
    Sessions sessions = new Sessions();
    Sessions.Session session = new Sessions.Session(5, N1, 7, 10_000);
    session.record(2, new Sessions.Result(Sessions.Status.APPLIED, 8, bytes("gone")));
    session.record(3, new Sessions.Result(Sessions.Status.APPLIED, 9, bytes("r")));
    session.acknowledge(3);
    session.record(5, new Sessions.Result(Sessions.Status.FAILED, 10, new byte[0]));
    session.record(6, new Sessions.Result(Sessions.Status.PENDING, 11, new byte[0]));
    sessions.add(session);
    return sessions;
  }

  static SnapshotFormat.Head sampleHead() {
    return new SnapshotFormat.Head(
        12,
        0x0A,
        bytes("a"),
        new SnapshotFormat.Chain(List.of(TWO_MEMBERS), NEXT, 9_000, 2),
        sampleSessions(),
        new TreeMap<>(Map.of(N1, 3L)),
        List.of("kv", "lock"));
  }

  @Test
  void snapshotHeadsHaveTheirGoldenBytes() {
    String golden =
        "01 0c 000000000000000a 01 61 01 "
            + TWO_MEMBERS_BYTES
            + "01"
            + NEXT_BYTES
            + "00002328 02"
            + "01 05 026e31 0000000000000007 00002710 03 04 00 09 01 72 ff 01 0a 00 02 0b 00"
            + "01 026e31 0000000000000003 02 026b76 046c6f636b";
    assertArrayEquals(hex(golden), sampleHead().encode());
    assertArrayEquals(hex(golden), SnapshotFormat.Head.decode(hex(golden)).encode());
  }

  @Test
  void aSnapshotHeadOfAnotherVersionIsRefused() {
    byte[] bytes = sampleHead().encode();
    bytes[0] = 2;
    WireFormatException refused =
        assertThrows(WireFormatException.class, () -> SnapshotFormat.Head.decode(bytes));
    assertEquals("snapshot of version 2, known is 1", refused.getMessage());
  }

  @Test
  void theTimeIsStampedWhereItIsRead() {
    byte[] bytes = new Envelope.Expire(9).encode();
    assertEquals(0, Envelope.time(bytes));
    Envelope.stamp(bytes, 0x0102030405060708L);
    assertEquals(0x0102030405060708L, Envelope.time(bytes));
    assertArrayEquals(hex("03 0102030405060708 0000000000000009"), bytes);
    assertEquals(new Envelope.Expire(9), Envelope.decode(bytes));
  }

  @Test
  void anotherNodeMayProposeSessionsCommandsAndSegmentsButNoExpiryAndNoSeal() {
    assertTrue(Envelope.isProposable(new Envelope.Prepare(NEXT, new TreeMap<>(), 1).encode()));
    assertFalse(Envelope.isProposable(new Envelope.Seal(1, 2).encode()));
    assertFalse(Envelope.isProposable(new Envelope.Abandon(1, 2, "late").encode()));
    assertTrue(Envelope.isProposable(new Envelope.Open(N1, 1, 2, 3).encode()));
    assertTrue(Envelope.isProposable(new Envelope.Command(1, 1, 1, "kv", bytes("x")).encode()));
    assertFalse(Envelope.isProposable(new Envelope.Expire(9).encode()));
    assertFalse(Envelope.isProposable(new byte[0]), "a protocol's own");
    assertFalse(Envelope.isProposable(hex("02 0000000000000000")), "no room for a field");
    assertFalse(Envelope.isProposable(hex("07 0000000000000000 00")), "unknown");
  }

  @Test
  void theLongestCommandIsProposableAndNoLongerOne() {
    String machine = "m".repeat(Envelope.MACHINE_BYTES);
    byte[] longest = new byte[Limits.COMMAND_BYTES];
    Envelope most =
        new Envelope.Command(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, machine, longest);
    assertTrue(Envelope.isProposable(most.encode()));
    Envelope over = new Envelope.Command(1, 1, 1, "m", new byte[Limits.COMMAND_BYTES + 257]);
    assertFalse(Envelope.isProposable(over.encode()));
  }

  @Test
  void unknownKindsAreRefusedByName() {
    byte[] envelope = hex("07 0000000000000000 0000000000000009");
    assertEquals(
        "envelope of kind 7",
        assertThrows(WireFormatException.class, () -> Envelope.decode(envelope)).getMessage());
    assertEquals(
        "group message of kind 16",
        assertThrows(WireFormatException.class, () -> read(hex("10 01"))).getMessage());
  }

  @Test
  void bytesAfterAMessageAreRefused() {
    MESSAGES.forEach(
        (message, golden) ->
            assertThrows(
                WireFormatException.class, () -> read(hex(golden + "00")), message.toString()));
  }

  /** Records of byte arrays have the equality of their identity; their fields are compared here. */
  private static void assertSameFields(Object expected, Object actual) {
    assertEquals(expected.getClass(), actual.getClass());
    assertEquals(fields(expected), fields(actual));
  }

  private static Map<String, Object> fields(Object value) {
    Map<String, Object> fields = new HashMap<>();
    for (var component : value.getClass().getRecordComponents()) {
      try {
        fields.put(component.getName(), plain(component.getAccessor().invoke(value)));
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(component.getName(), e);
      }
    }
    return fields;
  }

  private static Object plain(Object value) {
    if (value instanceof byte[] array) {
      return HexFormat.of().formatHex(array);
    }
    return value instanceof List<?> list ? list.stream().map(CodecTest::plain).toList() : value;
  }

  private static void assertCovered(Class<?> vocabulary, Set<?> samples) {
    Set<Class<?>> seen = new HashSet<>();
    samples.forEach(sample -> seen.add(sample.getClass()));
    assertEquals(Set.of(vocabulary.getPermittedSubclasses()), seen);
  }
}
