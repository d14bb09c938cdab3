// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.storage.Journal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A journal whose disk is a list. Trims record by record, which is the most that a journal of files
 * may do. Opening it again after {@link #crash} loses what was not synced.
 */
final class MemoryJournal implements Journal {
  /** What was asked of it, in order: {@code append TAG}, {@code sync}, {@code trim TAG}, … */
  final List<String> calls = new ArrayList<>();

  private final List<Stored> durable = new ArrayList<>();
  private final List<Stored> unsynced = new ArrayList<>();

  /** What the next operations fail with, or null. */
  @Nullable IOException failure;

  boolean open;

  /** A record. */
  record Stored(long tag, byte[] bytes) {}

  /** What a reader of the disk finds. */
  List<Stored> durable() {
    return durable;
  }

  void crash() {
    open = false;
    unsynced.clear();
  }

  MemoryJournal reopened(Replay replay) throws IOException {
    if (open) {
      throw new IOException("the journal is open already");
    }
    throwFailure();
    open = true;
    unsynced.clear();
    durable.forEach(stored -> replay.record(stored.tag, stored.bytes.clone()));
    return this;
  }

  @Override
  public void append(long tag, byte[] bytes, int offset, int length) throws IOException {
    call("append " + tag);
    unsynced.add(new Stored(tag, Arrays.copyOfRange(bytes, offset, offset + length)));
  }

  @Override
  public void sync() throws IOException {
    call("sync");
    durable.addAll(unsynced);
    unsynced.clear();
  }

  @Override
  public void trim(long tag) throws IOException {
    call("trim " + tag);
    while (durable.size() > 1 && durable.get(0).tag <= tag) {
      durable.remove(0);
    }
  }

  @Override
  public long verify() {
    return sizeBytes();
  }

  @Override
  public long verify(long from) {
    return 0;
  }

  @Override
  public long sizeBytes() {
    return durable.stream().mapToLong(stored -> stored.bytes.length).sum();
  }

  @Override
  public void close() {
    calls.add("close");
    open = false;
  }

  private void call(String what) throws IOException {
    calls.add(what);
    if (!open) {
      throw new IllegalStateException(what + " on a closed journal");
    }
    throwFailure();
  }

  private void throwFailure() throws IOException {
    if (failure != null) {
      throw failure;
    }
  }
}
