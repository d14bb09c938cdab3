// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A storage whose syncs fail, or hang, when they are told to. */
final class FailingStorage implements Storage {
  private final Storage storage;

  /** What the next sync throws. */
  volatile @Nullable IOException failure;

  /** What syncs wait for. */
  volatile @Nullable CountDownLatch hung;

  /** What opening a journal waits for. */
  volatile @Nullable CountDownLatch slow;

  /** What opening a journal throws. */
  volatile @Nullable Error fault;

  final AtomicInteger opened = new AtomicInteger();
  final AtomicInteger closed = new AtomicInteger();

  volatile long freeBytes = Long.MAX_VALUE;

  FailingStorage(Storage storage) {
    this.storage = storage;
  }

  @Override
  public Journal openJournal(String name, Journal.Replay replay) throws IOException {
    CountDownLatch latch = slow;
    if (latch != null) {
      await(latch);
    }
    Error thrown = fault;
    if (thrown != null) {
      throw thrown;
    }
    opened.incrementAndGet();
    return new FailingJournal(storage.openJournal(name, replay));
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Override
  public Snapshots openSnapshots(String name) throws IOException {
    return storage.openSnapshots(name);
  }

  @Override
  public List<String> journals(String group) throws IOException {
    return storage.journals(group);
  }

  @Override
  public void deleteJournal(String name) throws IOException {
    storage.deleteJournal(name);
  }

  @Override
  public List<String> snapshots(String group) throws IOException {
    return storage.snapshots(group);
  }

  @Override
  public void deleteSnapshots(String name) throws IOException {
    storage.deleteSnapshots(name);
  }

  @Override
  public long freeBytes() {
    return freeBytes;
  }

  private final class FailingJournal implements Journal {
    private final Journal journal;

    FailingJournal(Journal journal) {
      this.journal = journal;
    }

    @Override
    public void append(long tag, byte[] bytes, int offset, int length) throws IOException {
      journal.append(tag, bytes, offset, length);
    }

    @Override
    public void sync() throws IOException {
      CountDownLatch latch = hung;
      if (latch != null) {
        await(latch);
      }
      IOException thrown = failure;
      if (thrown != null) {
        throw thrown;
      }
      journal.sync();
    }

    @Override
    public void trim(long tag) throws IOException {
      journal.trim(tag);
    }

    @Override
    public long verify() throws IOException {
      return journal.verify();
    }

    @Override
    public long verify(long from) throws IOException {
      return journal.verify(from);
    }

    @Override
    public long sizeBytes() {
      return journal.sizeBytes();
    }

    @Override
    public void close() throws IOException {
      closed.incrementAndGet();
      journal.close();
    }
  }
}
