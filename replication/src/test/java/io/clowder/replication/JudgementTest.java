// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.Limits;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.LogRecord.Effect;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.pcollections.TreePMap;

/** What becomes of writes, of which nothing is committed unless it is said. */
class JudgementTest {
  private static final byte[] ONE = {1};

  private Ledger ledger = new Ledger(new Recovered(Image.EMPTY), new Recorded());

  private LogRecord judge(Op op) {
    RequestId request = new RequestId(1, ledger.log.end() + 1);
    LogRecord record = Judgement.judge(op, request, 3, ledger);
    ledger.append(record);
    return record;
  }

  private LogRecord write(Fence fence, Step... steps) {
    return judge(new Op(List.of(steps), fence));
  }

  private Answer.Written write(Step... steps) {
    return judge(Op.of(steps)).result();
  }

  private void commit() {
    ledger.commit(ledger.log.end(), it -> {});
  }

  private static List<String> keys(LogRecord record) {
    return record.effects().stream()
        .map(it -> (it.value() == null ? "-" : "+") + it.key().replace(Contents.OWN, ""))
        .toList();
  }

  private static Step put(String key) {
    return new Step.Put(key, ONE);
  }

  private static Step cas(String key, long expected) {
    return new Step.CompareAndSet(key, expected, ONE);
  }

  private static Step delete(String key) {
    return new Step.Delete(key);
  }

  // ---- steps ---------------------------------------------------------------------------------

  @Test
  void aRecordIsOfTheEpochAndComesNext() {
    LogRecord record = judge(Op.of(put("a")));
    assertEquals(3, record.epoch());
    assertEquals(1, record.seq());
    assertEquals(new RequestId(1, 1), record.request());
    assertEquals(new Answer.Changed(1, false), record.result());
    assertEquals(List.of("+a"), keys(record));
  }

  @Test
  void aDeletionSaysWhetherTheKeyWasThere() {
    assertEquals(new Answer.Changed(1, false), write(delete("a")));
    write(put("a"));
    assertEquals(new Answer.Changed(3, true), write(delete("a")));
    assertEquals(new Answer.Changed(4, false), write(delete("a")));
    write(put("a"));
    commit();
    assertEquals(new Answer.Changed(6, true), write(delete("a")));
    assertEquals(new Answer.Changed(7, false), write(delete("a")), "in the tail it is gone");
  }

  @Test
  void aConditionIsOfAllThatComesBefore() {
    assertEquals(new Answer.Changed(1, false), write(cas("a", 0)));
    assertEquals(new Answer.Conflict(0, 1), write(cas("a", 0)));
    assertEquals(new Answer.Changed(3, false), write(cas("a", 1)));
    commit();
    assertEquals(new Answer.Conflict(0, 3), write(cas("a", 1)));
    assertEquals(new Answer.Changed(5, false), write(cas("a", 3)));
    write(delete("a"));
    assertEquals(new Answer.Conflict(0, 0), write(cas("a", 5)));
    assertEquals(new Answer.Changed(8, false), write(cas("a", 0)));
  }

  @Test
  void aConflictNamesTheStepAndDoesNothing() {
    write(put("b"));
    LogRecord record = judge(Op.of(put("a"), delete("b"), cas("c", 0), cas("b", 7), put("d")));
    assertEquals(new Answer.Conflict(3, 1), record.result());
    assertEquals(List.of(), record.effects());
    assertNull(ledger.log.touch("a"));
  }

  @Test
  void everyConditionOfABatchIsOfTheStateBeforeIt() {
    write(put("a"));
    assertEquals(new Answer.Changed(2, false), write(put("a"), cas("a", 1)));
    assertEquals(new Answer.Changed(3, true), write(delete("a"), delete("b"), delete("a")));
    assertEquals(new Answer.Changed(4, false), write(put("a"), delete("a")));
    assertEquals(new Answer.Changed(5, false), write(cas("a", 0)));
  }

  // ---- fences --------------------------------------------------------------------------------

  @Test
  void aSmallerTokenIsStale() {
    LogRecord first = write(new Fence("r", 5), put("a"));
    assertEquals(List.of("+fence/r", "+a"), keys(first));
    assertEquals(new Answer.Stale(5), write(new Fence("r", 4), put("a")).result());
    assertEquals(List.of(), write(new Fence("r", 4), put("a")).effects());
    assertEquals(List.of("+a"), keys(write(new Fence("r", 5), put("a"))), "the same holder");
    assertEquals(List.of("+fence/r", "+a"), keys(write(new Fence("r", 6), put("a"))));
    assertEquals(List.of("+fence/s", "+a"), keys(write(new Fence("s", 1), put("a"))));
    commit();
    assertEquals(new Answer.Stale(6), write(new Fence("r", 5), put("a")).result());
    assertEquals(List.of("+a"), keys(write(new Fence("r", 6), put("a"))));
  }

  @Test
  void aConflictShowsTheTokenAllTheSame() {
    LogRecord record = write(new Fence("r", 5), put("b"), cas("a", 9));
    assertEquals(new Answer.Conflict(1, 0), record.result());
    assertEquals(List.of("+fence/r"), keys(record));
    assertEquals(new Answer.Stale(5), write(new Fence("r", 4), put("a")).result());
  }

  /** So many resources are known by name, with tokens from 1 on. */
  private void fill(int count) {
    TreePMap<String, Versioned> entries = TreePMap.empty();
    for (int i = 1; i <= count; i++) {
      entries = entries.plus(Contents.fence("r" + i), new Versioned(Contents.token(i), 1));
    }
    Recovered recovered = new Recovered(new Image(1, 1, entries, new byte[0]));
    ledger = new Ledger(recovered, new Recorded());
  }

  @Test
  void whenThereAreTooManyTheSmallestTokensAreForgotten() {
    fill(Limits.FENCES);
    int gone = Limits.FENCES / 100;
    assertEquals(List.of("+fence/r1"), keys(write(new Fence("r1", 9), new Step[0])));
    LogRecord record = write(new Fence("new", gone + 1L), put("a"));
    assertEquals(gone - 1 + 3, record.effects().size(), "one of them has just got a larger token");
    Effect forgotten = record.effects().get(gone - 1);
    assertEquals(Contents.FORGOTTEN, forgotten.key());
    assertEquals(gone, Contents.token(forgotten.value()));
    assertEquals(new Answer.Stale(gone), write(new Fence("other", gone - 1L)).result());
    assertEquals(new Answer.Stale(gone), write(new Fence("r2", 2)).result(), "it had that token");
    assertEquals(
        new Answer.Changed(6, false), write(new Fence("r" + (gone + 1), gone + 1L)).result());
    assertEquals(new Answer.Stale(9), write(new Fence("r1", 8)).result());
    assertEquals(
        List.of("+fence/more"),
        keys(write(new Fence("more", gone))),
        "nothing more is forgotten before that is committed");
    commit();
    assertTrue(ledger.contents.fences() <= Limits.FENCES - gone + 4);
    assertNull(ledger.contents.get(Contents.fence("r2")));
    assertNotNull(ledger.contents.get(Contents.fence("r1")));
    assertEquals(new Answer.Stale(gone), write(new Fence("other", gone - 1L)).result());
    assertEquals(new Answer.Changed(10, false), write(new Fence("other", gone)).result());
  }

  @Test
  void aResourceThatIsKnownNeedsNoRoom() {
    fill(Limits.FENCES);
    assertEquals(List.of("+fence/r7"), keys(write(new Fence("r7", Limits.FENCES + 1L))));
  }

  @Test
  void whileThereIsRoomNothingIsForgotten() {
    fill(Limits.FENCES - 1);
    assertEquals(List.of("+fence/new"), keys(write(new Fence("new", 1))));
  }

  /** What is forgotten in one record fits into it, beside the largest batch. */
  @Test
  void aRecordThatForgetsIsNotTooLarge() {
    int gone = Limits.FENCES / 100;
    TreePMap<String, Versioned> entries = TreePMap.empty();
    for (int i = 1; i <= Limits.FENCES; i++) {
      String pad = i <= gone ? "x".repeat(Limits.KEY_BYTES - 6) : "";
      entries = entries.plus(Contents.fence(i + pad), new Versioned(Contents.token(i), 1));
    }
    ledger = new Ledger(new Recovered(new Image(1, 1, entries, new byte[0])), new Recorded());
    LogRecord record =
        write(
            new Fence("r".repeat(Limits.KEY_BYTES), 1),
            new Step.Put("k".repeat(Limits.KEY_BYTES), new byte[Limits.VALUE_BYTES]));
    assertTrue(record.size() < Limits.RECORD_BYTES - 1024, record.size() + " bytes");
    assertEquals(record, Encoded.record(Encoded.bytes(record)));
  }

  @Test
  void theSmallestTokensComeFirst() {
    Contents contents = new Contents();
    Effect[] effects = {
      new Effect(Contents.fence("a"), Contents.token(300)),
      new Effect(Contents.fence("b"), Contents.token(2)),
      new Effect(Contents.fence("c"), Contents.token(256)),
      new Effect(Contents.FORGOTTEN, Contents.token(1)),
      new Effect(Contents.MARK, ONE)
    };
    contents.apply(
        new LogRecord(1, 1, RequestId.NONE, Arrays.asList(effects), new Answer.Changed(1, false)));
    assertEquals(List.of(Contents.fence("b"), Contents.fence("c")), contents.smallestFences(2));
    assertEquals(3, contents.smallestFences(9).size());
  }
}
