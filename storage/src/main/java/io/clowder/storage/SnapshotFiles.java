// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Snapshots;
import java.io.IOException;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshots of one group in a directory: {@code POSITION.snapshot} is whole, {@code
 * POSITION.new} is being made, {@code POSITION.part} is being received and may be resumed.
 *
 * <p>A damaged newest snapshot is an error and not a reason to take an older one: the journal may
 * have been trimmed up to the newest.
 */
final class SnapshotFiles implements Snapshots {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotFiles.class);
  private static final Pattern NAME = Pattern.compile("([0-9]{19})\\.(snapshot|new|part)");

  private final Disk disk;
  private final String directory;
  private final long incarnation;
  private final String name;
  private final Set<String> writing = new HashSet<>();
  private @Nullable StoredSnapshot latest;
  private @Nullable StoredSnapshot previous;

  private SnapshotFiles(Disk disk, String directory, long incarnation, String name) {
    this.disk = disk;
    this.directory = directory;
    this.incarnation = incarnation;
    this.name = name;
  }

  /** Opens or makes the directory, verifies the newest snapshot and removes what is left over. */
  static SnapshotFiles open(Disk disk, String directory, long incarnation, String name)
      throws IOException {
    disk.makeDirectory(directory);
    SnapshotFiles files = new SnapshotFiles(disk, directory, incarnation, name);
    long newest = files.newestPosition("snapshot");
    if (newest >= 0) {
      files.latest = files.verified(newest);
    }
    try {
      long part = files.newestPosition("part");
      files.removeAllBut(newest, part > newest ? part : -1);
      return files;
    } catch (IOException e) {
      files.release();
      throw e;
    }
  }

  @Override
  public @Nullable Snapshot latest() {
    return latest;
  }

  @Override
  public Writing begin(long position) throws IOException {
    String path = unused(position, "new");
    disk.delete(path);
    return writing(path, position, disk.open(path, true));
  }

  @Override
  public Writing resume(long position) throws IOException {
    String path = unused(position, "part");
    boolean there = false;
    for (String each : disk.list(directory)) {
      String other = directory + "/" + each;
      there |= other.equals(path);
      // What was received of another one will not be asked for again.
      if (each.endsWith(".part") && !other.equals(path) && !writing.contains(other)) {
        disk.delete(other);
      }
    }
    return writing(path, position, disk.open(path, !there));
  }

  /** Closes what is open. */
  void release() throws IOException {
    if (previous != null) {
      previous.retire();
    }
    if (latest != null) {
      latest.retire();
    }
  }

  boolean hasNewerThan(long position) {
    return latest != null && latest.position() > position;
  }

  Snapshot newest() {
    if (latest == null) {
      throw new AssertionError("no snapshot");
    }
    return latest;
  }

  SnapshotHeader header(long position, long size, int checksum) {
    return new SnapshotHeader(incarnation, name, position, size, checksum);
  }

  /** Gives a synced file its final name, and removes older ones. */
  Snapshot committed(String path, SnapshotHeader header) throws IOException {
    closed(path);
    String target = path(header.position(), "snapshot");
    disk.rename(path, target);
    disk.syncDirectory(directory);
    StoredSnapshot snapshot = new StoredSnapshot(disk.open(target, false), header);
    // A reader that took the one before may be in the midst of it: it goes one commit later.
    if (previous != null) {
      previous.retire();
    }
    previous = latest;
    latest = snapshot;
    removeAllBut(header.position(), newestPosition("part"));
    return snapshot;
  }

  void closed(String path) {
    writing.remove(path);
  }

  void delete(String path) throws IOException {
    disk.delete(path);
  }

  private String unused(long position, String suffix) {
    if (position < 0) {
      throw new IllegalArgumentException("a snapshot at " + position);
    }
    String path = path(position, suffix);
    if (writing.contains(path)) {
      throw new IllegalStateException(path + " is being written");
    }
    return path;
  }

  private Writing writing(String path, long position, Disk.File file) throws IOException {
    try {
      Writing started = new SnapshotWriting(this, path, position, path.endsWith(".part"), file);
      writing.add(path);
      return started;
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private StoredSnapshot verified(long position) throws IOException {
    String path = path(position, "snapshot");
    Disk.File file = disk.open(path, false);
    try {
      return new StoredSnapshot(
          file, SnapshotHeader.verify(file, path, incarnation, name, position));
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private String path(long position, String suffix) {
    return directory + "/" + String.format(Locale.ROOT, "%019d.%s", position, suffix);
  }

  private long newestPosition(String suffix) throws IOException {
    long newest = -1;
    for (String each : disk.list(directory)) {
      Matcher matcher = NAME.matcher(each);
      if (matcher.matches() && matcher.group(2).equals(suffix)) {
        newest = Math.max(newest, Long.parseLong(matcher.group(1)));
      }
    }
    return newest;
  }

  /** Removes all files but the snapshot and the part at these positions, and those in use. */
  private void removeAllBut(long snapshot, long part) throws IOException {
    Set<String> kept = new HashSet<>(writing);
    kept.add(path(Math.max(0, snapshot), "snapshot"));
    kept.add(path(Math.max(0, part), "part"));
    for (String each : disk.list(directory)) {
      String path = directory + "/" + each;
      if (NAME.matcher(each).matches() && !kept.contains(path)) {
        LOG.debug("removing {}", path);
        disk.delete(path);
      }
    }
  }
}
