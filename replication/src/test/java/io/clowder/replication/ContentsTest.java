// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.store.RequestId;
import io.clowder.replication.LogRecord.Effect;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContentsTest {
  private final Contents contents = new Contents();
  private long seq;

  private void apply(long client, long number, Effect... effects) {
    seq++;
    contents.apply(
        new LogRecord(
            1,
            seq,
            new RequestId(client, number),
            List.of(effects),
            new Answer.Changed(seq, false)));
  }

  private static Effect one(String key) {
    return new Effect(key, new byte[] {1});
  }

  private void put(String... keys) {
    apply(0, 0, Arrays.stream(keys).map(ContentsTest::one).toArray(Effect[]::new));
  }

  private List<String> page(String prefix, String after, int limit) {
    Answer answer = contents.look(new Query.Scan(prefix, after, limit));
    return ((Answer.Entries) answer).rows().stream().map(KvEntry::key).toList();
  }

  // ---- entries -------------------------------------------------------------------------------

  @Test
  void aVersionIsTheNumberOfTheWrite() {
    put("a", "b");
    put("b");
    assertEquals(1, contents.get("a").version());
    assertEquals(2, contents.get("b").version());
    apply(0, 0, new Effect("a", null));
    assertNull(contents.get("a"));
    assertEquals(1, contents.size());
  }

  @Test
  void aPageHasThePrefixComesAfterAKeyAndEnds() {
    put("a", "ba", "bb", "bc", "c");
    assertEquals(List.of("a", "ba", "bb", "bc", "c"), page("", null, 9));
    assertEquals(List.of("ba", "bb", "bc"), page("b", null, 9));
    assertEquals(List.of("ba", "bb"), page("b", null, 2));
    assertEquals(List.of("bb", "bc"), page("b", "ba", 9));
    assertEquals(List.of("bb", "bc"), page("b", "baa", 9));
    assertEquals(List.of("ba", "bb", "bc"), page("b", "a", 9));
    assertEquals(List.of(), page("b", "bc", 9));
    assertEquals(List.of("bc", "c"), page("", "bb", 9));
    assertEquals(List.of(), page("d", null, 9));
  }

  @Test
  void aPageHasAsManyBytesAsGoIntoAMessage() {
    int each = Limits.VALUE_BYTES;
    for (String key : List.of("a", "b", "c")) {
      apply(0, 0, new Effect(key, new byte[each]));
    }
    assertEquals(List.of("a"), page("", null, 9), "two, and their frame, are too much");
    for (String key : List.of("a", "b", "c")) {
      apply(0, 0, new Effect(key, new byte[each / 2]));
    }
    assertEquals(List.of("a", "b", "c"), page("", null, 9));
  }

  @Test
  void whatTheStoreRemembersIsNotShown() {
    put(Contents.MARK, Contents.fence("r"), Contents.FORGOTTEN, "a");
    for (String prefix : List.of("", "\0", "\0fence/", Contents.MARK)) {
      assertFalse(page(prefix, null, 9).stream().anyMatch(it -> it.startsWith(Contents.OWN)));
      assertFalse(page(prefix, "\0a", 9).stream().anyMatch(it -> it.startsWith(Contents.OWN)));
    }
    assertEquals(List.of("a"), page("", "\0", 9));
    assertEquals(1, contents.size());
    assertEquals(3, contents.fences());
    apply(0, 0, new Effect(Contents.MARK, null), new Effect("a", null));
    assertEquals(0, contents.size());
    assertEquals(2, contents.fences());
  }

  // ---- requests ------------------------------------------------------------------------------

  @Test
  void eachClientHasItsOwnResults() {
    apply(1, 5);
    apply(2, 5);
    assertEquals(new Answer.Changed(1, false), contents.result(new RequestId(1, 5)));
    assertEquals(new Answer.Changed(2, false), contents.result(new RequestId(2, 5)));
    assertNull(contents.result(new RequestId(1, 4)));
    assertFalse(contents.isForgotten(new RequestId(1, 4)));
    assertNull(contents.result(RequestId.NONE));
  }

  @Test
  void aResultIsRememberedAsLongAsItMayBe() {
    for (long number = 1; number <= RequestId.REMEMBERED + 1; number++) {
      apply(1, number);
    }
    assertNull(contents.result(new RequestId(1, 1)));
    assertTrue(contents.isForgotten(new RequestId(1, 1)));
    assertFalse(contents.isForgotten(new RequestId(1, 2)));
    assertEquals(new Answer.Changed(2, false), contents.result(new RequestId(1, 2)));
  }

  private void fill(int clients) {
    for (int client = 1; client <= clients; client++) {
      for (int number = 1; number <= RequestId.REMEMBERED; number++) {
        apply(client, number);
      }
    }
  }

  /** A retry of what is forgotten must not be taken for a new request. */
  @Test
  void withTooManyResultsEachClientKeepsItsLatest() {
    int each = RequestId.REMEMBERED;
    fill(RequestId.REMEMBERED_OF_ALL / each);
    assertNotNull(contents.result(new RequestId(2, 1)));
    apply(99, 1);
    for (int client = 1; client <= RequestId.REMEMBERED_OF_ALL / each; client++) {
      assertNull(contents.result(new RequestId(client, each / 2)));
      assertTrue(contents.isForgotten(new RequestId(client, each / 2)));
      assertNotNull(contents.result(new RequestId(client, each / 2 + 1)));
      assertFalse(contents.isForgotten(new RequestId(client, each / 2 + 1)));
    }
    assertNotNull(contents.result(new RequestId(99, 1)));
  }

  @Test
  void ofTooManyClientsTheOneWhoWroteFirstGoes() {
    for (int client = 1; client <= RequestId.CLIENTS; client++) {
      apply(client, 1);
    }
    apply(1, 2);
    apply(99_999, 1);
    assertNotNull(contents.result(new RequestId(1, 1)));
    assertNull(contents.result(new RequestId(2, 1)));
    assertNotNull(contents.result(new RequestId(3, 1)));
  }

  // ---- images --------------------------------------------------------------------------------

  @Test
  void anImageBecomesWhatItIsOf() {
    put(Contents.fence("r"), "a", "b");
    for (long number = 1; number <= RequestId.REMEMBERED + 1; number++) {
      apply(1, number);
    }
    apply(2, 7, one("c"));
    apply(-1, 7, one("d"));
    Image image = contents.image(seq, 1);
    Contents other = new Contents();
    other.apply(LogRecord.opening(1, 1));
    other.become(BoxDisk.read(BoxDisk.write(image)));
    assertArrayEquals(BoxDisk.write(image), BoxDisk.write(other.image(seq, 1)));
    assertEquals(4, other.size());
    assertEquals(1, other.fences());
    assertTrue(other.isForgotten(new RequestId(1, 1)));
    assertFalse(other.isForgotten(new RequestId(1, 2)));
    assertEquals(contents.result(new RequestId(-1, 7)), other.result(new RequestId(-1, 7)));
    other.become(Image.EMPTY);
    assertEquals(0, other.size());
    assertEquals(0, other.fences());
    assertNull(other.result(new RequestId(2, 7)));
  }

  /** Who is forgotten next is part of it. */
  @Test
  void anImageKnowsWhoWroteLast() {
    for (int client = RequestId.CLIENTS; client >= 1; client--) {
      apply(client, 1);
    }
    Contents other = new Contents();
    other.become(contents.image(seq, 1));
    LogRecord next =
        new LogRecord(
            1, seq + 1, new RequestId(99_999, 1), List.of(), new Answer.Changed(1, false));
    contents.apply(next);
    other.apply(next);
    assertNull(other.result(new RequestId(RequestId.CLIENTS, 1)));
    assertNotNull(other.result(new RequestId(1, 1)));
    assertArrayEquals(
        BoxDisk.write(contents.image(seq + 1, 1)), BoxDisk.write(other.image(seq + 1, 1)));
  }

  @Test
  void anImageDoesNotChange() {
    put("a");
    Image image = contents.image(seq, 1);
    byte[] bytes = BoxDisk.write(image);
    put("a", "b");
    apply(1, 1);
    assertArrayEquals(bytes, BoxDisk.write(image));
  }
}
