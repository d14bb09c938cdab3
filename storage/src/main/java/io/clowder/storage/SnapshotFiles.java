// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Snapshots;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
 *
 * <p>Used by one thread at a time, but released by any: what is shared with that is locked.
 */
final class SnapshotFiles implements Snapshots {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotFiles.class);
  private static final Pattern NAME = Pattern.compile("([0-9]{19})\\.(snapshot|new|part)");

  private final Disk disk;
  private final String directory;
  private final long incarnation;
  private final String name;
  private final Object lock = new Object();
  private final Map<String, Disk.File> writing = new HashMap<>();
  private @Nullable StoredSnapshot latest;
  private @Nullable StoredSnapshot previous;
  private boolean released;

  private SnapshotFiles(Disk disk, String directory, long incarnation, String name) {
    this.disk = disk;
    this.directory = directory;
    this.incarnation = incarnation;
    this.name = name;
  }

  /** Opens or makes the directory, verifies the newest snapshot and removes what is left over. */
  static SnapshotFiles open(Disk disk, String directory, long incarnation, String name)
      throws IOException {
    SnapshotFiles files = new SnapshotFiles(disk, directory, incarnation, name);
    try {
      disk.makeDirectory(directory);
      // Before older ones are removed: whoever named the newest may have been killed right after.
      disk.syncDirectory(directory);
      long newest = files.newestPosition("snapshot");
      if (newest >= 0) {
        files.latest = files.verified(newest);
      }
      files.removeLeftOver();
      return files;
    } catch (IOException e) {
      Closing.after(e, files::release);
      throw DiskFull.typed(directory, e);
    }
  }

  /** Removes what a directory has of snapshots, the newest last; nobody has it open. */
  static void delete(Disk disk, String directory) throws IOException {
    boolean isEmpty = true;
    for (String each : disk.list(directory)) {
      if (NAME.matcher(each).matches()) {
        disk.delete(directory + "/" + each);
        isEmpty = false;
      }
    }
    if (!isEmpty) {
      disk.syncDirectory(directory);
    }
  }

  @Override
  public @Nullable Snapshot latest() {
    synchronized (lock) {
      return latest;
    }
  }

  @Override
  public Writing begin(long position) throws IOException {
    return start(position, "new");
  }

  @Override
  public Writing resume(long position) throws IOException {
    return start(position, "part");
  }

  private Writing start(long position, String suffix) throws IOException {
    if (position < 0) {
      throw new IllegalArgumentException("a snapshot at " + position);
    }
    String path = path(position, suffix);
    boolean resumable = suffix.equals("part");
    try {
      Disk.File file;
      synchronized (lock) {
        checkUsable();
        if (writing.containsKey(path)) {
          throw new IllegalStateException(path + " is being written");
        }
        file = resumable ? openPart(path) : openNew(path);
        writing.put(path, file);
      }
      try {
        return new SnapshotWriting(this, path, position, resumable, file);
      } catch (IOException e) {
        Closing.after(e, () -> ended(path, file, true));
        throw e;
      }
    } catch (IOException e) {
      throw DiskFull.typed(path, e);
    }
  }

  private Disk.File openNew(String path) throws IOException {
    disk.delete(path);
    return disk.open(path, true);
  }

  private Disk.File openPart(String path) throws IOException {
    boolean there = false;
    for (String each : disk.list(directory)) {
      String other = directory + "/" + each;
      if (other.equals(path)) {
        there = true;
      } else if (isOf(each, "part") && !writing.containsKey(other)) {
        // What was received of another one will not be asked for again.
        disk.delete(other);
      }
    }
    return disk.open(path, !there);
  }

  /** Closes what is open, also what is being written: it can no longer be committed. */
  void release() throws IOException {
    synchronized (lock) {
      released = true;
      List<AutoCloseable> open = new ArrayList<>(writing.values());
      for (StoredSnapshot each : new StoredSnapshot[] {previous, latest}) {
        if (each != null) {
          open.add(each::retire);
        }
      }
      writing.clear();
      Closing.all(open);
    }
  }

  /** The newest snapshot, if it is newer than {@code position}. */
  @Nullable Snapshot newerThan(long position) {
    synchronized (lock) {
      return latest != null && latest.position() > position ? latest : null;
    }
  }

  SnapshotHeader header(long position, long size, int checksum) {
    return new SnapshotHeader(incarnation, name, position, size, checksum);
  }

  /** Gives a synced file its final name, and removes older ones. */
  Snapshot committed(String path, SnapshotHeader header, Disk.File file) throws IOException {
    synchronized (lock) {
      // Others may have opened the directory meanwhile, and write a file of this name.
      checkUsable();
      String whole = path(header.position(), "snapshot");
      disk.rename(path, whole);
      disk.syncDirectory(directory);
      writing.remove(path);
      StoredSnapshot before = previous;
      previous = latest;
      latest = new StoredSnapshot(file, whole, header);
      try {
        // A reader that took the one before may be in the midst of it: it goes one commit later.
        if (before != null) {
          before.retire();
        }
        removeLeftOver();
      } catch (IOException e) {
        LOG.warn("{}: what is no longer needed cannot be removed: {}", directory, e.toString());
      }
      return latest;
    }
  }

  /** Closes a file that is not written to any more. */
  void ended(String path, Disk.File file, boolean keep) throws IOException {
    synchronized (lock) {
      writing.remove(path);
      try (file) {
        // After the release, the name may be another's.
        if (!keep && !released) {
          disk.delete(path);
        }
      }
    }
  }

  private void checkUsable() throws IOException {
    if (released) {
      throw new IOException(directory + ": was closed, or opened again by others");
    }
  }

  private StoredSnapshot verified(long position) throws IOException {
    String path = path(position, "snapshot");
    Disk.File file = disk.open(path, false);
    try {
      return new StoredSnapshot(
          file, path, SnapshotHeader.verify(file, path, incarnation, name, position));
    } catch (IOException e) {
      Closing.after(e, file);
      throw e;
    }
  }

  private String path(long position, String suffix) {
    return directory + "/" + String.format(Locale.ROOT, "%019d.%s", position, suffix);
  }

  private static boolean isOf(String name, String suffix) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches() && matcher.group(2).equals(suffix);
  }

  private long newestPosition(String suffix) throws IOException {
    return disk.list(directory).stream()
        .filter(each -> isOf(each, suffix))
        .mapToLong(each -> Long.parseLong(each.substring(0, each.indexOf('.'))))
        .max()
        .orElse(-1);
  }

  /** Removes all but the newest snapshot, a part that is to be newer, and what is being written. */
  private void removeLeftOver() throws IOException {
    long snapshot = latest == null ? -1 : latest.position();
    long part = newestPosition("part");
    for (String each : disk.list(directory)) {
      String path = directory + "/" + each;
      boolean needed =
          path.equals(path(snapshot, "snapshot"))
              || (part > snapshot && path.equals(path(part, "part")))
              || writing.containsKey(path);
      if (NAME.matcher(each).matches() && !needed) {
        LOG.debug("removing {}", path);
        disk.delete(path);
      }
    }
  }
}
