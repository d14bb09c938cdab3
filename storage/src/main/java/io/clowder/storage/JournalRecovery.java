// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.storage.Disk;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Storage.CorruptionException;
import io.clowder.storage.FrameReader.Survey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a journal at opening: first everything is checked and replayed without a change, then
 * {@link #repair} removes what a crash left. The table is on the package's page.
 */
final class JournalRecovery {
  private static final Logger LOG = LoggerFactory.getLogger(JournalRecovery.class);
  private static final int CHUNK = 64 << 10;

  /**
   * A file that is written to no more.
   *
   * @param end of its frames
   */
  record Part(JournalHeader header, long end, long maxTag) {
    long number() {
      return header.number();
    }

    /** Bytes of the file. */
    long bytes() {
      return header.bytes();
    }
  }

  private final JournalFiles files;
  private final JournalHeader.Owner owner;
  private final List<Part> parts = new ArrayList<>();
  private final List<Long> obsolete = new ArrayList<>();
  private @Nullable Survey lastSealed;
  private long unused = -1;

  JournalRecovery(JournalFiles files, JournalHeader.Owner owner) {
    this.files = files;
    this.owner = owner;
  }

  /**
   * The file to go on with.
   *
   * @param first the oldest file that is needed
   */
  record Last(JournalHeader header, Survey survey, long first) {}

  /** The sealed files before the last, oldest first. */
  List<Part> parts() {
    return parts;
  }

  /** Reads all files; null if there are none. */
  @Nullable Last read(Journal.Replay replay) throws IOException {
    List<Long> numbers = files.numbers();
    if (numbers.isEmpty()) {
      if (files.isLive()) {
        throw new CorruptionException(files.path(1) + ": the journal's files are missing");
      }
      return null;
    }
    // The newest first: it knows which of the others are needed.
    long newest = numbers.get(numbers.size() - 1);
    Survey end = survey(newest, (tag, bytes) -> {});
    if (end.laterFrame() >= 0) {
      throw damaged(newest, end);
    }
    if (end.sealed()) {
      throw files.missing(newest + 1);
    }
    numbers.stream().filter(number -> number < end.first()).forEach(obsolete::add);
    for (long number = end.first(); number <= newest; number++) {
      if (!numbers.contains(number)) {
        throw files.missing(number);
      }
    }
    for (long number = end.first(); number < newest; number++) {
      Survey survey = survey(number, replay);
      if (!survey.sealed()) {
        if (number < newest - 1 || !end.isBlank() || survey.laterFrame() >= 0) {
          throw damaged(number, survey);
        }
        unused = newest;
        return new Last(header(number), survey, end.first());
      }
      parts.add(new Part(header(number), survey.end(), survey.maxTag()));
      lastSealed = survey;
    }
    return new Last(header(newest), survey(newest, replay), end.first());
  }

  /**
   * Makes what was read durable, only then removes what a crash left, and opens the last file. Of a
   * process that was killed, and of a sync that failed, names and bytes may have been read that
   * only the page cache knows.
   */
  Disk.File repair(Last last) throws IOException {
    files.sync();
    Survey before = lastSealed;
    if (before != null && last.survey.isEmpty()) {
      // A frame in the last file would be proof that this one is whole on the disk.
      settle(parts.get(parts.size() - 1).number(), before).close();
    }
    Disk.File file = settle(last.header.number(), last.survey);
    try {
      if (unused >= 0) {
        files.disk().rename(files.path(unused), files.spare());
      }
      for (long number : obsolete) {
        files.disk().delete(files.path(number));
      }
      if (unused >= 0 || !obsolete.isEmpty()) {
        files.sync();
      }
      return file;
    } catch (IOException | RuntimeException e) {
      Closing.after(e, file);
      throw e;
    }
  }

  /** Makes the end of a file as it was found last, and cuts off what is torn behind it. */
  private Disk.File settle(long number, Survey survey) throws IOException {
    String path = files.path(number);
    Disk.File file = files.disk().open(path, false);
    try {
      rewrite(file, survey.lastFrame(), survey.end());
      if (survey.dirtyEnd() > survey.end()) {
        LOG.warn(
            "{}: a torn write at offset {}, which no one was told of, is cut off",
            path,
            survey.end());
        clear(file, survey.end(), survey.dirtyEnd());
      }
      file.sync();
      return file;
    } catch (IOException | RuntimeException e) {
      Closing.after(e, file);
      throw e;
    }
  }

  /**
   * Writes the last frame once more, as it is. After a sync that failed, the system takes pages for
   * clean that never reached the disk: another sync alone would believe it.
   */
  private static void rewrite(Disk.File file, long start, long end) throws IOException {
    byte[] bytes = new byte[(int) Math.min(CHUNK, end - start)];
    for (long at = start; at < end; at += bytes.length) {
      ByteBuffer chunk = ByteBuffer.wrap(bytes, 0, (int) Math.min(bytes.length, end - at));
      if (file.read(at, chunk) != chunk.limit()) {
        throw new IOException("the file became shorter while it was read");
      }
      file.write(at, chunk.flip());
    }
  }

  private static void clear(Disk.File file, long start, long end) throws IOException {
    byte[] zeros = new byte[(int) Math.min(CHUNK, end - start)];
    for (long at = start; at < end; at += zeros.length) {
      int length = (int) Math.min(zeros.length, end - at);
      file.write(at, ByteBuffer.wrap(zeros, 0, length));
    }
  }

  private JournalHeader header(long number) throws IOException {
    try (Disk.File file = files.disk().open(files.path(number), false)) {
      return JournalHeader.read(file, files.path(number), owner, number);
    }
  }

  private Survey survey(long number, Journal.Replay replay) throws IOException {
    String path = files.path(number);
    try (Disk.File file = files.disk().open(path, false)) {
      JournalHeader header = JournalHeader.read(file, path, owner, number);
      return new FrameReader(file, path, header).survey(replay);
    }
  }

  private CorruptionException damaged(long number, Survey survey) {
    String proof =
        survey.laterFrame() >= 0
            ? "there are later records at offset " + survey.laterFrame()
            : "there are later files";
    return new CorruptionException(
        files.path(number) + " at offset " + survey.end() + ": records are damaged, " + proof);
  }
}
