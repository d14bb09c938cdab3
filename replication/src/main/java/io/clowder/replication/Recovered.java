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

  private long end() {
    return image.seq() + records.size();
  }

  private long lastEpoch() {
    return records.isEmpty() ? image.epoch() : records.get(records.size() - 1).epoch();
  }

  /**
   * The journal's next record.
   *
   * @throws IllegalStateException if records are missing before it
   */
  void append(LogRecord record) {
    // A replica whose log was replaced by a snapshot may have had a tail that was void, and may
    // have
    // ended before it wrote down that it is cut off. Its epochs are older than the snapshot's, as
    // whoever leads a later epoch has all that was committed in earlier ones.
    if (record.seq() <= image.seq() || record.epoch() < lastEpoch()) {
      return;
    }
    if (record.seq() != end() + 1) {
      throw new IllegalStateException(record + " comes after " + end());
    }
    records.add(record);
  }

  /** The journal says that all after a record is void. */
  void truncate(long after) {
    if (after < end()) {
      int kept = (int) Math.max(0, after - image.seq());
      records.subList(kept, records.size()).clear();
    }
  }
}
