// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a copy was a moment ago, to be read by any thread.
 *
 * @param life the run of its process
 * @param config null if it knows none yet
 * @param oldest the first record that is in its log still
 * @param end the last record
 * @param persisted all up to here is on disk
 * @param committed all up to here is applied
 * @param entries of clients
 * @param logBytes of the log, in memory
 * @param snapshot the record up to which there is a snapshot on disk; 0 if there is none
 * @param lags of the others, if it is the primary; else empty
 * @param isDiskHung whether a write has not come back for longer than a backup may lag
 * @param isUnanswered whether writes wait for a backup that consensus does not let go of
 * @param isSpaceLow whether the disk is nearly full, so that it takes no writes
 */
record View(
    ReplicaId id,
    long life,
    @Nullable StoreConfig config,
    boolean isPrimary,
    long oldest,
    long end,
    long persisted,
    long committed,
    long entries,
    long logBytes,
    long snapshot,
    List<Lag> lags,
    boolean isDiskHung,
    boolean isUnanswered,
    boolean isSpaceLow) {
  View {
    lags = List.copyOf(lags);
  }

  /**
   * How far another replica is.
   *
   * @param acked all up to here is on its disk
   * @param records what it lacks
   * @param bytes of that, about; -1 if the log does not have all of it any more
   * @param millis how old the oldest is of what it lacks; 0 if it lacks nothing
   */
  record Lag(ReplicaId replica, long acked, long records, long bytes, long millis) {}

  /** The same when it is closed: it serves nothing. */
  View closed() {
    return new View(
        id,
        life,
        config,
        false,
        oldest,
        end,
        persisted,
        committed,
        entries,
        logBytes,
        snapshot,
        List.of(),
        isDiskHung,
        false,
        isSpaceLow);
  }
}
