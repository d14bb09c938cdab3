// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.storage;

import java.io.IOException;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The node's directory, locked against other processes. A service. */
@ProviderType
public interface Storage {
  /**
   * Opens a journal, making it if it is not there, and hands its records to {@code replay}. A torn
   * end, which no one was ever told of, is cut off.
   *
   * @param name a path such as {@code main/0}
   * @throws CorruptionException if records in the middle are damaged; nothing was changed then
   */
  Journal openJournal(String name, Journal.Replay replay) throws IOException;

  /**
   * Opens the snapshots of a group, making the directory if it is not there.
   *
   * @param name a path such as {@code main}
   */
  Snapshots openSnapshots(String name) throws IOException;

  /**
   * The names of a group's journals that are there, by their numbers: of {@code main}, {@code
   * main/0} and {@code main/3}. A journal is there from the first {@link #openJournal} until {@link
   * #deleteJournal} begins: one whose removal was interrupted is removed now.
   *
   * @param group a path such as {@code main}; other names beneath it are no journals of the group
   */
  List<String> journals(String group) throws IOException;

  /**
   * Removes a journal and its files; nothing if it is not there. Interrupted by a crash, it is
   * there as a whole or not at all.
   */
  void deleteJournal(String name) throws IOException;

  /**
   * The names of the snapshots beneath a group that are there, by their numbers, as {@link
   * #journals} says it of journals: those that have a file at least.
   *
   * @param group a path such as {@code stores/s}
   */
  List<String> snapshots(String group) throws IOException;

  /**
   * Removes snapshots and their files; nothing if there are none. Ends the use of those that are
   * open. Interrupted by a crash, some may be left.
   */
  void deleteSnapshots(String name) throws IOException;

  /** Bytes that can still be written. */
  long freeBytes() throws IOException;

  /**
   * There is no room. Nothing that was there is torn: the journal can be opened again, and there is
   * room then for what compacts it.
   */
  final class DiskFullException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Names the file. */
    public DiskFullException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * What has been read is not what was written: file and offset are in the message. Nothing was
   * changed.
   */
  final class CorruptionException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Names file and offset. */
    public CorruptionException(String message) {
      super(message);
    }
  }
}
