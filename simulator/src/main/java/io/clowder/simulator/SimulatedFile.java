// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;

/** An open file of a {@link SimulatedDisk}; stays usable after the file was renamed or deleted. */
final class SimulatedFile implements Disk.File {
  private final SimulatedDisk disk;
  private final String path;
  private final Inode file;
  private boolean closed;

  SimulatedFile(SimulatedDisk disk, String path, Inode file) {
    this.disk = disk;
    this.path = path;
    this.file = file;
  }

  @Override
  public long size() throws IOException {
    begin("size of ");
    return file.size();
  }

  @Override
  public int read(long offset, ByteBuffer target) throws IOException {
    begin("read ");
    int length = (int) Math.max(0, Math.min(target.remaining(), file.size() - offset));
    file.visible().read(offset, target, length);
    return length;
  }

  @Override
  public void write(long offset, ByteBuffer source) throws IOException {
    begin("before write ");
    put(offset, source);
    disk.reached("after write " + path);
  }

  @Override
  public void writeDurably(long offset, ByteBuffer source) throws IOException {
    begin("before durable write ");
    put(offset, source);
    disk.reached("within durable write " + path);
    disk.syncFile(path, file);
    disk.reached("after durable write " + path);
  }

  @Override
  public void allocate(long size) throws IOException {
    begin("before allocate ");
    disk.requireSpace(size - file.size());
    disk.syncFile(path, file);
    long half = (file.size() + size) / 2 / Inode.SECTOR * Inode.SECTOR;
    file.extendDurably(half);
    disk.reached("within allocate " + path);
    file.extendDurably(size);
    disk.reached("after allocate " + path);
  }

  @Override
  public void truncate(long size) throws IOException {
    begin("before truncate ");
    if (size < file.size()) {
      file.truncate(disk.nextOperation(), size);
    }
    disk.reached("after truncate " + path);
  }

  @Override
  public void sync() throws IOException {
    begin("before sync ");
    disk.syncFile(path, file);
    disk.reached("after sync " + path);
  }

  @Override
  public void close() {
    closed = true;
  }

  private void begin(String operation) throws IOException {
    if (closed) {
      throw new ClosedChannelException();
    }
    disk.reached(operation + path);
  }

  private void put(long offset, ByteBuffer source) throws IOException {
    byte[] bytes = new byte[source.remaining()];
    source.get(bytes);
    if (bytes.length == 0) {
      return;
    }
    try {
      disk.requireSpace(offset + bytes.length - file.size());
    } catch (IOException full) {
      // A full disk takes what still fits, or any part of it.
      long room = Math.max(0, file.size() - offset);
      int taken = disk.shortened((int) Math.min(room, bytes.length));
      if (taken > 0) {
        file.write(disk.nextOperation(), offset, Arrays.copyOf(bytes, taken));
      }
      throw full;
    }
    file.write(disk.nextOperation(), offset, bytes);
  }
}
