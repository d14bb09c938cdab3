// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import io.clowder.api.storage.Journal;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Records on their way to a journal: while one batch is being synced, the next one gathers (group
 * commit). Used by the loop's thread; the journal itself is touched by the disk's tasks only.
 *
 * <p>A vocabulary of records is a subclass that adds them by {@link #begin} and {@link #end}.
 *
 * <p>After a failure nothing becomes durable any more, and what was not durable is in an unknown
 * state: the journal has to be opened again.
 */
public class GatheringJournal {
  private final Journal journal;
  private final Executor disk;
  private final Outcome outcome;

  private Batch gathering = new Batch();
  private Batch spare = new Batch();
  private long appended;
  private long handedOver;
  private long durable;
  private boolean writing;
  private long writingSince;
  private long syncs;

  /** How writes go. */
  @ConsumerType
  public interface Outcome {
    /** Has {@code task} run on the loop's thread, after those before it; called by the disk's. */
    void enqueue(Runnable task);

    /**
     * The journal is dead; what was not durable is in an unknown state. On the loop's thread.
     *
     * @param failure what the journal threw, or has as its cause what else was thrown
     */
    void failed(IOException failure);
  }

  /** Records in one byte array. */
  private static final class Batch {
    final WireWriter bytes = new WireWriter(1 << 16);
    long[] tags = new long[64];
    int[] ends = new int[64];
    int count;

    void end(long tag) {
      if (count == tags.length) {
        tags = Arrays.copyOf(tags, count * 2);
        ends = Arrays.copyOf(ends, count * 2);
      }
      tags[count] = tag;
      ends[count++] = bytes.size();
    }

    void writeTo(Journal journal) throws IOException {
      for (int i = 0, start = 0; i < count; start = ends[i++]) {
        journal.append(tags[i], bytes.array(), start, ends[i] - start);
      }
    }

    void clear() {
      bytes.reset();
      count = 0;
    }
  }

  /**
   * Nothing gathers yet.
   *
   * @param journal is used by nobody else from now on
   * @param disk runs one task at a time, in order
   * @param outcome told how writes went
   */
  public GatheringJournal(Journal journal, Executor disk, Outcome outcome) {
    this.journal = journal;
    this.disk = disk;
    this.outcome = outcome;
  }

  /**
   * Begins a record in the batch that gathers.
   *
   * @return takes the record's bytes, {@link io.clowder.api.Limits#RECORD_BYTES} at most, until
   *     {@link #end}; holds the records before it, too, which must be left alone
   */
  public final WireWriter begin() {
    return gathering.bytes;
  }

  /**
   * Ends the record: it goes to disk with the next {@link #flush} that finds the disk idle.
   *
   * @param tag what {@link #trim} goes by; 0 or more
   */
  public final void end(long tag) {
    gathering.end(tag);
    appended++;
  }

  /** Records that have {@link #end ended} so far. */
  public final long appended() {
    return appended;
  }

  /** Records that are on disk: the first of those {@link #appended}. */
  public final long durable() {
    return durable;
  }

  /** Syncs so far. */
  public final long syncs() {
    return syncs;
  }

  /**
   * Since when the disk has been busy with one batch, or 0 if it is idle: the time that {@link
   * #flush} was given.
   */
  public final long writingSince() {
    return writing ? writingSince : 0;
  }

  /**
   * Hands what has gathered to the disk, unless it is still busy or nothing has gathered. Never
   * between {@link #begin} and {@link #end}.
   *
   * @param now for {@link #writingSince}, of any clock
   */
  public final void flush(long now) {
    if (writing || gathering.count == 0) {
      return;
    }
    Batch batch = gathering;
    gathering = spare;
    spare = batch;
    writing = true;
    writingSince = now;
    handedOver = appended;
    onDisk(
        () -> {
          batch.writeTo(journal);
          journal.sync();
        },
        failure -> {
          writing = false;
          if (failure != null) {
            outcome.failed(failure);
          } else {
            durable = handedOver;
            syncs++;
            batch.clear();
          }
        });
  }

  /**
   * Drops leading files whose records are all superseded, once the disk is done with what it has.
   *
   * @param tag the highest of those that are
   */
  public final void trim(long tag) {
    onDisk(
        () -> journal.trim(tag),
        failure -> {
          if (failure != null) {
            outcome.failed(failure);
          }
        });
  }

  /**
   * Closes the journal once the disk is done with what it has; what only gathers is lost.
   *
   * @param closed runs on the loop's thread afterwards, whether closing succeeded or not
   */
  public final void close(Runnable closed) {
    onDisk(journal::close, failure -> closed.run());
  }

  private interface DiskWork {
    void run() throws IOException;
  }

  private void onDisk(DiskWork work, Consumer<@Nullable IOException> then) {
    disk.execute(
        () -> {
          IOException failure = null;
          try {
            work.run();
          } catch (IOException e) {
            failure = e;
          } catch (RuntimeException | AssertionError | LinkageError | VirtualMachineError e) {
            failure = new IOException(e.toString(), e);
          }
          IOException result = failure;
          outcome.enqueue(() -> then.accept(result));
        });
  }
}
