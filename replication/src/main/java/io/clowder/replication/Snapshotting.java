// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.storage.Snapshots;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When snapshots are made, and what is let go for them: records in memory and files of the journal.
 * On the copy's thread.
 */
final class Snapshotting {
  private static final Logger log = LoggerFactory.getLogger(Snapshotting.class);

  private static final long RETRY_NANOS = 10_000_000_000L;

  /** Somebody's fetching is waited for until the log is too large by so many times its size. */
  private static final int PATIENCE = 2;

  private final long logBytes;
  private final Executor background;
  private final Consumer<Runnable> inbox;
  private final Snapshots snapshots;
  private final StoreJournal journal;
  private final Replica replica;
  private boolean isUnderWay;
  private boolean isFailed;
  private long failedAt;

  /** Of the newest snapshot that counts; and what the log has got since that was captured. */
  private long position;

  private long size;
  private long grown;

  /** How much of that came before the capture of the one that is under way. */
  private long captured;

  /** One that shows more than is committed here; it counts as soon as that is committed. */
  private Snapshots.@Nullable Snapshot early;

  /** When so many records of the journal are durable, it may be trimmed. */
  private long trimAt;

  private boolean isTrimDue;

  /**
   * Of a copy that has these files.
   *
   * @param logBytes what the log keeps of what is in a snapshot; what is in none is there as a
   *     whole, in memory and on disk, and of a store that is larger that may be half of its size
   * @param inbox has tasks run on the copy's thread
   */
  Snapshotting(
      long logBytes,
      Executor background,
      Consumer<Runnable> inbox,
      Snapshots snapshots,
      StoreJournal journal,
      Replica replica) {
    this.logBytes = logBytes;
    this.background = background;
    this.inbox = inbox;
    this.snapshots = snapshots;
    this.journal = journal;
    this.replica = replica;
    this.grown = replica.ledger().log.bytes();
  }

  /** The record up to which there is a snapshot; 0 if there is none. */
  long position() {
    return position;
  }

  /** The log has got so many bytes more. */
  void grown(long bytes) {
    grown += bytes;
  }

  /** Begins a snapshot if enough is to be gained, and trims what may be. */
  void run(boolean isFetched, long now) {
    if (isTrimDue && journal.durable() >= trimAt) {
      isTrimDue = false;
      journal.trim(position);
    }
    Snapshots.Snapshot waiting = early;
    if (waiting != null && waiting.position() <= replica.ledger().commit()) {
      early = null;
      adopt(waiting);
    }
    replica.ledger().forget(logBytes);
    if (isDue(isFetched) && !(isFailed && now - failedAt < RETRY_NANOS)) {
      make(now);
    }
  }

  /** A store that is larger than its log should be is written out when as much was written anew. */
  private long room() {
    return Math.max(logBytes, size);
  }

  private boolean isDue(boolean isFetched) {
    long patience = isFetched ? PATIENCE * logBytes : 0;
    return !isUnderWay && grown > room() / 2 + patience && replica.ledger().commit() > position;
  }

  private void make(long now) {
    isUnderWay = true;
    isFailed = false;
    captured = grown;
    Image image = replica.image();
    background.execute(
        () -> {
          try (Snapshots.Writing writing = snapshots.begin(image.seq())) {
            OutputStream content = new BufferedOutputStream(writing.content(), 1 << 16);
            image.writeTo(content);
            content.flush();
            Snapshots.Snapshot made = writing.commit(null);
            inbox.accept(() -> made(made));
          } catch (IOException | RuntimeException e) {
            inbox.accept(() -> notMade(e, now));
          }
        });
  }

  private void made(Snapshots.Snapshot made) {
    isUnderWay = false;
    grown -= captured;
    adopt(made);
  }

  private void notMade(Exception failure, long now) {
    isUnderWay = false;
    isFailed = true;
    failedAt = now;
    log.warn("a snapshot cannot be made: {}", failure.toString());
  }

  /** A snapshot is on disk: what was before it may go. */
  void adopt(Snapshots.Snapshot snapshot) {
    if (snapshot.position() <= position) {
      return;
    }
    if (snapshot.position() > replica.ledger().commit()) {
      early = snapshot;
      return;
    }
    position = snapshot.position();
    size = snapshot.size();
    replica.snapshotted(position, size, snapshot.checksum(), logBytes);
    trimAt = journal.cover(position);
    isTrimDue = true;
  }
}
