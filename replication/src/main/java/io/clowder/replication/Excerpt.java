// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException;
import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import java.util.ArrayList;
import java.util.List;

/** Some records of a log, not too many at once. */
final class Excerpt {
  private Excerpt() {}

  /** Committed ones from a record on; refused if the log begins later. */
  static List<LogRecord> committed(Ledger ledger, long fromSeq, int count) {
    OperationLog log = ledger.log;
    if (fromSeq <= log.base()) {
      throw CoordinationException.refused(
          Reason.CONFLICT,
          "record "
              + fromSeq
              + " is not in the log of this node any more, which begins with "
              + (log.base() + 1));
    }
    return slice(log, fromSeq, Math.min(ledger.commit(), fromSeq - 1 + count));
  }

  /** The last ones. */
  static List<LogRecord> last(OperationLog log, int count) {
    long room = Limits.RESULT_BYTES;
    long from = log.end() + 1;
    while (from > Math.max(log.base(), log.end() - count) + 1 && room > 0) {
      room -= log.get(--from).size();
    }
    return slice(log, from, log.end());
  }

  private static List<LogRecord> slice(OperationLog log, long from, long to) {
    List<LogRecord> slice = new ArrayList<>();
    long room = Limits.RESULT_BYTES;
    for (long seq = from; seq <= to && room > 0; seq++) {
      LogRecord record = log.get(seq);
      room -= record.size();
      slice.add(record);
    }
    return slice;
  }
}
