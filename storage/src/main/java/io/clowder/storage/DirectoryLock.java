// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps a directory for one user on this machine, by a lock on the file {@code lock} in it. */
final class DirectoryLock implements AutoCloseable {
  private final String property;
  private final FileChannel channel;

  private DirectoryLock(String property, FileChannel channel) {
    this.property = property;
    this.channel = channel;
  }

  /** Locks an existing directory, or says that it is in use. */
  static DirectoryLock of(Path directory) throws IOException {
    // Within this process, the system's lock is no guard: closing a second channel on the file
    // would release the first one's lock. Of what all class loaders see, properties are the least.
    String property = "io.clowder.storage.lock." + directory.toRealPath();
    if (System.getProperties().putIfAbsent(property, "held") != null) {
      throw new IOException("directory " + directory + " is in use by this process");
    }
    try {
      return new DirectoryLock(property, lock(directory));
    } catch (IOException | RuntimeException e) {
      System.clearProperty(property);
      throw e;
    }
  }

  private static FileChannel lock(Path directory) throws IOException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw new IOException("directory " + directory + " is in use by another process");
      }
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Gives the directory up; the file stays. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      System.clearProperty(property);
    }
  }
}
