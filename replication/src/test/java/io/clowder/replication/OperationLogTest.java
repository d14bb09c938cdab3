// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.store.RequestId;
import io.clowder.replication.LogRecord.Effect;
import io.clowder.replication.OperationLog.Beginning;
import java.util.List;
import org.junit.jupiter.api.Test;

class OperationLogTest {
  private static OperationLog log(long... epochs) {
    OperationLog log = new OperationLog();
    for (long epoch : epochs) {
      log.append(LogRecord.opening(epoch, log.end() + 1));
    }
    return log;
  }

  private static long common(OperationLog one, OperationLog other) {
    long common = one.common(other.history(), other.end());
    assertEquals(common, other.common(one.history(), one.end()));
    return common;
  }

  /** KIP-101: by epochs, not by lengths; KIP-279: with epochs that only one of them has. */
  @Test
  void logsPartWhereTheirEpochsDo() {
    assertEquals(0, common(log(), log(1, 1)));
    assertEquals(2, common(log(1, 1), log(1, 1, 1)));
    assertEquals(2, common(log(1, 1, 2), log(1, 1, 3, 3)));
    assertEquals(3, common(log(1, 1, 1, 4), log(1, 1, 1, 2, 2, 3)));
    assertEquals(1, common(log(1, 2, 2), log(1, 3)));
    assertEquals(4, common(log(1, 3, 3, 3), log(1, 3, 3, 3, 5)));
  }

  private static LogRecord put(long seq, String key) {
    Effect effect = new Effect(key, new byte[] {1});
    return new LogRecord(
        1, seq, new RequestId(1, seq), List.of(effect), new Answer.Changed(seq, false));
  }

  @Test
  void aKeyIsCleanWhenAllThatTouchesItIsApplied() {
    OperationLog log = new OperationLog();
    log.lead();
    log.append(put(1, "a"));
    log.append(put(2, "a"));
    log.append(put(3, "b"));
    log.applied(log.get(1));
    assertNotNull(log.touch("a"));
    log.applied(log.get(2));
    assertNull(log.touch("a"));
    assertNotNull(log.touch("b"));
    assertEquals(3, log.find(new RequestId(1, 3)));
    log.truncate(2);
    assertNull(log.touch("b"));
    assertEquals(0, log.find(new RequestId(1, 3)));
  }

  private static OperationLog applied(int count, long... epochs) {
    OperationLog log = log(epochs);
    for (int seq = 1; seq <= count; seq++) {
      log.applied(log.get(seq));
    }
    return log;
  }

  @Test
  void whatIsForgottenLeavesTheEpochOfTheLast() {
    OperationLog log = applied(3, 1, 1, 2, 2, 3);
    long size = log.get(4).size();
    log.forget(3);
    assertEquals(3, log.base());
    assertEquals(5, log.end());
    assertEquals(OperationLog.FORGOTTEN, log.epochOf(2));
    assertEquals(2, log.epochOf(3));
    assertEquals(2, log.epochOf(4));
    assertEquals(3, log.epochOf(5));
    assertEquals(-1, log.epochOf(6));
    assertEquals(3, log.lastEpoch());
    assertEquals(4, log.get(4).seq());
    assertEquals(List.of(new Beginning(2, 3), new Beginning(3, 5)), log.history());
    assertEquals(size + log.get(5).size(), log.bytes());
    log.forget(2);
    assertEquals(3, log.base(), "it does not come back");
  }

  @Test
  void aLogThatHasForgottenAllGoesOn() {
    OperationLog log = applied(2, 1, 2);
    log.forget(2);
    assertEquals(2, log.lastEpoch());
    assertEquals(0, log.bytes());
    assertEquals(2, log.end());
    log.append(LogRecord.opening(2, 3));
    assertEquals(List.of(new Beginning(2, 2)), log.history());
    assertEquals(List.of(log.get(3)), log.slice(2, 3));
  }

  @Test
  void onlyWhatIsAppliedIsForgotten() {
    OperationLog log = applied(1, 1, 1);
    assertThrows(AssertionError.class, () -> log.forget(2));
    assertThrows(AssertionError.class, () -> log.truncate(0));
  }

  @Test
  void thePlaceBeforeTheFirstRecordHasAnEpoch() {
    assertEquals(0, log().epochOf(0));
    assertEquals(-1, log().epochOf(1));
    assertEquals(0, log().lastEpoch());
  }

  @Test
  void aLogThatHasTheRecordGoesOnAfterIt() {
    OperationLog log = new OperationLog();
    log.lead();
    log.append(put(1, "a"));
    log.append(put(2, "a"));
    log.append(put(3, "b"));
    assertFalse(log.begin(2, 1));
    assertEquals(2, log.base());
    assertEquals(3, log.end());
    assertNull(log.touch("a"), "what touched it came from elsewhere");
    assertNotNull(log.touch("b"));
    assertEquals(0, log.find(new RequestId(1, 2)));
    assertEquals(3, log.find(new RequestId(1, 3)));
  }

  @Test
  void aLogThatHasAnotherRecordThereIsVoid() {
    OperationLog log = new OperationLog();
    log.append(put(1, "a"));
    log.append(put(2, "a"));
    log.append(put(3, "b"));
    assertTrue(log.begin(2, 2));
    assertEquals(2, log.end());
    assertEquals(2, log.base());
    assertEquals(0, log.bytes());
    assertEquals(2, log.lastEpoch());
    assertEquals(List.of(new Beginning(2, 2)), log.history());
    assertNull(log.touch("b"));
    assertEquals(0, log.find(new RequestId(1, 3)));
    log.append(LogRecord.opening(3, 3));
    assertEquals(List.of(new Beginning(2, 2), new Beginning(3, 3)), log.history());
    log.truncate(2);
    assertEquals(List.of(new Beginning(2, 2)), log.history());
  }

  @Test
  void aLogThatEndsBeforeBeginsAnew() {
    OperationLog log = log(1, 1);
    assertTrue(log.begin(9, 2));
    assertEquals(9, log.end());
    assertEquals(OperationLog.FORGOTTEN, log.epochOf(2));
    assertEquals(List.of(new Beginning(2, 9)), log.history());
  }

  /** The other has what is forgotten here: it is committed, so the same. */
  @Test
  void logsPartWhereTheirEpochsDoThoughOneHasForgotten() {
    OperationLog whole = log(1, 1, 2, 2, 3);
    OperationLog forgetful = applied(4, 1, 1, 2, 2, 3);
    forgetful.forget(4);
    assertEquals(5, common(forgetful, whole));
    assertEquals(4, common(forgetful, log(1, 1, 2, 2, 4)));
    assertEquals(3, common(forgetful, log(1, 1, 2)), "which is forgotten");
    assertEquals(0, common(forgetful, log(1, 1)));
    OperationLog begun = new OperationLog();
    begun.begin(4, 2);
    assertEquals(4, common(begun, whole));
    begun.append(LogRecord.opening(3, 5));
    assertEquals(5, common(begun, whole));
  }

  @Test
  void aReadIsDirtyIfTheTailTouchesWhatItMayFind() {
    OperationLog log = new OperationLog();
    log.append(put(1, "ab"));
    assertTrue(log.isDirty(new Query.Get("ab")));
    assertFalse(log.isDirty(new Query.Get("a")));
    assertTrue(log.isDirty(new Query.Scan("a", null, 1)));
    assertFalse(log.isDirty(new Query.Scan("b", null, 1)));
    log.applied(log.get(1));
    assertFalse(log.isDirty(new Query.Scan("", null, 1)));
  }

  @Test
  void aMessageHasAsManyRecordsAsFit() {
    OperationLog log = new OperationLog();
    for (int seq = 1; seq <= 300; seq++) {
      log.append(LogRecord.opening(1, seq));
    }
    assertEquals(ReplicaMessage.Append.RECORDS_MAX, log.slice(0, 300).size());
    assertEquals(3, log.slice(10, 13).size());
    assertEquals(11, log.slice(10, 13).get(0).seq());
    assertEquals(0, log.slice(300, 300).size());
  }
}
