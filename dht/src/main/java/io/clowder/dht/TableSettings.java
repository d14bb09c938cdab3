// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.regex.Pattern;

/**
 * What a ring is founded with, and keeps.
 *
 * @param partitions into how many equal parts the ring is cut, a power of two
 * @param replicas how many nodes keep each
 * @param hash the function that places keys, such as {@code SHA-1}
 */
record TableSettings(int partitions, int replicas, String hash) {
  /** The fewest partitions. */
  static final int PARTITIONS_MIN = 16;

  /** The most partitions. */
  static final int PARTITIONS_MAX = 65_536;

  /** The most replicas. */
  static final int REPLICAS_MAX = 7;

  /** The most copies in all: a table must fit into a result of consensus. */
  static final int COPIES_MAX = 3 * PARTITIONS_MAX;

  static final int HASH_BYTES = 32;
  private static final Pattern HASH = Pattern.compile("[A-Za-z0-9][A-Za-z0-9/_-]{0,31}");

  TableSettings {
    if (partitions < PARTITIONS_MIN
        || partitions > PARTITIONS_MAX
        || Integer.bitCount(partitions) != 1) {
      throw new IllegalArgumentException(
          partitions + " partitions: not a power of two, or not 16 to 65536");
    }
    if (replicas < 1 || replicas > REPLICAS_MAX) {
      throw new IllegalArgumentException(replicas + " replicas: not 1 to " + REPLICAS_MAX);
    }
    if (partitions * replicas > COPIES_MAX) {
      throw new IllegalArgumentException(
          partitions + " partitions with " + replicas + " replicas: more than " + COPIES_MAX);
    }
    if (!HASH.matcher(hash).matches()) {
      throw new IllegalArgumentException("'" + hash + "' is no name of a hash function");
    }
  }

  void write(WireWriter out) {
    out.writeVarLong(partitions).writeByte(replicas).writeString(hash);
  }

  static TableSettings read(WireReader in) {
    long partitions = in.readVarLong();
    if (partitions < PARTITIONS_MIN || partitions > PARTITIONS_MAX) {
      throw new WireFormatException(partitions + " partitions");
    }
    try {
      return new TableSettings((int) partitions, in.readByte(), in.readString(HASH_BYTES));
    } catch (IllegalArgumentException e) {
      throw new WireFormatException(e.getMessage());
    }
  }
}
