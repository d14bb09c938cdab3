// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Snapshots.Snapshot;
import io.clowder.api.storage.Snapshots.Writing;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** A snapshot file that has its content, or a part of it, and no header yet. */
final class SnapshotWriting implements Writing {
  private static final int BUFFER = 64 << 10;

  private final SnapshotFiles files;
  private final String path;
  private final long position;
  private final boolean resumable;
  private final Disk.File file;
  private final CRC32C crc;
  private final boolean resumed;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
  private final OutputStream content = new Content();
  private long written;
  private boolean closed;

  /**
   * Goes on at the end of {@code file}.
   *
   * @param resumable whether the file stays when this is closed without a commit
   */
  SnapshotWriting(
      SnapshotFiles files, String path, long position, boolean resumable, Disk.File file)
      throws IOException {
    this.files = files;
    this.path = path;
    this.position = position;
    this.resumable = resumable;
    this.file = file;
    written = Math.max(0, file.size() - SnapshotHeader.AREA);
    resumed = written > 0;
    crc = SnapshotHeader.checksum(file);
  }

  @Override
  public long size() {
    return written + buffer.position();
  }

  @Override
  public OutputStream content() {
    return content;
  }

  @Override
  public int checksum() {
    return (int) crc.getValue();
  }

  /**
   * Makes it the newest snapshot. If there is a newer one meanwhile, that is returned, for it
   * serves as well; this one is dropped.
   */
  @Override
  public Snapshot commit(@Nullable Integer checksum) throws IOException {
    checkOpen();
    if (checksum == null && resumed) {
      // Bytes that were never synced may have been lost in a crash; only a checksum shows it.
      throw new IllegalArgumentException(path + ": a resumed snapshot needs its checksum");
    }
    if (checksum != null && checksum != checksum()) {
      drop();
      throw new IOException(
          path
              + ": what was received has the checksum "
              + Integer.toHexString(checksum())
              + " and should have "
              + Integer.toHexString(checksum)
              + "; it is dropped");
    }
    if (files.hasNewerThan(position)) {
      drop();
      return files.newest();
    }
    flush();
    SnapshotHeader header = files.header(position, written, checksum());
    write(0, header.encode());
    file.sync();
    closed = true;
    file.close();
    return files.committed(path, header);
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    if (!resumable) {
      drop();
      return;
    }
    closed = true;
    try {
      flush();
    } finally {
      file.close();
      files.closed(path);
    }
  }

  private void drop() throws IOException {
    closed = true;
    file.close();
    files.closed(path);
    files.delete(path);
  }

  private void flush() throws IOException {
    int length = buffer.position();
    write(SnapshotHeader.AREA + written, buffer.flip());
    buffer.clear();
    written += length;
  }

  private void write(long offset, ByteBuffer source) throws IOException {
    try {
      file.write(offset, source);
    } catch (IOException e) {
      throw DiskFull.causes(e) ? DiskFull.at(path, e) : e;
    }
  }

  private void checkOpen() throws IOException {
    if (closed) {
      throw new IOException(path + ": no longer written to");
    }
  }

  private final class Content extends OutputStream {
    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, source.length);
      checkOpen();
      crc.update(source, offset, length);
      ByteBuffer rest = ByteBuffer.wrap(source, offset, length);
      while (rest.hasRemaining()) {
        int part = Math.min(rest.remaining(), buffer.remaining());
        buffer.put(rest.array(), rest.position(), part);
        rest.position(rest.position() + part);
        if (!buffer.hasRemaining()) {
          SnapshotWriting.this.flush();
        }
      }
    }
  }
}
