// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.storage;

import java.io.IOException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * An append-only sequence of opaque records, in files of bounded size. One thread at a time.
 *
 * <p>After an {@link IOException} from {@code append}, {@code sync} or {@code trim} the state of
 * what was not synced is unknown; the journal refuses all further use, and has to be opened again.
 * A {@link Storage.DiskFullException} comes before anything is torn.
 */
@ProviderType
public interface Journal extends AutoCloseable {
  /**
   * Adds a record, in memory until the next {@link #sync}.
   *
   * @param tag what {@link #trim} goes by; 0 or more
   * @param length at most {@link io.clowder.api.Limits#RECORD_BYTES}
   */
  void append(long tag, byte[] bytes, int offset, int length) throws IOException;

  /** Makes every record appended before durable; one write and one sync for all of them. */
  void sync() throws IOException;

  /**
   * Removes leading files all of whose records have a tag of at most {@code tag}; the newest file
   * stays.
   */
  void trim(long tag) throws IOException;

  /**
   * Reads back from the disk all that is durable and checks it as opening does: that the files are
   * there, their headers, every record. What was appended and not synced does not matter. Changes
   * nothing, and the journal stays usable whatever is found. Takes as long as reading {@link
   * #sizeBytes} does; what the system has in its cache it need not read from the medium.
   *
   * @return bytes read, of headers and records, without what is allocated ahead
   * @throws Storage.CorruptionException if something is not what was written
   * @throws IOException if something cannot be read, or the journal is closed or failed before
   */
  long verify() throws IOException;

  /**
   * Does the same for one file, so that syncs may come between them.
   *
   * @param from where to go on; 0 to begin
   * @return where to go on after that; 0 if there is no more
   */
  long verify(long from) throws IOException;

  /** Bytes on disk. */
  long sizeBytes();

  /** Closes the files; what was not synced may be lost. */
  @Override
  void close() throws IOException;

  /** Takes the records at opening, oldest first. */
  @FunctionalInterface
  interface Replay {
    /** One record. */
    void record(long tag, byte[] bytes);
  }
}
