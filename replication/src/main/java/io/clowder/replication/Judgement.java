// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.lock.Fence;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.replication.Contents.Versioned;
import io.clowder.replication.LogRecord.Effect;
import io.clowder.replication.OperationLog.Touch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns what was asked for into what it does, once, at the primary: conditions are judged by all
 * that is in its log, committed or not, as that comes before. Backups only do what was found.
 */
final class Judgement {
  /** Fences that are forgotten together, when there are too many. */
  private static final int FORGOTTEN_AT_ONCE = Limits.FENCES / 100;

  private final Ledger ledger;
  private final List<Effect> effects = new ArrayList<>();

  private Judgement(Ledger ledger) {
    this.ledger = ledger;
  }

  /** The record of an operation; one that conflicts has a record, too, for it to be told again. */
  static LogRecord judge(Op op, RequestId request, long epoch, Ledger ledger) {
    Judgement judgement = new Judgement(ledger);
    long seq = ledger.log.end() + 1;
    Answer.Written result = judgement.judge(op, seq);
    return new LogRecord(epoch, seq, request, judgement.effects, result);
  }

  private Answer.Written judge(Op op, long seq) {
    Fence fence = op.fence();
    if (fence != null) {
      String key = Contents.fence(fence.resource());
      byte @Nullable [] known = value(key);
      long seen = Contents.token(known == null ? value(Contents.FORGOTTEN) : known);
      if (fence.token() < seen) {
        return new Answer.Stale(seen);
      }
      // Whatever becomes of the write: its sender has the lock, so all before it have lost it.
      if (known == null || fence.token() > seen) {
        makeRoom(known == null);
        effects.add(new Effect(key, Contents.token(fence.token())));
      }
    }
    int fencing = effects.size();
    boolean existed = false;
    for (int i = 0; i < op.steps().size(); i++) {
      Step step = op.steps().get(i);
      if (step instanceof Step.Put put) {
        effects.add(new Effect(put.key(), put.value()));
      } else if (step instanceof Step.Delete delete) {
        existed = version(delete.key()) != 0;
        effects.add(new Effect(delete.key(), null));
      } else if (step instanceof Step.CompareAndSet cas) {
        long version = version(cas.key());
        if (version != cas.expected()) {
          effects.subList(fencing, effects.size()).clear();
          return new Answer.Conflict(i, version);
        }
        effects.add(new Effect(cas.key(), cas.value()));
      } else {
        throw new AssertionError("cannot judge " + step.getClass());
      }
    }
    return new Answer.Changed(seq, existed);
  }

  /**
   * Forgets the smallest tokens when there are too many, and remembers the largest of those: a
   * resource that is not known by name counts as having seen it, so nothing stale is ever accepted.
   */
  private void makeRoom(boolean isNew) {
    if (!isNew
        || ledger.contents.fences() < Limits.FENCES
        || ledger.log.touch(Contents.FORGOTTEN) != null) {
      return;
    }
    long forgotten = Contents.token(value(Contents.FORGOTTEN));
    for (String key : ledger.contents.smallestFences(FORGOTTEN_AT_ONCE)) {
      if (ledger.log.touch(key) == null) {
        forgotten = Math.max(forgotten, Contents.token(value(key)));
        effects.add(new Effect(key, null));
      }
    }
    effects.add(new Effect(Contents.FORGOTTEN, Contents.token(forgotten)));
  }

  private byte @Nullable [] value(String key) {
    Touch touch = ledger.log.touch(key);
    if (touch != null) {
      return touch.value();
    }
    Versioned found = ledger.contents.get(key);
    return found == null ? null : found.value();
  }

  private long version(String key) {
    Touch touch = ledger.log.touch(key);
    if (touch != null) {
      return touch.version();
    }
    Versioned found = ledger.contents.get(key);
    return found == null ? 0 : found.version();
  }
}
