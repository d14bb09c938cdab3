// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.dht.DhtVersion;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import io.clowder.dht.KeeperMessage.Compare;
import io.clowder.dht.KeeperMessage.Gift;
import io.clowder.dht.KeeperMessage.Give;
import io.clowder.dht.KeeperMessage.Given;
import io.clowder.dht.KeeperMessage.Item;
import io.clowder.dht.KeeperMessage.Keep;
import io.clowder.dht.KeeperMessage.Kept;
import io.clowder.dht.KeeperMessage.Listing;
import io.clowder.dht.KeeperMessage.Look;
import io.clowder.dht.KeeperMessage.Parts;
import io.clowder.dht.KeeperMessage.Refuse;
import io.clowder.dht.KeeperMessage.Same;
import io.clowder.dht.KeeperMessage.Seen;
import io.clowder.dht.KeeperMessage.Tallied;
import io.clowder.dht.KeeperMessage.Tally;
import io.clowder.dht.KeeperMessage.Tell;
import io.clowder.dht.KeeperMessage.Told;
import io.clowder.dht.KeeperMessage.Want;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The bytes of every message between keepers, and what is refused. */
class KeeperMessageTest {
  private static final Identifier AT = Identifier.parse("0123456789abcdef".repeat(2) + "01234567");
  private static final String AT_HEX = AT.toString();
  private static final DhtVersion VERSION = new DhtVersion(300, -1);
  private static final String VERSION_HEX = "ac02" + "f".repeat(16);
  private static final RequestKey REQUEST = new RequestKey(5, 300);
  private static final String REQUEST_HEX = "0000000000000005" + "ac02";
  private static final Value VALUE =
      new Value(AT, new byte[] {1, 2}, VERSION, new byte[] {3}, 7, REQUEST);
  private static final String VALUE_HEX =
      AT_HEX + "020102" + VERSION_HEX + "07" + REQUEST_HEX + "01" + "0103";
  private static final Value TOMBSTONE = new Value(AT, new byte[] {}, VERSION, null, 7, REQUEST);
  private static final String TOMBSTONE_HEX =
      AT_HEX + "00" + VERSION_HEX + "07" + REQUEST_HEX + "00";
  private static final Interval INTERVAL = new Interval(AT, AT.next());
  private static final Values.Digest DIGEST = new Values.Digest(-1, 300);
  private static final String DIGEST_HEX = "f".repeat(16) + "ac02";

  private static Ask ask(Ask.Kind kind, boolean isFull) {
    byte[] content = isFull ? new byte[] {3} : null;
    DhtVersion condition = isFull ? VERSION : null;
    return new Ask(kind, AT, new byte[] {1, 2}, content, condition, 300, 2, REQUEST, !isFull);
  }

  private static Map<KeeperMessage, String> golden() {
    Map<KeeperMessage, String> golden = new LinkedHashMap<>();
    golden.put(
        new Tell(1, ask(Ask.Kind.STORE, true)),
        "010101"
            + "02"
            + AT_HEX
            + "020102"
            + "010103"
            + "01"
            + VERSION_HEX
            + "ac02"
            + "02"
            + REQUEST_HEX
            + "00");
    golden.put(
        new Tell(300, ask(Ask.Kind.REMOVE, false)),
        "0101ac02" + "03" + AT_HEX + "020102" + "00" + "00" + "ac02" + "02" + REQUEST_HEX + "01");
    golden.put(
        new Told(2, new Answer(Answer.Code.DONE, VERSION, VALUE, 3)),
        "020102" + "01" + VERSION_HEX + "01" + VALUE_HEX + "03");
    golden.put(
        new Told(2, Answer.of(Answer.Code.UNSEEN)),
        "020102" + "09" + "00" + "0".repeat(16) + "00" + "00");
    golden.put(new Keep(3, 300, VALUE), "030103" + "ac02" + VALUE_HEX);
    golden.put(new Kept(4), "040104");
    golden.put(new Look(5, AT), "050105" + AT_HEX);
    golden.put(new Seen(6, null), "060106" + "00");
    golden.put(new Seen(6, TOMBSTONE), "060106" + "01" + TOMBSTONE_HEX);
    golden.put(
        new Compare(7, 1, true, INTERVAL, DIGEST),
        "070107" + "01" + "01" + AT_HEX + AT.next() + DIGEST_HEX);
    golden.put(new Same(8, true), "080108" + "01");
    golden.put(new Parts(9, List.of(DIGEST, DIGEST)), "090109" + "02" + DIGEST_HEX + DIGEST_HEX);
    golden.put(new Listing(10, List.of(Item.of(VALUE))), "0a010a" + "01" + AT_HEX + VERSION_HEX);
    golden.put(
        new Give(11, 0, List.of(VALUE, TOMBSTONE), List.of(Item.of(VALUE))),
        "0b010b" + "00" + "02" + VALUE_HEX + TOMBSTONE_HEX + "01" + AT_HEX + VERSION_HEX);
    golden.put(new Given(12), "0c010c");
    golden.put(new Want(13, List.of(AT, AT)), "0d010d" + "02" + AT_HEX + AT_HEX);
    golden.put(
        new Gift(14, 300, 299, List.of(VALUE)), "0e010e" + "ac02" + "ab02" + "01" + VALUE_HEX);
    golden.put(new Refuse(15), "0f010f");
    golden.put(new Tally(16), "100110");
    golden.put(
        new Tallied(17, 300, 2, 3, 4, List.of("no", "é")),
        "110111" + "ac02" + "02" + "03" + "04" + "02" + "026e6f" + "02c3a9");
    return golden;
  }

  private static byte[] bytes(KeeperMessage message) {
    WireWriter out = new WireWriter(64);
    message.write(out);
    return out.toByteArray();
  }

  private static KeeperMessage read(byte[] bytes) {
    return KeeperMessage.read(new WireReader(bytes));
  }

  @Test
  void everyMessageHasItsBytes() {
    Set<Class<?>> kinds =
        new HashSet<>(Arrays.asList(KeeperMessage.class.getPermittedSubclasses()));
    golden()
        .forEach(
            (message, hex) -> {
              kinds.remove(message.getClass());
              assertEquals(hex, HexFormat.of().formatHex(bytes(message)), message.toString());
              KeeperMessage read = read(HexFormat.of().parseHex(hex));
              assertEquals(message.getClass(), read.getClass());
              assertEquals(message.ticket(), read.ticket());
              assertArrayEquals(bytes(message), bytes(read));
            });
    kinds.remove(Item.class);
    assertEquals(Set.of(), kinds, "without golden bytes");
  }

  @Test
  void whatIsCutShortOrLongerIsRefused() {
    for (KeeperMessage message : golden().keySet()) {
      byte[] bytes = bytes(message);
      for (int length = 0; length < bytes.length; length++) {
        byte[] part = Arrays.copyOf(bytes, length);
        assertThrows(WireFormatException.class, () -> read(part), message + " of " + length);
      }
      byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
      assertThrows(WireFormatException.class, () -> read(more));
    }
  }

  @Test
  void whatNobodySaysIsRefused() {
    Map<String, String> refused = new LinkedHashMap<>();
    refused.put("unknown kind", "120101");
    refused.put("kind 0", "000101");
    refused.put("another version", "040204");
    refused.put("no such code", "0201020a00" + "0".repeat(16) + "0000");
    refused.put("no such question", "01010104");
    refused.put("a list over the limit", "0d010d" + "914e" + AT_HEX.repeat(10_001));
    refused.put("a list that cannot be there", "0d010d" + "ffffffff07" + AT_HEX);
    refused.put(
        "a version below zero", "0a010a01" + AT_HEX + "f".repeat(18) + "01" + "0".repeat(16));
    refused.put("more handled than can be", "0e010e" + "ffffffff7f" + "00" + "00");
    refused.put(
        "a key over the limit",
        "0601060" + "1" + AT_HEX + "8108" + "00".repeat(Limits.KEY_BYTES + 1));
    refused.forEach(
        (what, hex) ->
            assertThrows(
                WireFormatException.class, () -> read(HexFormat.of().parseHex(hex)), what));
  }

  @Test
  void theLargestAreRead() {
    byte[] content = new byte[Limits.VALUE_BYTES];
    Value large = new Value(AT, new byte[Limits.KEY_BYTES], VERSION, content, 0, REQUEST);
    Seen seen = (Seen) read(bytes(new Seen(1, large)));
    Value value = seen.value();
    assertTrue(value != null && value.size() == large.size());
    List<Identifier> ids = java.util.Collections.nCopies(KeeperMessage.LIST_MAX, AT);
    assertEquals(ids, ((Want) read(bytes(new Want(1, ids)))).ids());
  }

  /** Whatever the bytes are, they are a message or refused, and a message has bytes. */
  @Test
  void anyBytesAreReadOrRefused() {
    SplittableRandom random = new SplittableRandom(7);
    int read = 0;
    List<byte[]> sound = golden().keySet().stream().map(KeeperMessageTest::bytes).toList();
    for (int i = 0; i < 40_000; i++) {
      byte[] bytes = sound.get(i % sound.size()).clone();
      for (int flips = random.nextInt(3); flips >= 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        byte[] again = bytes(read(bytes));
        assertArrayEquals(again, bytes(read(again)));
        read++;
      } catch (WireFormatException e) {
        // Refused, as it should be; anything else that is thrown fails the test.
      }
    }
    assertTrue(read > 1_000, read + " read");
  }
}
