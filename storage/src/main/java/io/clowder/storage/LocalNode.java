// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A node whose directory is locked, open, and found to be its own. */
final class LocalNode implements Node, Storage, AutoCloseable {
  private final NodeSettings settings;
  private final DirectoryLock lock;
  private final ExecutorService background;
  private final DiskStorage storage;

  private LocalNode(
      NodeSettings settings, DirectoryLock lock, ExecutorService background, DiskStorage storage) {
    this.settings = settings;
    this.lock = lock;
    this.background = background;
    this.storage = storage;
  }

  /**
   * Makes the directory if it is not there, locks and opens it.
   *
   * @throws IOException if it cannot be used; one line that names it
   */
  static LocalNode open(NodeSettings settings) throws IOException {
    Path directory = made(settings.directory());
    DirectoryLock lock = DirectoryLock.of(directory);
    // Its thread comes when there is something to do, and goes.
    ExecutorService background =
        new ThreadPoolExecutor(
            0, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), LocalNode::thread);
    try {
      DiskStorage storage =
          DiskStorage.open(
              FileDisk.open(directory),
              settings.id(),
              settings.cluster(),
              new SecureRandom(),
              DiskStorage.JOURNAL_FILE_BYTES,
              background);
      return new LocalNode(settings, lock, background, storage);
    } catch (IOException e) {
      lock.close();
      throw new IOException("directory " + directory + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  @Override
  public NodeId id() {
    return settings.id();
  }

  @Override
  public String cluster() {
    return settings.cluster();
  }

  @Override
  public long incarnation() {
    return storage.incarnation();
  }

  @Override
  public SortedMap<NodeId, Address> members() {
    return settings.members();
  }

  @Override
  public Journal openJournal(String name, Journal.Replay replay) throws IOException {
    return storage.openJournal(name, replay);
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
  public long freeBytes() throws IOException {
    return storage.freeBytes();
  }

  /** Closes all that is open and gives the directory up. */
  @Override
  public void close() throws IOException {
    try {
      storage.close();
    } finally {
      background.shutdown();
      lock.close();
    }
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "clowder-storage");
    thread.setDaemon(true);
    return thread;
  }

  private static Path made(Path directory) throws IOException {
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw new IOException("directory: " + directory + " is not a directory");
    }
    try {
      boolean used = Files.exists(directory.resolve("identity"));
      Files.createDirectories(directory);
      if (!used) {
        FileDisk.syncAbove(directory);
      }
    } catch (IOException e) {
      throw new IOException("directory: " + directory + " cannot be made: " + e.getMessage(), e);
    }
    if (!Files.isWritable(directory)) {
      throw new IOException("directory: " + directory + " cannot be written to");
    }
    return directory;
  }
}
