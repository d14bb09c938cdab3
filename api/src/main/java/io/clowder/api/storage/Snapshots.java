// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The snapshot files of one group. A snapshot is there whole or not at all: it is written to a
 * temporary file, synced, renamed, and the directory synced. Methods may be called from any one
 * thread at a time.
 */
@ProviderType
public interface Snapshots {
  /** The newest snapshot that is whole, or null. */
  @Nullable Snapshot latest();

  /** Begins a snapshot of the state at {@code position}. */
  Writing begin(long position) throws IOException;

  /** Continues one that was received in part before, or begins it; see {@link Writing#size}. */
  Writing resume(long position) throws IOException;

  /** A snapshot on disk. Stays readable until closed, also when a newer one replaces it. */
  @ProviderType
  interface Snapshot {
    /** The position of the state. */
    long position();

    /** Bytes of content. */
    long size();

    /** CRC32C of the content. */
    int checksum();

    /** Reads content from {@code offset} on; returns the bytes read. */
    int read(long offset, ByteBuffer target) throws IOException;

    /** Reads the whole content. Its checksum was verified when the snapshot was found. */
    InputStream open() throws IOException;

    /**
     * Reads the whole snapshot back from the disk and checks it as finding it does. Changes
     * nothing. Any thread, also while others read.
     *
     * @return bytes of content read, {@link #size}
     * @throws Storage.CorruptionException if it is not what was written
     * @throws IOException if it cannot be read, or was closed
     */
    long verify() throws IOException;
  }

  /** A snapshot being written. */
  @ProviderType
  interface Writing extends AutoCloseable {
    /** Bytes of content written so far. */
    long size();

    /** Where content goes. */
    OutputStream content();

    /**
     * Makes it the newest snapshot, durably, and removes older ones. Refuses content whose checksum
     * is not {@code checksum}, if one is given.
     */
    Snapshot commit(@Nullable Integer checksum) throws IOException;

    /** CRC32C of the content so far. */
    int checksum();

    /** Gives up what was not committed; what a later {@link #resume} could use stays. */
    @Override
    void close() throws IOException;
  }
}
