// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.NodeId;
import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * Storage on any {@link Disk}, without a component around it. Thread-safe; what it opens is used by
 * one thread each.
 */
public final class DiskStorage implements Storage, AutoCloseable {
  /** Default size of a journal file, in bytes. */
  public static final int JOURNAL_FILE_BYTES = 16 << 20;

  static final String JOURNALS = "journals";
  static final String SNAPSHOTS = "snapshots";

  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9][A-Za-z0-9._~-]*)*");
  private static final int NAME_MAX = 200;
  private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,17}");

  private final Disk disk;
  private final Identity identity;
  private final int journalFileBytes;
  private final Executor background;
  private final Map<String, Journal> journals = new HashMap<>();
  private final Map<String, SnapshotFiles> snapshots = new HashMap<>();
  private boolean closed;

  private DiskStorage(Disk disk, Identity identity, int journalFileBytes, Executor background) {
    this.disk = disk;
    this.identity = identity;
    this.journalFileBytes = journalFileBytes;
    this.background = background;
  }

  /**
   * As {@link #open(Disk, NodeId, String, RandomGenerator)}, in a directory of the file system that
   * is there. Does not lock it.
   */
  public static DiskStorage open(
      Path directory, NodeId node, String cluster, RandomGenerator random) throws IOException {
    return open(FileDisk.open(directory), node, cluster, random);
  }

  /**
   * Opens a node's storage with journal files of the default size; see {@link #open(Disk, NodeId,
   * String, RandomGenerator, int)}.
   */
  public static DiskStorage open(Disk disk, NodeId node, String cluster, RandomGenerator random)
      throws IOException {
    return open(disk, node, cluster, random, JOURNAL_FILE_BYTES);
  }

  /**
   * Opens a node's storage. At the first time, it writes down whose it is, with an incarnation
   * drawn from {@code random}.
   *
   * @param journalFileBytes size of a journal file, at least 16 KiB and a multiple of 4 KiB
   * @throws IOException if it belongs to another node or cluster, is of a newer format, or has
   *     state but no identity; nothing was changed then
   */
  public static DiskStorage open(
      Disk disk, NodeId node, String cluster, RandomGenerator random, int journalFileBytes)
      throws IOException {
    return open(disk, node, cluster, random, journalFileBytes, Runnable::run);
  }

  /**
   * As {@link #open(Disk, NodeId, String, RandomGenerator, int)}.
   *
   * @param background runs what journals do ahead of need; until the storage is closed
   */
  static DiskStorage open(
      Disk disk,
      NodeId node,
      String cluster,
      RandomGenerator random,
      int journalFileBytes,
      Executor background)
      throws IOException {
    Identity identity = Identity.open(disk, node, cluster, random);
    return new DiskStorage(disk, identity, journalFileBytes, background);
  }

  /** The random number drawn when the directory was made; not 0. */
  public long incarnation() {
    return identity.incarnation();
  }

  @Override
  public synchronized Journal openJournal(String name, Journal.Replay replay) throws IOException {
    checkOpen();
    checkClosed(name);
    RollingJournal journal =
        RollingJournal.open(
            files(name),
            new JournalHeader.Owner(identity.incarnation(), name),
            journalFileBytes,
            background,
            replay,
            () -> forget(name));
    journals.put(name, journal);
    return journal;
  }

  /**
   * {@inheritDoc}
   *
   * <p>A snapshot stays readable until it has been replaced twice, a stream from it until it is
   * closed. Opening the snapshots again ends the use of those opened before.
   */
  @Override
  public synchronized Snapshots openSnapshots(String name) throws IOException {
    checkOpen();
    checkName(name);
    SnapshotFiles before = snapshots.remove(name);
    if (before != null) {
      before.release();
    }
    SnapshotFiles files =
        SnapshotFiles.open(disk, SNAPSHOTS + "/" + name, identity.incarnation(), name);
    snapshots.put(name, files);
    return files;
  }

  @Override
  public synchronized List<String> journals(String group) throws IOException {
    checkOpen();
    checkName(group);
    List<String> found = new ArrayList<>();
    for (long number : numbers(JOURNALS + "/" + group)) {
      String name = group + "/" + number;
      if (journals.containsKey(name) || files(name).settle()) {
        found.add(name);
      }
    }
    return found;
  }

  @Override
  public synchronized void deleteJournal(String name) throws IOException {
    checkOpen();
    checkClosed(name);
    files(name).delete();
  }

  private List<Long> numbers(String directory) throws IOException {
    return disk.list(directory).stream()
        .filter(name -> NUMBER.matcher(name).matches())
        .map(Long::valueOf)
        .sorted()
        .toList();
  }

  @Override
  public synchronized List<String> snapshots(String group) throws IOException {
    checkOpen();
    checkName(group);
    List<String> found = new ArrayList<>();
    for (long number : numbers(SNAPSHOTS + "/" + group)) {
      String name = group + "/" + number;
      if (!disk.list(SNAPSHOTS + "/" + name).isEmpty()) {
        found.add(name);
      }
    }
    return found;
  }

  @Override
  public synchronized void deleteSnapshots(String name) throws IOException {
    checkOpen();
    checkName(name);
    SnapshotFiles open = snapshots.remove(name);
    if (open != null) {
      open.release();
    }
    SnapshotFiles.delete(disk, SNAPSHOTS + "/" + name);
  }

  @Override
  public long freeBytes() throws IOException {
    return disk.freeBytes();
  }

  /** Closes all journals and snapshots. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    List<AutoCloseable> open = new ArrayList<>(journals.values());
    snapshots.values().forEach(files -> open.add(files::release));
    Closing.all(open);
  }

  private synchronized void forget(String name) {
    journals.remove(name);
  }

  private JournalFiles files(String name) {
    checkName(name);
    return new JournalFiles(disk, JOURNALS + "/" + name);
  }

  private void checkClosed(String name) {
    if (journals.containsKey(name)) {
      throw new IllegalStateException("journal '" + name + "' is open");
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the storage is closed");
    }
  }

  private static void checkName(String name) {
    if (name.length() > NAME_MAX || !NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("a journal or group cannot be named '" + name + "'");
    }
  }
}
