// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.clowder.api.Limits;
import io.clowder.kv.KvMachine.State;
import io.clowder.kv.KvMachine.Versioned;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.pcollections.TreePMap;

class KvSnapshotTest {
  /** Two entries: a=x of version 1, b=y of version 300. */
  private static final String ENTRIES =
      "0000000000000002" + "00000005" + "0161" + "01" + "0178" + "00000006" + "0162ac020179";

  /** Tokens up to 4 are forgotten; job has seen 5, k has seen 300. */
  private static final String FENCES =
      "0000000000000004"
          + "0000000000000002"
          + ("00000005" + "036a6f62" + "05")
          + ("00000004" + "016b" + "ac02");

  @Test
  void theBytesOfEveryPart() throws IOException {
    TreePMap<byte[], Versioned> entries =
        State.EMPTY
            .entries()
            .plus(utf8("b"), new Versioned(utf8("y"), 300))
            .plus(utf8("a"), new Versioned(utf8("x"), 1));
    Fences fences = Fences.none(Limits.FENCES, 4).raised(utf8("k"), 300).raised(utf8("job"), 5);
    assertEquals("02" + ENTRIES + FENCES, write(new State(entries, fences)));
    assertEquals("02" + ENTRIES + FENCES, write(read("02" + ENTRIES + FENCES)));
    assertEquals(4, read("02" + ENTRIES + FENCES).fences().seen(utf8("other")));
    assertSame(State.EMPTY, read(""));
  }

  @Test
  void anotherFormatIsRefused() {
    refused("kv snapshot of format 1, which is not known here", "01" + ENTRIES);
    refused("kv snapshot of format 3, which is not known here", "03" + ENTRIES + FENCES);
  }

  @Test
  void whatIsCutShortOrGoesOnIsRefused() {
    String whole = "02" + ENTRIES + FENCES;
    for (int length = 2; length < whole.length(); length += 2) {
      refused("kv snapshot is corrupt: cut short", whole.substring(0, length));
    }
    refused("kv snapshot is corrupt: it goes on after its last entry", whole + "00");
  }

  @Test
  void damagedEntriesAreRefused() {
    entriesRefused("names out of order", "0161" + "01" + "0178", "0161" + "02" + "0179");
    entriesRefused("names out of order", "00" + "01" + "0178");
    entriesRefused("1 bytes too many", "0161" + "01" + "0178" + "00");
    refused("kv snapshot is corrupt: an entry of -1 bytes", "02" + "0000000000000001" + "ffffffff");
  }

  @Test
  void damagedFencesAreRefused() {
    fencesRefused("names out of order", 0, "016b" + "05", "016a" + "05");
    fencesRefused("names out of order", 0, "016b" + "05", "016b" + "06");
    fencesRefused("names out of order", 0, "00" + "05");
    fencesRefused("token 0 where others up to 0 are forgotten", 0, "016b" + "00");
    fencesRefused("token -1 where others up to 0 are forgotten", 0, "016b" + "ff".repeat(9) + "01");
    fencesRefused("token 5 where others up to 6 are forgotten", 6, "016b" + "05");
    fencesRefused("1 bytes too many", 0, "016b" + "05" + "00");
    fencesRefused("1 fences, and others up to -1 forgotten", -1, "016b" + "05");
    refused(
        "kv snapshot is corrupt: 100001 fences, and others up to 0 forgotten",
        "02" + ENTRIES + "0000000000000000" + "00000000000186a1");
    refused(
        "kv snapshot is corrupt: -1 fences, and others up to 0 forgotten",
        "02" + ENTRIES + "0000000000000000" + "ffffffffffffffff");
  }

  private static void entriesRefused(String message, String... records) {
    refused("kv snapshot is corrupt: " + message, "02" + records(records) + FENCES);
  }

  private static void fencesRefused(String message, long forgotten, String... records) {
    refused(
        "kv snapshot is corrupt: " + message,
        "02" + ENTRIES + "%016x".formatted(forgotten) + records(records));
  }

  private static String records(String... records) {
    StringBuilder hex = new StringBuilder("%016x".formatted(records.length));
    for (String record : records) {
      hex.append("%08x".formatted(record.length() / 2)).append(record);
    }
    return hex.toString();
  }

  private static void refused(String message, String hex) {
    assertEquals(message, assertThrows(IOException.class, () -> read(hex)).getMessage());
  }

  private static State read(String hex) throws IOException {
    return KvSnapshot.read(new ByteArrayInputStream(HexFormat.of().parseHex(hex)));
  }

  private static String write(State state) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    KvSnapshot.write(state, out);
    return HexFormat.of().formatHex(out.toByteArray());
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
