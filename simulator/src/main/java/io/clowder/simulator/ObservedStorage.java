// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A storage that shows the judge its snapshots, and journals that it finds damaged. */
final class ObservedStorage implements Storage {
  private final Storage storage;
  private final NodeId node;
  private final Judge judge;

  ObservedStorage(Storage storage, NodeId node, Judge judge) {
    this.storage = storage;
    this.node = node;
    this.judge = judge;
  }

  @Override
  public Journal openJournal(String name, Journal.Replay replay) throws IOException {
    try {
      return storage.openJournal(name, replay);
    } catch (CorruptionException e) {
      // The simulated disks lose and tear what was not synced; they damage nothing that was.
      judge.fail(e);
      throw e;
    }
  }

  @Override
  public Snapshots openSnapshots(String name) throws IOException {
    return new ObservedSnapshots(storage.openSnapshots(name));
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
  public long freeBytes() throws IOException {
    return storage.freeBytes();
  }

  private final class ObservedSnapshots implements Snapshots {
    private final Snapshots snapshots;

    ObservedSnapshots(Snapshots snapshots) {
      this.snapshots = snapshots;
    }

    @Override
    public @Nullable Snapshot latest() {
      return snapshots.latest();
    }

    @Override
    public Writing begin(long position) throws IOException {
      return new ObservedWriting(snapshots.begin(position));
    }

    @Override
    public Writing resume(long position) throws IOException {
      return new ObservedWriting(snapshots.resume(position));
    }
  }

  private final class ObservedWriting implements Snapshots.Writing {
    private final Snapshots.Writing writing;

    ObservedWriting(Snapshots.Writing writing) {
      this.writing = writing;
    }

    @Override
    public long size() {
      return writing.size();
    }

    @Override
    public OutputStream content() {
      return writing.content();
    }

    @Override
    public Snapshots.Snapshot commit(@Nullable Integer checksum) throws IOException {
      var snapshot = writing.commit(checksum);
      judge.snapshot(node, snapshot.position(), snapshot.checksum());
      return snapshot;
    }

    @Override
    public int checksum() {
      return writing.checksum();
    }

    @Override
    public void close() throws IOException {
      writing.close();
    }
  }
}
