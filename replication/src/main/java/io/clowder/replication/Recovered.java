// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.ArrayList;
import java.util.List;

/**
 * What a replica finds on its disk when it begins a life: its newest snapshot, and the records
 * after it. Those that the journal still has from before the snapshot, or that were cut off, are
 * left out.
 */
final class Recovered {
  private final Image image;
  private final List<LogRecord> records = new ArrayList<>();

  /** Whether the journal is at what its replica had in the place of what the snapshot shows. */
  private boolean isVoid;

  Recovered(Image image) {
    this.image = image;
  }

  /** The newest snapshot. */
  Image image() {
    return image;
  }

  /** The records after it. */
  List<LogRecord> records() {
    return records;
  }

  /** Whether the journal ends with what is void, and does not say so. */
  boolean isVoid() {
    return isVoid;
  }

  private long end() {
    return image.seq() + records.size();
  }

  private long lastEpoch() {
    return records.isEmpty() ? image.epoch() : records.get(records.size() - 1).epoch();
  }

  /**
   * The journal's next record.
   *
   * <p>A replica whose log was replaced by a snapshot may have ended before it wrote down that what
   * it had is cut off. It had another record in the place of the snapshot's last, or of an older
   * epoch after it; all that followed is void, of whatever epoch.
   *
   * @throws IllegalStateException if records are missing before it
   */
  void append(LogRecord record) {
    if (record.seq() == image.seq()) {
      isVoid = record.epoch() != image.epoch();
    }
    if (record.seq() <= image.seq()) {
      return;
    }
    isVoid |= record.epoch() < image.epoch();
    if (isVoid) {
      return;
    }
    if (record.seq() != end() + 1 || record.epoch() < lastEpoch()) {
      throw new IllegalStateException(record + " comes after " + end());
    }
    records.add(record);
  }

  /** The journal says that all after a record is void. */
  void truncate(long after) {
    isVoid &= after > image.seq();
    if (after < end()) {
      int kept = (int) Math.max(0, after - image.seq());
      records.subList(kept, records.size()).clear();
    }
  }
}
