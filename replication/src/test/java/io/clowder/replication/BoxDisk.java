// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.wire.WireFormatException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** The disk of a node: a journal, the part of it that is not synced, and the newest snapshot. */
final class BoxDisk {
  /** A record, encoded; or where to cut, without one. */
  private record Kept(long seq, byte @Nullable [] record) {}

  private final SplittableRandom random;
  private final List<Kept> durable = new ArrayList<>();
  private final List<Kept> unsynced = new ArrayList<>();
  private byte @Nullable [] snapshot;
  private long snapshotSeq;

  /** What the snapshot's should be. */
  private int checksum;

  BoxDisk(SplittableRandom random) {
    this.random = random;
  }

  void append(LogRecord record) {
    unsynced.add(new Kept(record.seq(), Encoded.bytes(record)));
  }

  void truncate(long after) {
    unsynced.add(new Kept(after, null));
  }

  int unsynced() {
    return unsynced.size();
  }

  /** The oldest of what is not durable is. */
  void sync(int count) {
    durable.addAll(unsynced.subList(0, count));
    unsynced.subList(0, count).clear();
  }

  /** The process or the power is gone: what was not synced may be there or not. */
  void crash() {
    sync(random.nextInt(unsynced.size() + 1));
    unsynced.clear();
  }

  void clear() {
    durable.clear();
    unsynced.clear();
    snapshot = null;
    snapshotSeq = 0;
  }

  // ---- snapshots -----------------------------------------------------------------------------

  byte @Nullable [] snapshot() {
    return snapshot;
  }

  long snapshotSeq() {
    return snapshotSeq;
  }

  int checksum() {
    return checksum;
  }

  static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  void store(long seq, byte[] bytes) {
    snapshot = bytes;
    snapshotSeq = seq;
    checksum = checksum(bytes);
    // As files do: what leads and is covered goes, sooner or later.
    int most = random.nextInt(durable.size() + 1);
    int gone = 0;
    while (gone < most && durable.get(gone).record != null && durable.get(gone).seq <= seq) {
      gone++;
    }
    durable.subList(0, gone).clear();
  }

  static byte[] write(Image image) {
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      image.writeTo(out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static Image read(byte[] bytes) {
    try {
      return Image.read(new ByteArrayInputStream(bytes));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  // ---- damage --------------------------------------------------------------------------------

  /**
   * Flips a bit of a record or of the snapshot. The last record is spared: at the end of a journal
   * a record that is damaged cannot be told from one that was never synced.
   *
   * @return whether there was one to flip
   */
  boolean rot() {
    if (snapshot != null && random.nextInt(3) == 0) {
      snapshot = flipped(snapshot);
      return true;
    }
    if (durable.size() < 2) {
      return false;
    }
    int place = random.nextInt(durable.size() - 1);
    Kept kept = durable.get(place);
    if (kept.record == null) {
      return false;
    }
    durable.set(place, new Kept(kept.seq, flipped(kept.record)));
    return true;
  }

  private byte[] flipped(byte[] bytes) {
    byte[] flipped = bytes.clone();
    int bit = random.nextInt(8 * bytes.length);
    flipped[bit / 8] ^= (byte) (1 << bit % 8);
    return flipped;
  }

  boolean isIntact() {
    if (snapshot != null && checksum(snapshot) != checksum) {
      return false;
    }
    for (Kept kept : durable) {
      if (kept.record != null && !isIntact(kept.record)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isIntact(byte[] record) {
    try {
      Encoded.record(record);
      return true;
    } catch (WireFormatException e) {
      return false;
    }
  }

  /** What a process finds; null if some of it is damaged, wherever. */
  @Nullable Recovered recover() {
    if (!isIntact()) {
      return null;
    }
    Recovered recovered = new Recovered(snapshot == null ? Image.EMPTY : read(snapshot));
    for (Kept kept : durable) {
      if (kept.record != null) {
        recovered.append(Encoded.record(kept.record));
      } else {
        recovered.truncate(kept.seq);
      }
    }
    return recovered;
  }
}
