// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.store.RequestId;
import io.clowder.replication.LogRecord.Effect;
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

  @Test
  void aResultIsRememberedAsLongAsItMayBe() {
    Contents contents = new Contents();
    for (long seq = 1; seq <= RequestId.REMEMBERED + 1; seq++) {
      contents.apply(put(seq, "a"));
    }
    assertNull(contents.result(new RequestId(1, 1)));
    assertTrue(contents.isForgotten(new RequestId(1, 1)));
    assertEquals(new Answer.Changed(2, false), contents.result(new RequestId(1, 2)));
  }
}
