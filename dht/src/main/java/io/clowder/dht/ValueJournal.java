// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.storage.Snapshots;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node writes down of its values, and when it writes all of them anew, so that the journal
 * does not grow for ever. Its tags count records from the beginning of the node's life. Used by the
 * loop's thread.
 */
final class ValueJournal extends GatheringJournal {
  private static final Logger log = LoggerFactory.getLogger(ValueJournal.class);
  private static final long LEAST_BYTES = 64L << 20;
  private static final long RETRY_NANOS = 10_000_000_000L;
  private static final long TIME_NANOS = 600_000_000_000L;

  private final Snapshots snapshots;
  private final Executor background;
  private final Outcome outcome;
  private long records;
  private long bytes;
  private long bytesAtCapture;
  private boolean isUnderWay;
  private long nextAt;
  private long timeAt;
  private long covered;
  private long trimAt = Long.MAX_VALUE;

  ValueJournal(
      ValueFiles.Opened opened, Executor disk, Executor background, Outcome outcome, long now) {
    super(opened.journal(), disk, outcome);
    this.snapshots = opened.snapshots();
    this.background = background;
    this.outcome = outcome;
    this.records = opened.records();
    this.bytes = opened.bytes();
    this.nextAt = now;
    this.timeAt = now;
  }

  /** Returns how many have to be durable for this one to be. */
  long append(Value value) {
    int before = begin().size();
    value.write(begin().writeByte(ValueFiles.VALUE));
    bytes += begin().size() - before;
    end(++records);
    return appended();
  }

  /** As {@link #append}. */
  long forget(Identifier id) {
    id.write(begin().writeByte(ValueFiles.FORGOTTEN));
    bytes += Identifier.BYTES;
    end(++records);
    return appended();
  }

  /** Writes what is due. */
  void run(Values values, long wallMillis, long now) {
    if (timeAt <= now) {
      timeAt = now + TIME_NANOS;
      begin().writeByte(ValueFiles.TIME).writeLong(wallMillis);
      end(++records);
    }
    if (durable() >= trimAt) {
      trimAt = Long.MAX_VALUE;
      trim(covered);
    }
    if (!isUnderWay && nextAt <= now && bytes > Math.max(LEAST_BYTES, values.bytes())) {
      capture(values, wallMillis, now);
    }
  }

  private void capture(Values values, long wallMillis, long now) {
    isUnderWay = true;
    bytesAtCapture = bytes;
    long position = records;
    List<Value> all = List.copyOf(values.all());
    background.execute(
        () -> {
          try {
            var written = ValueFiles.write(snapshots, position, all, wallMillis);
            outcome.enqueue(() -> made(written.position()));
          } catch (IOException | RuntimeException e) {
            log.warn("a snapshot cannot be made: {}", e.toString());
            outcome.enqueue(
                () -> {
                  isUnderWay = false;
                  nextAt = now + RETRY_NANOS;
                });
          }
        });
  }

  /** What was before it may go, once it is noted that it is there. */
  private void made(long position) {
    isUnderWay = false;
    bytes -= bytesAtCapture;
    covered = position;
    begin().writeByte(ValueFiles.COVERED).writeVarLong(position);
    end(++records);
    trimAt = appended();
  }
}
