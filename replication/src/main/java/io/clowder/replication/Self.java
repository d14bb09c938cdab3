// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a replica is, whatever its role: its name and life, its ledger, its way to the world, the
 * time, and the promises it has made.
 */
final class Self {
  final ReplicaId id;
  final long life;
  final Timing timing;
  final Ledger ledger;
  final Outlet outlet;
  long now;

  /** Of the last question; no other life counts from here. */
  private long token;

  /** The newest snapshot on its disk; its epoch and stamps mean nothing. */
  ReplicaMessage.@Nullable Offer snapshot;

  /** When it last let somebody else take itself for the primary. */
  long promised;

  /** When it last let each backup answer reads. */
  final Map<ReplicaId, Long> granted = new HashMap<>();

  Self(ReplicaId id, long life, Timing timing, Ledger ledger, Outlet outlet, long now) {
    this.id = id;
    this.life = life;
    this.timing = timing;
    this.ledger = ledger;
    this.outlet = outlet;
    this.now = now;
    // What an earlier life promised is not known.
    this.promised = now;
    this.token = life;
  }

  /** Names a question, so that its answer is known; no other life uses the same. */
  long nextToken() {
    return ++token;
  }

  /** Whether a backup may answer reads still, as far as this replica let it. */
  boolean mayRead(ReplicaId backup) {
    Long at = granted.get(backup);
    return at != null && now - at <= timing.granted();
  }
}
