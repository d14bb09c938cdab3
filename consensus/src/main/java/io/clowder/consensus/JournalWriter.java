// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import io.clowder.api.storage.Journal;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Records on their way to the journal: while one batch is being synced, the next one gathers. Used
 * by the group's thread; the journal itself is touched by the disk's thread only.
 */
final class JournalWriter {
  /** Kinds of record: the driver's own, and the core's. */
  static final int SEGMENT = 1;

  static final int CORE = 2;
  static final int DIRECTORY = 3;

  private final Journal journal;
  private final Codec<Message> codec;
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

  /** Told on the group's thread how a write went. */
  interface Outcome {
    /** Runs {@code task} on the group's thread. */
    void enqueue(Runnable task);

    /** The journal is dead; what was not durable is in an unknown state. */
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

  JournalWriter(Journal journal, Codec<Message> codec, Executor disk, Outcome outcome) {
    this.journal = journal;
    this.codec = codec;
    this.disk = disk;
    this.outcome = outcome;
  }

  /** Adds a core's record to the batch that gathers. */
  void append(long tag, Message message) {
    gathering.bytes.writeByte(CORE);
    codec.write(message, gathering.bytes);
    gathering.end(tag);
    appended++;
  }

  /** Adds the segment's description, which must be in the journal whatever is trimmed. */
  void append(long tag, Segment segment) {
    gathering.bytes.writeByte(SEGMENT);
    segment.write(gathering.bytes);
    gathering.end(tag);
    appended++;
  }

  /** Adds who a node was found to be, which must be known before the next vote. */
  void append(long tag, NodeId node, long incarnation) {
    gathering.bytes.writeByte(DIRECTORY).writeString(node.value()).writeLong(incarnation);
    gathering.end(tag);
    appended++;
  }

  /** Records appended so far. */
  long appended() {
    return appended;
  }

  /** Records that are on disk. */
  long durable() {
    return durable;
  }

  /** Syncs so far. */
  long syncs() {
    return syncs;
  }

  /** Since when the disk has been busy with one batch, or 0 if it is idle. */
  long writingSince() {
    return writing ? writingSince : 0;
  }

  /** Hands what has gathered to the disk, unless it is still busy. */
  void flush(long now) {
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

  /** Drops leading files whose records are all superseded. */
  void trim(long tag) {
    onDisk(
        () -> journal.trim(tag),
        failure -> {
          if (failure != null) {
            outcome.failed(failure);
          }
        });
  }

  /** Closes the journal once the disk is done with what it has, and says so. */
  void close(Runnable closed) {
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
