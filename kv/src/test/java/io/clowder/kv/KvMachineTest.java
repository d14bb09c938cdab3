// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.consensus.Entry;
import io.clowder.api.consensus.StateMachine;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.wire.WireFormatException;
import io.clowder.kv.KvRequest.CompareAndSet;
import io.clowder.kv.KvRequest.Delete;
import io.clowder.kv.KvRequest.Fenced;
import io.clowder.kv.KvRequest.Get;
import io.clowder.kv.KvRequest.Page;
import io.clowder.kv.KvRequest.Put;
import io.clowder.kv.KvRequest.Write;
import io.clowder.kv.KvResult.Changed;
import io.clowder.kv.KvResult.Conflict;
import io.clowder.kv.KvResult.Entries;
import io.clowder.kv.KvResult.Removed;
import io.clowder.kv.KvResult.Stale;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KvMachineTest {
  private final KvMachine machine = new KvMachine();
  private long position;

  @Test
  void aChangesVersionIsThePositionOfItsEntry() {
    position = 41;
    assertEquals(new Changed(42), apply(new Put(utf8("a"), utf8("1"))));
    assertEquals(new Changed(43), apply(new Put(utf8("a"), utf8("2"))));
    assertEquals(List.of("a=2@43"), page("", null, 10));
  }

  @Test
  void compareAndSetChangesOnlyTheExpectedVersion() {
    assertEquals(new Conflict(0), apply(new CompareAndSet(utf8("a"), 7, utf8("x"))));
    assertEquals(new Changed(2), apply(new CompareAndSet(utf8("a"), 0, utf8("1"))));
    assertEquals(new Conflict(2), apply(new CompareAndSet(utf8("a"), 0, utf8("x"))));
    assertEquals(new Conflict(2), apply(new CompareAndSet(utf8("a"), 1, utf8("x"))));
    assertEquals(List.of("a=1@2"), page("", null, 10));
    assertEquals(new Changed(5), apply(new CompareAndSet(utf8("a"), 2, utf8("2"))));
  }

  @Test
  void aDeletedKeyIsAbsentAgain() {
    apply(new Put(utf8("a"), utf8("1")));
    assertEquals(new Removed(true), apply(new Delete(utf8("a"))));
    assertEquals(new Removed(false), apply(new Delete(utf8("a"))));
    assertEquals(List.of(), page("", null, 10));
    assertEquals(new Changed(4), apply(new CompareAndSet(utf8("a"), 0, utf8("2"))));
  }

  @Test
  void aWriteWithASmallerTokenThanSeenChangesNothing() throws IOException {
    apply(fenced("job", 5, new Put(utf8("a"), utf8("1"))));
    byte[] before = snapshot(machine);
    assertEquals(new Stale(5), apply(fenced("job", 4, new Put(utf8("a"), utf8("late")))));
    assertEquals(new Stale(5), apply(fenced("job", 1, new Delete(utf8("a")))));
    assertEquals(
        new Stale(5), apply(fenced("job", 4, new CompareAndSet(utf8("a"), 1, utf8("late")))));
    // The fence comes before the version.
    assertEquals(
        new Stale(5), apply(fenced("job", 4, new CompareAndSet(utf8("a"), 9, utf8("late")))));
    assertArrayEquals(before, snapshot(machine));
  }

  @Test
  void anEqualOrLargerTokenIsAccepted() {
    assertEquals(new Changed(1), apply(fenced("job", 5, new Put(utf8("a"), utf8("1")))));
    assertEquals(new Changed(2), apply(fenced("job", 5, new Put(utf8("a"), utf8("2")))));
    assertEquals(new Changed(3), apply(fenced("job", 6, new Put(utf8("a"), utf8("3")))));
    assertEquals(new Stale(6), apply(fenced("job", 5, new Put(utf8("a"), utf8("late")))));
    assertEquals(
        new Changed(5), apply(fenced("job", 6, new CompareAndSet(utf8("a"), 3, utf8("5")))));
    assertEquals(new Removed(true), apply(fenced("job", 7, new Delete(utf8("a")))));
    assertEquals(List.of(), page("", null, 10));
  }

  @Test
  void aFenceHoldsUpNeitherOtherResourcesNorWritesWithoutOne() {
    apply(fenced("job", 5, new Put(utf8("a"), utf8("1"))));
    assertEquals(new Changed(2), apply(fenced("other", 1, new Put(utf8("a"), utf8("2")))));
    assertEquals(new Changed(3), apply(new Put(utf8("a"), utf8("3"))));
    assertEquals(new Stale(5), apply(fenced("job", 1, new Put(utf8("b"), utf8("late")))));
  }

  @Test
  void aTokenIsRememberedThoughItsWriteChangesNothing() {
    apply(new Put(utf8("a"), utf8("1")));
    assertEquals(
        new Conflict(1), apply(fenced("job", 7, new CompareAndSet(utf8("a"), 0, utf8("x")))));
    assertEquals(new Stale(7), apply(fenced("job", 6, new Put(utf8("a"), utf8("late")))));
    assertEquals(new Removed(false), apply(fenced("job", 9, new Delete(utf8("b")))));
    assertEquals(new Stale(9), apply(fenced("job", 8, new Put(utf8("a"), utf8("late")))));
    assertEquals(List.of("a=1@1"), page("", null, 10));
  }

  @Test
  void whatWasSeenIsInTheSnapshot() throws IOException {
    apply(fenced("job", 5, new Put(utf8("a"), utf8("1"))));
    apply(fenced("other", 300, new Delete(utf8("b"))));
    KvMachine other = restored();
    assertEquals(new Stale(5), apply(other, fenced("job", 4, new Delete(utf8("a")))));
    assertEquals(new Stale(300), apply(other, fenced("other", 299, new Delete(utf8("a")))));
    assertEquals(new Removed(true), apply(other, fenced("job", 5, new Delete(utf8("a")))));
    assertEquals(new Removed(false), apply(other, fenced("new", 1, new Delete(utf8("a")))));
  }

  @Test
  void resourcesOverTheLimitAreForgottenOnTheSafeSideAndByEveryReplicaAlike() throws IOException {
    for (int i = 0; i < Limits.FENCES; i++) {
      apply(fenced("r" + i, 1000 + i, new Delete(utf8("a"))));
    }
    assertEquals(new Stale(1000), apply(fenced("r0", 999, new Delete(utf8("a")))));
    assertEquals(new Removed(false), apply(fenced("new", 1, new Delete(utf8("a")))));
    assertEquals(new Removed(false), apply(fenced("newer", 500_000, new Delete(utf8("a")))));
    assertEquals(new Stale(1000), apply(fenced("r0", 999, new Delete(utf8("a")))));
    assertEquals(new Stale(1000), apply(fenced("new", 999, new Delete(utf8("a")))));
    assertEquals(new Stale(1001), apply(fenced("r1", 1000, new Delete(utf8("a")))));

    KvMachine other = restored();
    assertArrayEquals(snapshot(machine), snapshot(other));
    Random random = new Random(20_260_303);
    for (int i = 0; i < 20_000; i++) {
      String resource = "r" + random.nextInt(2 * Limits.FENCES);
      Fenced write = fenced(resource, 1000 + random.nextInt(10_000), new Delete(utf8("a")));
      assertEquals(apply(write), apply(other, write));
    }
    assertArrayEquals(snapshot(machine), snapshot(other));
  }

  @Test
  void theEndOfASessionChangesNothing() throws IOException {
    apply(new Put(utf8("a"), utf8("1")));
    byte[] before = snapshot(machine);
    machine.apply(new Entry(Entry.Kind.SESSION_ENDED, ++position, 0, 1, new byte[0]));
    assertArrayEquals(before, snapshot(machine));
  }

  @Test
  void pagesFollowTheOrderOfTheBytesAndNotOfJavasChars() {
    // U+1F408 comes after U+FF5E in UTF-8 and before it in UTF-16.
    for (String key : List.of("b", "ab", "a", "\uFF5E", "\uD83D\uDC08", "abc", "aÿ")) {
      apply(new Put(utf8(key), utf8("")));
    }
    assertEquals(List.of("a", "ab", "abc", "aÿ", "b", "\uFF5E", "\uD83D\uDC08"), keys("", null, 9));
    assertEquals(List.of("ab", "abc"), keys("ab", null, 9));
    assertEquals(List.of("ab", "abc"), keys("ab", "a", 9));
    assertEquals(List.of("abc", "aÿ"), keys("a", "ab", 2));
    assertEquals(List.of(), keys("ab", "b", 9));
    assertEquals(List.of("\uD83D\uDC08"), keys("", "\uFF5E", 9));
  }

  @Test
  void aPageNeverExceedsTheLimitOfAResult() {
    byte[] large = new byte[Limits.VALUE_BYTES];
    for (int i = 0; i < 3; i++) {
      apply(new Put(utf8("large" + i), large));
    }
    apply(new Put(utf8("small"), utf8("")));
    byte[] first = machine.query(new Page(utf8(""), null, 1000).encode());
    assertTrue(first.length <= Limits.RESULT_BYTES, first.length + " bytes");
    assertEquals(List.of("large0"), keys("", null, 1000));
    assertEquals(List.of("large2", "small"), keys("", "large1", 1000));
  }

  @Test
  void theLargestEntryFitsIntoAPage() {
    byte[] key = utf8("k".repeat(Limits.KEY_BYTES));
    byte[] put = new Put(key, new byte[Limits.VALUE_BYTES]).encode();
    byte[] cas =
        new Fenced(
                key,
                Long.MAX_VALUE,
                new CompareAndSet(key, Long.MAX_VALUE, new byte[Limits.VALUE_BYTES]))
            .encode();
    assertTrue(Math.max(put.length, cas.length) <= Limits.COMMAND_BYTES);
    machine.apply(command(put));
    assertEquals(1, keys("", null, 1).size());
  }

  @Test
  void aSnapshotIsOfItsMomentAndRestoresToTheSameBytes() throws IOException {
    for (int i = 0; i < 1000; i++) {
      apply(new Put(utf8("key-" + i % 300), utf8("value-" + i)));
    }
    for (int i = 0; i < 1000; i++) {
      apply(fenced("job-" + i % 300, i + 1, new Delete(utf8("none"))));
    }
    StateMachine.Snapshot captured = machine.snapshot();
    byte[] then = snapshot(machine);
    apply(fenced("job-1", 2000, new Delete(utf8("none"))));
    apply(new Delete(utf8("key-1")));
    apply(new Put(utf8("key-2"), utf8("later")));
    assertArrayEquals(then, bytes(captured));

    KvMachine other = new KvMachine();
    other.restore(new ByteArrayInputStream(then));
    assertArrayEquals(then, snapshot(other));
    assertFalse(Arrays.equals(then, snapshot(machine)));
  }

  @Test
  void equalStatesGiveEqualBytesWhateverTheirHistory() throws IOException {
    KvMachine other = new KvMachine();
    position = 9;
    apply(new Put(utf8("a"), utf8("1")));
    apply(new Put(utf8("b"), utf8("2")));
    other.apply(new Entry(Entry.Kind.COMMAND, 1, 0, 5, new Put(utf8("c"), utf8("")).encode()));
    other.apply(new Entry(Entry.Kind.COMMAND, 2, 0, 5, new Delete(utf8("c")).encode()));
    other.apply(new Entry(Entry.Kind.COMMAND, 11, 0, 5, new Put(utf8("b"), utf8("2")).encode()));
    other.apply(new Entry(Entry.Kind.COMMAND, 10, 0, 5, new Put(utf8("a"), utf8("1")).encode()));
    apply(fenced("x", 7, new Delete(utf8("none"))));
    apply(fenced("y", 7, new Delete(utf8("none"))));
    apply(other, fenced("y", 6, new Delete(utf8("none"))));
    apply(other, fenced("y", 7, new Delete(utf8("none"))));
    apply(other, fenced("x", 7, new Delete(utf8("none"))));
    assertArrayEquals(snapshot(machine), snapshot(other));
  }

  @Test
  void anEmptyStreamIsTheInitialState() throws IOException {
    byte[] initial = snapshot(new KvMachine());
    apply(fenced("job", 5, new Put(utf8("a"), utf8("1"))));
    machine.restore(new ByteArrayInputStream(new byte[0]));
    assertArrayEquals(initial, snapshot(machine));
  }

  @Test
  void aDamagedSnapshotIsRefusedAndTheStateStays() throws IOException {
    apply(new Put(utf8("a"), utf8("1")));
    apply(new Put(utf8("b"), utf8("2")));
    apply(fenced("j", 5, new Delete(utf8("none"))));
    apply(fenced("k", 6, new Delete(utf8("none"))));
    byte[] whole = snapshot(machine);
    for (int length = 1; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      IOException failure =
          assertThrows(IOException.class, () -> machine.restore(new ByteArrayInputStream(cut)));
      assertEquals("kv snapshot is corrupt: cut short", failure.getMessage());
    }
    assertArrayEquals(whole, snapshot(machine));
  }

  @Test
  void aCommandThatMakesNoSenseFailsAndChangesNothing() throws IOException {
    apply(new Put(utf8("a"), utf8("1")));
    byte[] before = snapshot(machine);
    byte[][] commands = {
      {},
      {1},
      {1, 1, 1, 'a'},
      {1, 1, 0, 0},
      {1, 1, 1, (byte) 0xFF, 0},
      {2, 1, 1, 'a', 0},
      {2, 2, 1, 'a'},
      {9, 1},
      {6, 1, 1, 'j', 5},
      {6, 1, 0, 5, 2, 1, 1, 'a'},
      {6, 1, 1, (byte) 0xFF, 5, 2, 1, 1, 'a'},
      {6, 1, 1, 'j', 0, 2, 1, 1, 'a'},
      {6, 1, 1, 'j', 5, 2, 2, 1, 'a'},
      {6, 1, 1, 'j', 5, 2, 1, 1, 'a', 0},
      {6, 1, 1, 'j', 5, 4, 1, 1, 'a'},
      {6, 1, 1, 'j', 5, 6, 1, 1, 'j', 5, 2, 1, 1, 'a'},
      fenced("job", -1, new Delete(utf8("a"))).encode(),
      fenced("j".repeat(Limits.KEY_BYTES + 1), 5, new Delete(utf8("a"))).encode(),
      new Get(utf8("a")).encode(),
      new Page(utf8(""), null, 1).encode(),
    };
    for (byte[] command : commands) {
      assertThrows(WireFormatException.class, () -> machine.apply(command(command)));
    }
    assertArrayEquals(before, snapshot(machine));
  }

  @Test
  void aQuestionThatMakesNoSenseIsRefused() {
    byte[][] questions = {
      {},
      {4, 1, 0},
      {5, 1, 0, 0, 0},
      {5, 1, 0, 0, (byte) 0xE9, 7},
      {9, 1},
      new Delete(utf8("a")).encode(),
    };
    for (byte[] question : questions) {
      assertThrows(IllegalArgumentException.class, () -> machine.query(question));
    }
  }

  @Test
  void agreesWithATreeMapOverManyRandomChanges() {
    Random random = new Random(20_260_101);
    Map<String, String> model = new TreeMap<>();
    for (int i = 0; i < 20_000; i++) {
      String key = "k" + random.nextInt(500);
      if (random.nextInt(3) == 0) {
        assertEquals(new Removed(model.remove(key) != null), apply(new Delete(utf8(key))));
      } else {
        apply(new Put(utf8(key), utf8("" + i)));
        model.put(key, "%s=%d@%d".formatted(key, i, position));
      }
    }
    assertEquals(List.copyOf(model.values()), page("", null, 1000));
  }

  private KvResult apply(KvRequest request) {
    return apply(machine, request);
  }

  private KvResult apply(KvMachine target, KvRequest request) {
    return KvResult.decode(target.apply(command(request.encode())));
  }

  private static Fenced fenced(String resource, long token, Write write) {
    return new Fenced(utf8(resource), token, write);
  }

  private KvMachine restored() throws IOException {
    KvMachine other = new KvMachine();
    other.restore(new ByteArrayInputStream(snapshot(machine)));
    return other;
  }

  private Entry command(byte[] command) {
    return new Entry(Entry.Kind.COMMAND, ++position, 0, 1, command);
  }

  private List<KvEntry> entries(String prefix, String after, int limit) {
    Page page = new Page(utf8(prefix), after == null ? null : utf8(after), limit);
    Entries result = (Entries) KvResult.decode(machine.query(page.encode()));
    return result.rows().stream().map(KvResult.Row::toEntry).toList();
  }

  private List<String> keys(String prefix, String after, int limit) {
    return entries(prefix, after, limit).stream().map(KvEntry::key).toList();
  }

  private List<String> page(String prefix, String after, int limit) {
    return entries(prefix, after, limit).stream()
        .map(e -> e.key() + "=" + new String(e.value(), UTF_8) + "@" + e.version())
        .toList();
  }

  private static byte[] snapshot(KvMachine machine) throws IOException {
    return bytes(machine.snapshot());
  }

  private static byte[] bytes(StateMachine.Snapshot snapshot) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    snapshot.writeTo(out);
    return out.toByteArray();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
