// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.store.Freshness;

/**
 * Stands between a process and a caller whose read may miss something, and checks what it missed:
 * of what is bounded, nothing that anybody took for committed the bound before the process took the
 * read up; of what is local, nothing that an earlier one in this life did not.
 */
final class Glance implements Box.Caller {
  private final ReplicaWorld world;
  private final Box box;
  private final Freshness freshness;
  private final String key;
  private final Box.Caller caller;
  private long takenAt;

  Glance(ReplicaWorld world, Box box, Freshness freshness, String key, Box.Caller caller) {
    this.world = world;
    this.box = box;
    this.freshness = freshness;
    this.key = key;
    this.caller = caller;
  }

  @Override
  public void taken() {
    takenAt = world.now();
  }

  @Override
  public void answered(Answer answer) {
    long shown = box.replica.ledger().commit();
    long least = world.committedBefore(takenAt - freshness.bound().toNanos());
    if (freshness.kind() == Freshness.Kind.LOCAL) {
      check(shown >= box.localSeq, shown + " after " + box.localSeq);
      box.localSeq = shown;
      least = shown;
    }
    // What is in its log may be missing, if it is not about the key.
    long seq = Math.max(shown, least);
    long version =
        ((Answer.Entries) answer).rows().stream().mapToLong(KvEntry::version).findFirst().orElse(0);
    check(version == world.version(key, seq), "version " + version + " of " + key + " at " + seq);
    caller.answered(answer);
  }

  private void check(boolean holds, String message) {
    if (!holds) {
      throw new AssertionError(
          box.node + " at " + world.now() + ", asked at " + takenAt + ", shows " + message);
    }
  }

  @Override
  public void refused(Refusal reason, Outcome outcome) {
    caller.refused(reason, outcome);
  }
}
