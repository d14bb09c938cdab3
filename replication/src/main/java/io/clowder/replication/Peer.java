// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;

/** What a primary knows of another replica. */
final class Peer {
  static final long NEVER = Long.MIN_VALUE / 2;

  private static final long UNDER_WAY_MAX = 16L * Limits.BATCH_BYTES;

  final ReplicaId id;

  /** The run of its process that last spoke; 0 if none did. */
  long life;

  /** The latest stamp that came from it. */
  long stamp;

  /** It has this much of the primary's log on disk. */
  long acked;

  /** So much was sent, and was not said to be missing. */
  long sent;

  /** All that is on the way to it comes after this. */
  long base;

  /** When the primary last sent something. */
  long sentAt;

  /** When the latest of what it answered was sent; it was of this epoch still, after that. */
  long heard;

  /** As {@code heard}, of answers by which it promised to follow nobody else for the lease. */
  long promised;

  /** When it last had all, or made progress. */
  long progressAt;

  /** What was sent before is not lost by what a mismatch says about it. */
  long rewoundAt;

  Peer(ReplicaId id, long sent, long now) {
    this.id = id;
    this.sent = sent;
    this.base = sent;
    this.sentAt = NEVER;
    this.heard = NEVER;
    this.promised = NEVER;
    this.rewoundAt = Long.MIN_VALUE;
    this.progressAt = now;
  }

  /** The commit point that it was last told. */
  long told;

  /** Bytes that were sent after {@code base} and are not acknowledged. */
  long underWay;

  /**
   * Another run of its process speaks. It may have less on disk than the one before had said, if
   * that did not wait for its disk; and it does not know yet that what it has is the primary's.
   */
  void begin(ReplicaMessage.Stamps stamps, long persisted) {
    life = stamps.life();
    stamp = stamps.stamp();
    // What was acknowledged before is not on the way, though it will be acknowledged again.
    base = Math.max(base, acked);
    acked = Math.min(acked, persisted);
  }

  /** Whether more may be sent: what is on the way is limited. */
  boolean isReady() {
    return underWay < UNDER_WAY_MAX;
  }

  /** It has not said that it lacks what was sent; or if it did, this begins anew from there. */
  void rewind(long to, long now) {
    sent = to;
    base = to;
    underWay = 0;
    rewoundAt = now;
  }
}
