// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.LogRecord.Effect;
import io.clowder.replication.OperationLog.Touch;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns what was asked for into what it does, once, at the primary: conditions are judged by all
 * that is in its log, committed or not, as that comes before. Backups only do what was found.
 */
final class Judgement {
  private Judgement() {}

  /** The record of an operation; one that conflicts has a record, too, for it to be told again. */
  static LogRecord judge(Op op, RequestId request, long epoch, Ledger ledger) {
    long seq = ledger.log.end() + 1;
    List<Effect> effects = new ArrayList<>();
    Answer.Written result = new Answer.Changed(seq);
    for (Op.Single step : op.steps()) {
      long version = version(step.key(), ledger);
      if (step instanceof Op.Put put) {
        effects.add(new Effect(put.key(), put.value()));
      } else if (step instanceof Op.Delete delete) {
        effects.add(new Effect(delete.key(), null));
        result = op == delete ? new Answer.Removed(version != 0) : result;
      } else if (step instanceof Op.CompareAndSet cas) {
        if (version != cas.expected()) {
          return new LogRecord(epoch, seq, request, List.of(), new Answer.Conflict(version));
        }
        effects.add(new Effect(cas.key(), cas.value()));
      } else {
        throw new AssertionError("cannot judge " + step.getClass());
      }
    }
    return new LogRecord(epoch, seq, request, effects, result);
  }

  private static long version(String key, Ledger ledger) {
    Touch touch = ledger.log.touch(key);
    if (touch != null) {
      return touch.version();
    }
    Versioned found = ledger.contents.get(key);
    return found == null ? 0 : found.version();
  }
}
