// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Snapshots.Snapshot;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * An open snapshot file. It is readable also when the file is gone, until it is retired and the
 * last stream from it is closed.
 */
final class StoredSnapshot implements Snapshot {
  private static final int STREAM_BUFFER = 64 << 10;

  private final Disk.File file;
  private final String path;
  private final SnapshotHeader header;
  private int streams;
  private boolean retired;

  StoredSnapshot(Disk.File file, String path, SnapshotHeader header) {
    this.file = file;
    this.path = path;
    this.header = header;
  }

  @Override
  public long position() {
    return header.position();
  }

  @Override
  public long size() {
    return header.size();
  }

  @Override
  public int checksum() {
    return header.checksum();
  }

  @Override
  public synchronized int read(long offset, ByteBuffer target) throws IOException {
    if (retired && streams == 0) {
      throw new IOException("the snapshot at " + position() + " was replaced by newer ones");
    }
    if (offset < 0 || offset > size()) {
      throw new IndexOutOfBoundsException("offset " + offset + " of " + size());
    }
    int limit = target.limit();
    target.limit(target.position() + (int) Math.min(target.remaining(), size() - offset));
    try {
      return file.read(SnapshotHeader.AREA + offset, target);
    } finally {
      target.limit(limit);
    }
  }

  @Override
  public InputStream open() throws IOException {
    streamOpened();
    return new BufferedInputStream(new Content(), STREAM_BUFFER);
  }

  @Override
  public long verify() throws IOException {
    // As a stream does, so that the file stays open though it be replaced meanwhile.
    streamOpened();
    try {
      header.verify(file, path);
    } finally {
      streamClosed();
    }
    return size();
  }

  /** Lets the file go as soon as no stream reads it. */
  synchronized void retire() throws IOException {
    if (!retired) {
      retired = true;
      closeUnused();
    }
  }

  private void closeUnused() throws IOException {
    if (retired && streams == 0) {
      file.close();
    }
  }

  private synchronized void streamOpened() throws IOException {
    read(0, ByteBuffer.allocate(0));
    streams++;
  }

  private synchronized void streamClosed() throws IOException {
    streams--;
    closeUnused();
  }

  private final class Content extends InputStream {
    private long at;
    private boolean closed;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, target.length);
      if (closed) {
        throw new IOException("the stream is closed");
      }
      if (length == 0) {
        return 0;
      }
      if (at == size()) {
        return -1;
      }
      int read = StoredSnapshot.this.read(at, ByteBuffer.wrap(target, offset, length));
      if (read <= 0) {
        throw new IOException("the snapshot at " + position() + " ends at " + at + " of " + size());
      }
      at += read;
      return read;
    }

    @Override
    public void close() throws IOException {
      if (!closed) {
        closed = true;
        streamClosed();
      }
    }
  }
}
