// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A disk in memory that can be full, fail, or lose power at any operation: then any subset of the
 * unsynced sectors and of the unsynced changes of names is lost.
 */
final class MemoryDisk implements Disk {
  /** The power fails. */
  static final class PowerFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private interface NameChange {
    void apply(Map<String, Inode> names);
  }

  private record Pending(String directory, NameChange change) {}

  private static final class Inode {
    private byte[] data = new byte[0];
    private byte[] durable = new byte[0];
    private final BitSet dirty = new BitSet();

    private void sync() {
      byte[] written = Arrays.copyOf(durable, data.length);
      for (int sector : dirty.stream().toArray()) {
        int start = sector * Blocks.SECTOR;
        int length = Math.min(Blocks.SECTOR, data.length - start);
        if (length > 0) {
          System.arraycopy(data, start, written, start, length);
        }
      }
      durable = written;
      dirty.clear();
    }

    private void replace(byte[] bytes) {
      data = bytes;
      durable = bytes.clone();
      dirty.clear();
    }

    private void crash(Random random) {
      byte[] left = Arrays.copyOf(durable, random.nextBoolean() ? data.length : durable.length);
      for (int sector : dirty.stream().toArray()) {
        int start = sector * Blocks.SECTOR;
        int length = Math.min(Blocks.SECTOR, Math.min(left.length, data.length) - start);
        if (length > 0 && random.nextBoolean()) {
          System.arraycopy(data, start, left, start, length);
        }
      }
      replace(left);
    }
  }

  private TreeMap<String, Inode> names = new TreeMap<>();
  private final TreeMap<String, Inode> durableNames = new TreeMap<>();
  private final TreeSet<String> directories = new TreeSet<>();
  private final List<Pending> pending = new ArrayList<>();
  private int operations;
  private int crashAt = Integer.MAX_VALUE;
  private boolean crashWithin;
  private int failAt = Integer.MAX_VALUE;
  private String failure = "Input/output error";
  private boolean failSyncs;
  private int openFiles;
  private long capacity = Long.MAX_VALUE;

  int operations() {
    return operations;
  }

  /** The power fails before the operation of that number from now, or when it is half done. */
  void crashAt(int operation, boolean within) {
    crashAt = operation;
    crashWithin = within;
    operations = 0;
  }

  /** The operation of that number from now, and none after it, fails. */
  void failAt(int operation) {
    failAt(operation, "Input/output error");
  }

  /** As {@link #failAt(int)}, and says why. */
  void failAt(int operation, String message) {
    failAt = operation;
    failure = message;
    operations = 0;
  }

  /**
   * From now on, what should be durable stays in memory: readable, taken for clean, and gone when
   * the power fails. So do systems whose disk refuses a write that they had promised.
   */
  void failSyncs(boolean fail) {
    failSyncs = fail;
  }

  int openFiles() {
    return openFiles;
  }

  void capacity(long bytes) {
    capacity = bytes;
  }

  long used() {
    return names.values().stream().mapToLong(inode -> inode.data.length).sum();
  }

  /** The power is back. */
  void restart(Random random) {
    crashAt(Integer.MAX_VALUE, false);
    for (Pending each : pending) {
      if (random.nextBoolean()) {
        each.change.apply(durableNames);
      }
    }
    pending.clear();
    names = new TreeMap<>(durableNames);
    names.values().forEach(inode -> inode.crash(random));
  }

  /** The same files, all of them durable, on another disk. */
  MemoryDisk copy() {
    MemoryDisk copy = new MemoryDisk();
    names.forEach((path, inode) -> copy.replace(path, inode.data.clone()));
    copy.directories.addAll(directories);
    return copy;
  }

  /** A file's bytes, to look at and to damage. */
  byte[] bytes(String path) {
    return names.get(path).data;
  }

  void replace(String path, byte[] bytes) {
    Inode inode = names.computeIfAbsent(path, p -> new Inode());
    inode.replace(bytes);
    durableNames.put(path, inode);
  }

  List<String> paths() {
    return List.copyOf(names.keySet());
  }

  @Override
  public Disk.File open(String path, boolean create) throws IOException {
    if (create) {
      if (names.containsKey(path)) {
        throw new FileAlreadyExistsException(path);
      }
      Inode inode = new Inode();
      change(path, map -> map.put(path, inode));
    }
    Inode inode = names.get(path);
    if (inode == null) {
      throw new NoSuchFileException(path);
    }
    return new MemoryFile(inode);
  }

  @Override
  public void makeDirectory(String path) {
    directories.add(path);
  }

  @Override
  public List<String> list(String path) {
    String prefix = path.isEmpty() ? "" : path + "/";
    TreeSet<String> found = new TreeSet<>();
    for (TreeSet<String> paths : List.of(new TreeSet<>(names.keySet()), directories)) {
      paths.stream()
          .filter(each -> each.startsWith(prefix) && each.length() > prefix.length())
          .forEach(each -> found.add(each.substring(prefix.length()).replaceAll("/.*", "")));
    }
    return List.copyOf(found);
  }

  @Override
  public void rename(String source, String target) throws IOException {
    if (!names.containsKey(source)) {
      throw new NoSuchFileException(source);
    }
    change(
        source,
        map -> {
          Inode inode = map.remove(source);
          if (inode != null) {
            map.put(target, inode);
          }
        });
  }

  @Override
  public void delete(String path) throws IOException {
    if (names.containsKey(path)) {
      change(path, map -> map.remove(path));
    }
  }

  @Override
  public void syncDirectory(String path) throws IOException {
    operation();
    pending.removeIf(
        each -> {
          if (each.directory.equals(path)) {
            each.change.apply(durableNames);
            return true;
          }
          return false;
        });
  }

  @Override
  public long freeBytes() {
    return capacity - used();
  }

  private void change(String path, NameChange change) throws IOException {
    operation();
    change.apply(names);
    pending.add(new Pending(path.substring(0, Math.max(0, path.lastIndexOf('/'))), change));
    crashWithin();
  }

  private void operation() throws IOException {
    operations++;
    if (operations > crashAt || (operations == crashAt && !crashWithin)) {
      throw new PowerFailure();
    }
    if (operations >= failAt) {
      throw new IOException(failure);
    }
  }

  private void crashWithin() {
    if (operations == crashAt) {
      throw new PowerFailure();
    }
  }

  private void sync(Inode inode) throws IOException {
    if (failSyncs) {
      inode.dirty.clear();
      throw new IOException(failure);
    }
    inode.sync();
  }

  private final class MemoryFile implements Disk.File {
    private final Inode inode;
    private boolean closed;

    private MemoryFile(Inode inode) {
      this.inode = inode;
      openFiles++;
    }

    @Override
    public long size() {
      return inode.data.length;
    }

    @Override
    public int read(long offset, ByteBuffer target) {
      int length = (int) Math.max(0, Math.min(target.remaining(), inode.data.length - offset));
      if (length > 0) {
        target.put(inode.data, (int) offset, length);
      }
      return length;
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
      operation();
      put(offset, source);
      crashWithin();
    }

    @Override
    public void writeDurably(long offset, ByteBuffer source) throws IOException {
      operation();
      put(offset, source);
      crashWithin();
      MemoryDisk.this.sync(inode);
    }

    @Override
    public void allocate(long size) throws IOException {
      operation();
      if (inode.data.length < size) {
        put(inode.data.length, ByteBuffer.allocate((int) size - inode.data.length));
      }
      crashWithin();
      MemoryDisk.this.sync(inode);
    }

    @Override
    public void truncate(long size) throws IOException {
      operation();
      inode.data = Arrays.copyOf(inode.data, (int) Math.min(size, inode.data.length));
      crashWithin();
    }

    @Override
    public void sync() throws IOException {
      operation();
      crashWithin();
      MemoryDisk.this.sync(inode);
    }

    @Override
    public void close() throws IOException {
      if (!closed) {
        closed = true;
        openFiles--;
      }
      if (operations >= failAt) {
        throw new IOException(failure);
      }
    }

    private void put(long offset, ByteBuffer source) throws IOException {
      int end = (int) offset + source.remaining();
      long free = capacity - used();
      if (end - inode.data.length > free) {
        // A full disk takes what it can.
        inode.data = Arrays.copyOf(inode.data, inode.data.length + (int) Math.max(0, free));
        throw new IOException("No space left on device");
      }
      inode.data = Arrays.copyOf(inode.data, Math.max(end, inode.data.length));
      inode.dirty.set((int) offset / Blocks.SECTOR, (end + Blocks.SECTOR - 1) / Blocks.SECTOR);
      source.get(inode.data, (int) offset, source.remaining());
    }
  }
}
