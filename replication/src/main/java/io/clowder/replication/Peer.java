// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

/** What a primary knows of another replica. */
final class Peer {
  final ReplicaId id;

  /** The run of its process that last spoke; 0 if none did. */
  long life;

  /** The latest stamp that came from it. */
  long stamp;

  /** It has this much of the primary's log on disk. */
  long acked;

  /** So much was sent, and was not said to be missing. */
  long sent;

  /** From here on it was sent what it has not acknowledged, so far as is known. */
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
    this.sentAt = now;
    this.heard = Long.MIN_VALUE / 2;
    this.promised = Long.MIN_VALUE / 2;
    this.rewoundAt = Long.MIN_VALUE;
    this.progressAt = now;
  }

  /** Up to here may be sent: what is on the way is limited. */
  long sendable() {
    return Math.max(acked, base) + ReplicaMessage.Append.RECORDS_MAX;
  }
}
