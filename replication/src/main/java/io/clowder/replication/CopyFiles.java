// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node has of one store on its disk: a journal, whose number is the replica's incarnation,
 * and snapshots of the same name. So an incarnation is drawn with each new journal, is known as
 * long as that is there, and goes with it.
 *
 * <p>A copy that is not whole is never opened again: a replica that came back under its old name
 * with less than it had acknowledged could be elected, and lose that. What is there then is another
 * replica with a larger number, which gets everything from the primary. The files of the one before
 * stay until then, for they may be all that is left. A journal goes at one stroke; snapshots
 * without a journal are nobody's.
 */
final class CopyFiles {
  private static final Logger log = LoggerFactory.getLogger(CopyFiles.class);

  /** Numbers of journals have 18 digits at most. */
  private static final long INCARNATION_BOUND = 1_000_000_000_000_000_000L;

  private final Storage storage;
  private final String store;
  private final RandomGenerator random;

  /** A copy that is open. */
  record Opened(
      long incarnation,
      Journal journal,
      Snapshots snapshots,
      Snapshots.@Nullable Snapshot snapshot,
      Recovered recovered) {}

  CopyFiles(Storage storage, String store, RandomGenerator random) {
    this.storage = storage;
    this.store = store;
    this.random = random;
  }

  /**
   * Opens the newest copy that is there if it is whole, or begins another one.
   *
   * @throws IOException if the disk fails, is full, or has what this software cannot read
   */
  Opened open() throws IOException {
    List<String> found = storage.journals(group());
    for (String name : storage.snapshots(group())) {
      if (!found.contains(name)) {
        storage.deleteSnapshots(name);
      }
    }
    if (found.isEmpty()) {
      return open(1 + random.nextLong(INCARNATION_BOUND / 2));
    }
    long newest = incarnation(found.get(found.size() - 1));
    try {
      return open(newest);
    } catch (Storage.CorruptionException e) {
      log.warn(
          "store {}: the copy {} on this node is damaged; another one is made from the primary's,"
              + " and the files are kept until that is in sync: {}",
          store,
          newest,
          e.getMessage());
      return open(newest + 1 + random.nextInt(Integer.MAX_VALUE));
    }
  }

  /** Removes all but the newest copy, which has all that they had. */
  void deleteOlder() throws IOException {
    List<String> found = storage.journals(group());
    for (String name : found.subList(0, Math.max(0, found.size() - 1))) {
      delete(name);
    }
  }

  /**
   * Removes the newest copy, which is closed, and first those before it: none of them comes back.
   */
  void delete() throws IOException {
    for (String name : storage.journals(group())) {
      delete(name);
    }
  }

  private void delete(String name) throws IOException {
    storage.deleteJournal(name);
    storage.deleteSnapshots(name);
  }

  private long incarnation(String name) {
    return Long.parseLong(name.substring(group().length() + 1));
  }

  private String group() {
    return "stores/" + store;
  }

  private String name(long incarnation) {
    return group() + "/" + incarnation;
  }

  private Opened open(long incarnation) throws IOException {
    Snapshots snapshots = storage.openSnapshots(name(incarnation));
    Snapshots.Snapshot latest = snapshots.latest();
    Reading reading = new Reading(latest == null ? Image.EMPTY : read(latest));
    Journal journal = storage.openJournal(name(incarnation), reading);
    try {
      reading.check();
    } catch (IOException e) {
      journal.close();
      throw e;
    }
    return new Opened(incarnation, journal, snapshots, latest, reading.recovered);
  }

  /** What a snapshot shows. */
  static Image read(Snapshots.Snapshot snapshot) throws IOException {
    try (InputStream content = snapshot.open()) {
      Image image = Image.read(content);
      if (image.seq() != snapshot.position()) {
        throw new IOException(
            "the snapshot at " + snapshot.position() + " says it is at " + image.seq());
      }
      return image;
    }
  }

  /** Takes a journal's records; what is wrong with them is told at the end. */
  private static final class Reading implements Journal.Replay {
    final Recovered recovered;
    private long covered;
    private @Nullable IOException problem;

    Reading(Image image) {
      recovered = new Recovered(image);
    }

    @Override
    public void record(long tag, byte[] bytes) {
      if (problem != null) {
        return;
      }
      try {
        take(bytes);
      } catch (IllegalStateException e) {
        problem = new Storage.CorruptionException("records are missing: " + e.getMessage());
      } catch (WireFormatException e) {
        // The journal has found its checksum right: it is as it was written, by other software.
        problem = new IOException("a record of the journal cannot be read: " + e.getMessage(), e);
      }
    }

    private void take(byte[] bytes) {
      WireReader in = new WireReader(bytes);
      int kind = in.readByte();
      switch (kind) {
        case StoreJournal.RECORD ->
            recovered.append(LogRecord.decode(ByteBuffer.wrap(bytes, 1, bytes.length - 1)));
        case StoreJournal.TRUNCATION -> recovered.truncate(in.readVarLong());
        case StoreJournal.COVERED -> covered = Math.max(covered, in.readVarLong());
        default -> throw new WireFormatException("kind " + kind);
      }
    }

    void check() throws IOException {
      if (problem != null) {
        throw problem;
      }
      if (covered > recovered.image().seq()) {
        throw new Storage.CorruptionException("the snapshot up to " + covered + " is missing");
      }
    }
  }
}
