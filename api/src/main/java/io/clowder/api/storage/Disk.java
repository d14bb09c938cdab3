// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The few operations on files that journals and snapshots need, so that a simulated disk can stand
 * in. Paths are relative to one directory, with {@code /} between names. What is written is durable
 * after {@link File#sync}; that a file is there, renamed or gone is durable after {@link
 * #syncDirectory}.
 */
@ConsumerType
public interface Disk {
  /**
   * Opens a file for reading and writing; {@code create} makes a new, empty one and fails if it is
   * there.
   */
  File open(String path, boolean create) throws IOException;

  /** Makes a directory and those above it, durably. */
  void makeDirectory(String path) throws IOException;

  /** The names in a directory, sorted; empty if there is no such directory. */
  List<String> list(String path) throws IOException;

  /** Renames a file, replacing {@code target} if it is there; in one directory. */
  void rename(String source, String target) throws IOException;

  /** Removes a file; nothing if it is not there. */
  void delete(String path) throws IOException;

  /** Makes the names in a directory durable. */
  void syncDirectory(String path) throws IOException;

  /** Bytes that can still be written, as far as the disk tells. */
  long freeBytes() throws IOException;

  /** An open file. Writes are complete, never short. */
  @ConsumerType
  interface File extends AutoCloseable {
    /** Bytes in the file. */
    long size() throws IOException;

    /** Reads until {@code target} is full or the file ends; returns the bytes read. */
    int read(long offset, ByteBuffer target) throws IOException;

    /** Writes all remaining bytes of {@code source}. */
    void write(long offset, ByteBuffer source) throws IOException;

    /**
     * As {@link #write}, and durable when it returns, as is everything written before. Cheaper than
     * write and {@link #sync} where the file was {@link #allocate allocated}.
     */
    void writeDurably(long offset, ByteBuffer source) throws IOException;

    /**
     * Fills the file with zeros up to {@code size}, durably, so that writes within need no new
     * blocks.
     */
    void allocate(long size) throws IOException;

    /** Cuts the file to {@code size}. */
    void truncate(long size) throws IOException;

    /** Makes all writes durable. */
    void sync() throws IOException;

    @Override
    void close() throws IOException;
  }
}
