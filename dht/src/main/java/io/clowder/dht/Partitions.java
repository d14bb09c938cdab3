// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireWriter;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The ring cut into equal parts, numbered from zero: the top bits of a point are its partition.
 *
 * @param count a power of two, 2 to 2^30
 */
record Partitions(int count) {
  Partitions {
    if (count < 2 || Integer.bitCount(count) != 1) {
      throw new IllegalArgumentException(count + " partitions");
    }
  }

  /** Which one a point lies in. */
  int of(Identifier point) {
    WireWriter out = new WireWriter(Identifier.BYTES);
    point.write(out);
    return ByteBuffer.wrap(out.array()).getInt() >>> shift();
  }

  /** The first point of a partition. */
  Identifier first(int partition) {
    check(partition);
    return Identifier.of(
        ByteBuffer.allocate(Identifier.BYTES).putInt(partition << shift()).array());
  }

  /** The last point of a partition. */
  Identifier last(int partition) {
    check(partition);
    byte[] bytes = new byte[Identifier.BYTES];
    Arrays.fill(bytes, (byte) 0xFF);
    int rest = (1 << shift()) - 1;
    return Identifier.of(ByteBuffer.wrap(bytes).putInt(0, partition << shift() | rest).array());
  }

  /** The last point that lies before a partition, over zero for the first. */
  Identifier after(int partition) {
    check(partition);
    return last((partition + count - 1) % count);
  }

  private int shift() {
    return Integer.SIZE - Integer.numberOfTrailingZeros(count);
  }

  private void check(int partition) {
    if (partition < 0 || partition >= count) {
      throw new IndexOutOfBoundsException("partition " + partition + " of " + count);
    }
  }
}
