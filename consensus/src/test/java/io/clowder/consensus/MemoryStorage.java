// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** A node's directory in memory; outlives the groups that are opened on it. */
final class MemoryStorage implements Storage {
  final TreeMap<String, MemoryJournal> journals = new TreeMap<>();
  final Files snapshots = new Files();
  long freeBytes = 1L << 40;

  /** How many groups were opened on it: each draws from a seed of its own. */
  int lives;

  /** What opening a journal fails with, or null. */
  @Nullable IOException openFailure;

  /** What no journal had synced is gone. */
  void crash() {
    journals.values().forEach(MemoryJournal::crash);
  }

  MemoryJournal journal() {
    return journals.firstEntry().getValue();
  }

  @Override
  public Journal openJournal(String name, Journal.Replay replay) throws IOException {
    if (openFailure != null) {
      throw openFailure;
    }
    return journals.computeIfAbsent(name, n -> new MemoryJournal()).reopened(replay);
  }

  @Override
  public Snapshots openSnapshots(String name) {
    return snapshots;
  }

  @Override
  public List<String> journals(String group) {
    return journals.keySet().stream()
        .filter(name -> name.matches(group + "/[0-9]+"))
        .sorted(
            Comparator.comparingLong(name -> Long.parseLong(name.substring(group.length() + 1))))
        .toList();
  }

  @Override
  public void deleteJournal(String name) {
    journals.remove(name);
  }

  @Override
  public List<String> snapshots(String group) {
    return List.of();
  }

  @Override
  public void deleteSnapshots(String name) {
    snapshots.latest = null;
  }

  @Override
  public long freeBytes() {
    return freeBytes;
  }

  /** The snapshots of one group. */
  static final class Files implements Snapshots {
    @Nullable Content latest;

    /** What the next commit fails with, or null. */
    @Nullable IOException failure;

    private @Nullable Draft partial;

    @Override
    public @Nullable Snapshot latest() {
      return latest;
    }

    @Override
    public Writing begin(long position) {
      return new Draft(this, position, new ByteArrayOutputStream());
    }

    @Override
    public Writing resume(long position) {
      Draft found = partial;
      return found != null && found.position == position
          ? new Draft(this, position, found.bytes)
          : begin(position);
    }
  }

  /** A whole snapshot. */
  record Content(long position, byte[] bytes) implements Snapshots.Snapshot {
    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public int checksum() {
      CRC32C crc = new CRC32C();
      crc.update(bytes);
      return (int) crc.getValue();
    }

    @Override
    public int read(long offset, ByteBuffer target) {
      int length = Math.min(target.remaining(), bytes.length - (int) offset);
      target.put(bytes, (int) offset, length);
      return length;
    }

    @Override
    public InputStream open() {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public long verify() {
      return size();
    }
  }

  /** A snapshot being written. */
  private static final class Draft implements Snapshots.Writing {
    private final Files files;
    private final long position;
    private final ByteArrayOutputStream bytes;

    Draft(Files files, long position, ByteArrayOutputStream bytes) {
      this.files = files;
      this.position = position;
      this.bytes = bytes;
      files.partial = this;
    }

    @Override
    public long size() {
      return bytes.size();
    }

    @Override
    public OutputStream content() {
      return bytes;
    }

    @Override
    public Snapshots.Snapshot commit(@Nullable Integer checksum) throws IOException {
      if (files.failure != null) {
        throw files.failure;
      }
      Content whole = new Content(position, bytes.toByteArray());
      files.partial = null;
      if (checksum != null && checksum != whole.checksum()) {
        throw new IOException("the content is not what was offered");
      }
      files.latest = whole;
      return whole;
    }

    @Override
    public int checksum() {
      return new Content(position, bytes.toByteArray()).checksum();
    }

    @Override
    public void close() {
      // What was written stays for a resume.
    }
  }
}
