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
  private boolean failed;
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
      end(false);
      throw new IOException(
          path
              + ": what was received has the checksum "
              + Integer.toHexString(checksum())
              + " and should have "
              + Integer.toHexString(checksum)
              + "; it is dropped");
    }
    Snapshot newer = files.newerThan(position);
    if (newer != null) {
      end(false);
      return newer;
    }
    try {
      flush();
      SnapshotHeader header = files.header(position, written, checksum());
      file.write(0, header.encode());
      file.sync();
      Snapshot committed = files.committed(path, header, file);
      closed = true;
      return committed;
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    try {
      if (resumable && !failed) {
        flush();
      }
    } finally {
      end(resumable);
    }
  }

  private void end(boolean keep) throws IOException {
    closed = true;
    files.ended(path, file, keep);
  }

  private void flush() throws IOException {
    int length = buffer.position();
    try {
      file.write(SnapshotHeader.AREA + written, buffer.flip());
    } catch (IOException e) {
      throw failed(e);
    }
    buffer.clear();
    written += length;
  }

  /** What is in the file no longer follows from what was given: nothing more is taken. */
  private IOException failed(IOException e) {
    failed = true;
    return DiskFull.typed(path, e);
  }

  private void checkOpen() throws IOException {
    if (closed || failed) {
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
