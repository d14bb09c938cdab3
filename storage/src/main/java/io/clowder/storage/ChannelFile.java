// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file with two channels: one for reads and plain writes, and one, opened at need, for durable
 * writes past the page cache. Only whole blocks go through the second; the kernel drops what its
 * cache has of them.
 */
final class ChannelFile implements Disk.File {
  private final FileDisk disk;
  private final Path path;
  private final FileChannel channel;
  private @Nullable FileChannel durable;
  private @Nullable ByteBuffer staging;
  private boolean dirty;

  ChannelFile(FileDisk disk, Path path, FileChannel channel) {
    this.disk = disk;
    this.path = path;
    this.channel = channel;
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public int read(long offset, ByteBuffer target) throws IOException {
    int start = target.position();
    while (target.hasRemaining()) {
      if (channel.read(target, offset + target.position() - start) < 0) {
        break;
      }
    }
    return target.position() - start;
  }

  @Override
  public void write(long offset, ByteBuffer source) throws IOException {
    dirty = true;
    int start = source.position();
    while (source.hasRemaining()) {
      channel.write(source, offset + source.position() - start);
    }
  }

  @Override
  public void writeDurably(long offset, ByteBuffer source) throws IOException {
    boolean aligned = offset % Blocks.BLOCK == 0 && source.remaining() % Blocks.BLOCK == 0;
    if (dirty || !aligned || disk.mode() == SyncMode.FORCE) {
      write(offset, source);
      channel.force(false);
      dirty = false;
      return;
    }
    ByteBuffer block = staging();
    long at = offset;
    while (source.hasRemaining()) {
      block.clear().limit(Math.min(block.capacity(), source.remaining()));
      int length = block.limit();
      block.put(0, source, source.position(), length);
      writeBlocks(at, block);
      source.position(source.position() + length);
      at += length;
    }
  }

  @Override
  public void allocate(long size) throws IOException {
    long at = channel.size();
    if (at < size) {
      ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(FileDisk.STAGING_BYTES, size - at));
      for (; at < size; at += zeros.position()) {
        write(at, zeros.clear().limit((int) Math.min(zeros.capacity(), size - at)));
      }
    }
    // The file's length has to last too.
    channel.force(true);
    dirty = false;
  }

  @Override
  public void truncate(long size) throws IOException {
    dirty = true;
    channel.truncate(size);
  }

  @Override
  public void sync() throws IOException {
    channel.force(true);
    dirty = false;
  }

  @Override
  public void close() throws IOException {
    if (staging != null) {
      disk.giveBack(staging);
      staging = null;
    }
    try (channel) {
      if (durable != null) {
        durable.close();
      }
    }
  }

  private void writeBlocks(long offset, ByteBuffer block) throws IOException {
    FileChannel target = durable;
    if (target == null) {
      target = disk.mode().open(path);
      durable = target;
    }
    while (block.hasRemaining()) {
      int start = block.position();
      target.write(block, offset + start);
      if (block.hasRemaining()) {
        // A short write: go on at a whole block.
        block.position((int) Blocks.down(block.position(), Blocks.BLOCK));
      }
    }
  }

  private ByteBuffer staging() {
    ByteBuffer buffer = staging;
    if (buffer == null) {
      buffer = disk.takeStaging();
      staging = buffer;
    }
    return buffer;
  }
}
