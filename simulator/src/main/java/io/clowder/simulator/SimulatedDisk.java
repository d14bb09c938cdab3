// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A disk that forgets what was not synced. A power failure loses, keeps or tears unsynced writes
 * sector by sector, and unsynced changes of directories; the death of the process alone loses
 * nothing. Every operation can be watched, and made the last one.
 */
public final class SimulatedDisk implements Disk {
  private static final String NO_SPACE = "No space left on device";

  private final RandomGenerator random;
  private final SortedMap<String, Directory> directories = new TreeMap<>();
  private long operations;
  private long capacity = Long.MAX_VALUE;
  private int failingSyncs;
  private @Nullable Observer observer;

  /** An empty disk. */
  public SimulatedDisk(RandomGenerator random) {
    this.random = random;
    directories.put("", new Directory());
  }

  /** Sees the points at which a crash can happen: before, after, and within each operation. */
  @FunctionalInterface
  public interface Observer {
    /**
     * The disk is at such a point.
     *
     * @param operation what is being done, for people
     */
    void at(String operation);
  }

  interface PendingVisitor {
    void pending(long operation, long firstSector, long lastSector);
  }

  /** Has {@code observer} called from now on, instead of the last one; null for nobody. */
  public void observe(@Nullable Observer observer) {
    this.observer = observer;
  }

  /** Bytes that files may take in all. */
  public void limitCapacity(long bytes) {
    capacity = bytes;
  }

  /** Has the next {@code count} syncs of files fail and lose some of what they should sync. */
  public void failSyncs(int count) {
    failingSyncs = count;
  }

  /** The power fails, and is back: only what {@code loss} spares of unsynced changes is left. */
  public void powerFailure(Loss loss) {
    for (var directory : directories.values()) {
      directory.crash(loss);
      directory.files().forEach(file -> file.crash(loss));
    }
  }

  /** The same disk once more, with what is unsynced, independent from now on; nobody watches it. */
  public SimulatedDisk copy() {
    var copy = new SimulatedDisk(random);
    copy.operations = operations;
    copy.capacity = capacity;
    directories.forEach((name, directory) -> copy.directories.put(name, directory.copy()));
    return copy;
  }

  /** Changes bits of a byte on the medium, as a failing disk does. */
  public void flip(String path, long offset, int bits) throws IOException {
    var file = existing(path);
    if (offset < 0 || offset >= file.size()) {
      throw new IndexOutOfBoundsException(path + " at " + offset + " of " + file.size());
    }
    file.flip(offset, bits);
  }

  /** The paths of all files, sorted. */
  public List<String> files() {
    List<String> paths = new ArrayList<>();
    directories.forEach(
        (name, directory) ->
            directory
                .names()
                .forEach(file -> paths.add(name.isEmpty() ? file : name + "/" + file)));
    paths.sort(null);
    return paths;
  }

  /** Bytes that files take at present. */
  public long usedBytes() {
    long used = 0;
    for (var directory : directories.values()) {
      for (var file : directory.files()) {
        used += file.size();
      }
    }
    return used;
  }

  void pending(PendingVisitor visitor) {
    for (var directory : directories.values()) {
      directory.pending(visitor);
      directory.files().forEach(file -> file.pending(visitor));
    }
  }

  @Override
  public File open(String path, boolean create) throws IOException {
    if (!create) {
      reached("open " + path);
      return new SimulatedFile(this, path, existing(path));
    }
    reached("before create " + path);
    var directory = directory(path);
    if (directory.get(name(path)) != null) {
      throw new FileAlreadyExistsException(path);
    }
    var file = new Inode();
    directory.link(++operations, name(path), file);
    reached("after create " + path);
    return new SimulatedFile(this, path, file);
  }

  @Override
  public void makeDirectory(String path) {
    reached("before make directory " + path);
    for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      directories.putIfAbsent(path.substring(0, slash), new Directory());
    }
    directories.putIfAbsent(path, new Directory());
    reached("after make directory " + path);
  }

  @Override
  public List<String> list(String path) {
    reached("list " + path);
    var directory = directories.get(path);
    if (directory == null) {
      return List.of();
    }
    var names = new TreeSet<>(directory.names());
    String prefix = path.isEmpty() ? "" : path + "/";
    for (String other : directories.keySet()) {
      if (!other.isEmpty() && other.startsWith(prefix) && !other.equals(path)) {
        String rest = other.substring(prefix.length());
        int slash = rest.indexOf('/');
        names.add(slash < 0 ? rest : rest.substring(0, slash));
      }
    }
    return List.copyOf(names);
  }

  @Override
  public void rename(String source, String target) throws IOException {
    reached("before rename " + source + " to " + target);
    var directory = directory(source);
    if (directory(target) != directory) {
      throw new IOException("rename across directories: " + source + " to " + target);
    }
    existing(source);
    directory.rename(++operations, name(source), name(target));
    reached("after rename " + source + " to " + target);
  }

  @Override
  public void delete(String path) {
    reached("before delete " + path);
    var directory = directories.get(parent(path));
    if (directory != null && directory.get(name(path)) != null) {
      directory.unlink(++operations, name(path));
    }
    reached("after delete " + path);
  }

  @Override
  public void syncDirectory(String path) throws IOException {
    reached("before sync directory " + path);
    var directory = directories.get(path);
    if (directory == null) {
      throw new NoSuchFileException(path);
    }
    directory.sync();
    reached("after sync directory " + path);
  }

  @Override
  public long freeBytes() {
    reached("free bytes");
    return capacity == Long.MAX_VALUE ? 1L << 40 : Math.max(0, capacity - usedBytes());
  }

  void reached(String operation) {
    var watching = observer;
    if (watching != null) {
      watching.at(operation);
    }
  }

  long nextOperation() {
    return ++operations;
  }

  /** Refuses what does not fit; what is rewritten in place always fits. */
  void requireSpace(long more) throws IOException {
    if (capacity != Long.MAX_VALUE && more > 0 && more > capacity - usedBytes()) {
      throw new IOException(NO_SPACE);
    }
  }

  /** How many of {@code length} bytes a write that finds the disk full has put down before. */
  int shortened(int length) {
    return random.nextInt(length + 1);
  }

  void syncFile(String path, Inode file) throws IOException {
    if (failingSyncs > 0 && file.isDirty()) {
      failingSyncs--;
      file.failSync(Loss.random(random, true));
      throw new IOException(path + ": Input/output error");
    }
    file.sync();
  }

  private Inode existing(String path) throws IOException {
    var directory = directories.get(parent(path));
    var file = directory == null ? null : directory.get(name(path));
    if (file == null) {
      throw new NoSuchFileException(path);
    }
    return file;
  }

  private Directory directory(String path) throws IOException {
    var directory = directories.get(parent(path));
    if (directory == null) {
      throw new NoSuchFileException(parent(path));
    }
    return directory;
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }

  private static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
