// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A storage whose syncs fail, or hang, when they are told to. */
final class FailingStorage implements Storage {
  private final Storage storage;

  /** What the next sync throws. */
  volatile @Nullable IOException failure;

  /** What syncs wait for. */
  volatile @Nullable CountDownLatch hung;

  volatile long freeBytes = Long.MAX_VALUE;

  FailingStorage(Storage storage) {
    this.storage = storage;
  }

  @Override
  public Journal openJournal(String name, Journal.Replay replay) throws IOException {
    return new FailingJournal(storage.openJournal(name, replay));
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
        try {
          latch.await();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
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
    public long sizeBytes() {
      return journal.sizeBytes();
    }

    @Override
    public void close() throws IOException {
      journal.close();
    }
  }
}
