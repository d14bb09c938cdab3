// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.Limits;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collection;
import java.util.List;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node has of one ring on its disk: a journal, whose number is the node's life, and
 * snapshots of the same name. So a life is drawn with each new journal and goes with it: who comes
 * back with less than it had comes back as another.
 */
final class ValueFiles {
  /** A value. */
  static final int VALUE = 1;

  /** A value is forgotten. */
  static final int FORGOTTEN = 2;

  /** There is a snapshot up to here: without it, or a later one, this journal is not whole. */
  static final int COVERED = 3;

  /** So late it was, by the wall clock. */
  static final int TIME = 4;

  private static final Logger log = LoggerFactory.getLogger(ValueFiles.class);

  /** Numbers of journals have 18 digits at most. */
  private static final long LIFE_BOUND = 1_000_000_000_000_000_000L;

  private static final int FORMAT = 1;

  private final Storage storage;
  private final String ring;
  private final RandomGenerator random;

  /**
   * What is there.
   *
   * @param records how many there were since the beginning of this life: the next one's tag
   * @param bytes about how much of the journal no snapshot has
   * @param writtenAt about when something was last written, by the wall clock; 0 if nothing was
   */
  record Opened(
      long life,
      Journal journal,
      Snapshots snapshots,
      Values values,
      long records,
      long bytes,
      long writtenAt) {}

  ValueFiles(Storage storage, String ring, RandomGenerator random) {
    this.storage = storage;
    this.ring = ring;
    this.random = random;
  }

  /**
   * Opens what is there if it is whole, or begins another life with nothing.
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
    for (String name : found.subList(0, Math.max(0, found.size() - 2))) {
      storage.deleteJournal(name);
      storage.deleteSnapshots(name);
    }
    if (found.isEmpty()) {
      return open(1 + random.nextLong(LIFE_BOUND / 2));
    }
    long newest = Long.parseLong(found.get(found.size() - 1).substring(group().length() + 1));
    try {
      return open(newest);
    } catch (Storage.CorruptionException e) {
      log.warn(
          "ring {}: what this node had is given up, and fetched from the others; its files dht/{}/{}"
              + " are kept until that happens again: {}",
          ring,
          ring,
          newest,
          e.getMessage());
      return open(newest + 1 + random.nextInt(Integer.MAX_VALUE));
    }
  }

  private String group() {
    return "dht/" + ring;
  }

  private Opened open(long life) throws IOException {
    String name = group() + "/" + life;
    Snapshots snapshots = storage.openSnapshots(name);
    Snapshots.Snapshot latest = snapshots.latest();
    Reading reading = new Reading(latest == null ? 0 : latest.position());
    if (latest != null) {
      read(latest, reading);
    }
    Journal journal = storage.openJournal(name, reading);
    try {
      reading.check();
    } catch (IOException e) {
      journal.close();
      throw e;
    }
    return new Opened(
        life, journal, snapshots, reading.values, reading.records, reading.bytes, reading.time);
  }

  private static void read(Snapshots.Snapshot snapshot, Reading reading) throws IOException {
    try (InputStream stream = snapshot.open()) {
      DataInputStream in = new DataInputStream(stream);
      int format = in.readByte();
      if (format != FORMAT) {
        throw new IOException("a snapshot of format " + format + " cannot be read");
      }
      reading.time = in.readLong();
      for (long left = in.readLong(); left > 0; left--) {
        int length = in.readInt();
        if (length < 0 || length > Limits.RECORD_BYTES) {
          throw new IOException("a value of " + length + " bytes");
        }
        reading.values.put(Value.read(new WireReader(in.readNBytes(length))));
      }
    } catch (WireFormatException e) {
      throw new IOException("the snapshot cannot be read: " + e.getMessage(), e);
    }
  }

  /** Writes a snapshot and makes it durable. */
  static Snapshots.Snapshot write(
      Snapshots snapshots, long position, Collection<Value> values, long wallMillis)
      throws IOException {
    try (Snapshots.Writing writing = snapshots.begin(position)) {
      OutputStream stream = new BufferedOutputStream(writing.content(), 1 << 16);
      DataOutputStream out = new DataOutputStream(stream);
      out.writeByte(FORMAT);
      out.writeLong(wallMillis);
      out.writeLong(values.size());
      WireWriter one = new WireWriter(1 << 12);
      for (Value value : values) {
        one.reset();
        value.write(one);
        out.writeInt(one.size());
        out.write(one.array(), 0, one.size());
      }
      out.flush();
      return writing.commit(null);
    }
  }

  /** Takes a journal's records; what is wrong with them is told at the end. */
  private static final class Reading implements Journal.Replay {
    final Values values = new Values();
    private final long position;
    private long records;
    private long bytes;
    private long covered;
    private long time;
    private IOException problem;

    Reading(long position) {
      this.position = position;
      this.records = position;
    }

    @Override
    public void record(long tag, byte[] record) {
      records = Math.max(records, tag);
      if (problem != null) {
        return;
      }
      try {
        take(tag, record);
      } catch (WireFormatException e) {
        // The journal has found its checksum right: it is as it was written, by other software.
        problem = new IOException("a record of the journal cannot be read: " + e.getMessage(), e);
      }
    }

    private void take(long tag, byte[] record) {
      WireReader in = new WireReader(record);
      int kind = in.readByte();
      if (kind == COVERED) {
        covered = Math.max(covered, in.readVarLong());
      } else if (kind == TIME) {
        time = Math.max(time, in.readLong());
      } else if (kind != VALUE && kind != FORGOTTEN) {
        throw new WireFormatException("kind " + kind);
      } else if (tag > position) {
        bytes += record.length;
        if (kind == VALUE) {
          values.put(Value.read(in));
        } else {
          values.remove(Identifier.read(in));
        }
      }
    }

    void check() throws IOException {
      if (problem != null) {
        throw problem;
      }
      if (covered > position) {
        throw new Storage.CorruptionException("the snapshot up to " + covered + " is missing");
      }
    }
  }
}
