// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file's content twice: as programs see it, and as it is on the medium. Between the two are the
 * operations that were not synced.
 */
final class Inode {
  static final int SECTOR = 512;

  /**
   * A write of whole sectors, as they are after it; or a cut, if there are no bytes. {@code size}
   * is the file's size after it.
   */
  private record Pending(long operation, long offset, byte @Nullable [] bytes, long size) {}

  private Pages visible;
  private long visibleSize;
  private Pages durable;
  private long durableSize;
  private final List<Pending> pending = new ArrayList<>();

  Inode() {
    this(new Pages(), 0, new Pages(), 0);
  }

  private Inode(Pages visible, long visibleSize, Pages durable, long durableSize) {
    this.visible = visible;
    this.visibleSize = visibleSize;
    this.durable = durable;
    this.durableSize = durableSize;
  }

  long size() {
    return visibleSize;
  }

  Pages visible() {
    return visible;
  }

  boolean isDirty() {
    return !pending.isEmpty();
  }

  void write(long operation, long offset, byte[] bytes) {
    visible.write(offset, bytes, 0, bytes.length);
    visibleSize = Math.max(visibleSize, offset + bytes.length);
    long from = offset / SECTOR * SECTOR;
    long to = Math.min(visibleSize, (offset + bytes.length + SECTOR - 1) / SECTOR * SECTOR);
    var sectors = ByteBuffer.allocate((int) (to - from));
    visible.read(from, sectors, sectors.capacity());
    pending.add(new Pending(operation, from, sectors.array(), visibleSize));
  }

  /** Makes the file longer by zeros, durably. */
  void extendDurably(long size) {
    visibleSize = Math.max(visibleSize, size);
    durableSize = Math.max(durableSize, size);
  }

  void truncate(long operation, long size) {
    visible.clear(size, visibleSize);
    visibleSize = size;
    pending.add(new Pending(operation, size, null, size));
  }

  void sync() {
    reachMedium(Loss.nothing());
  }

  /**
   * What a failed sync leaves: some of it reached the medium, all of it is still seen, and no later
   * sync writes the rest.
   */
  void failSync(Loss loss) {
    reachMedium(loss);
  }

  /** After a power failure, the medium is all there is. */
  void crash(Loss loss) {
    reachMedium(loss);
    visible = durable.copy();
    visibleSize = durableSize;
  }

  /** Damages the medium and what is read from it. */
  void flip(long offset, int bits) {
    visible.flip(offset, bits);
    durable.flip(offset, bits);
  }

  Inode copy() {
    var copy = new Inode(visible.copy(), visibleSize, durable.copy(), durableSize);
    copy.pending.addAll(pending);
    return copy;
  }

  /** Hands out the operations that a power failure would lose, with their last sectors. */
  void pending(SimulatedDisk.PendingVisitor visitor) {
    for (var write : pending) {
      byte[] bytes = write.bytes();
      long last = bytes == null ? 0 : (write.offset() + bytes.length - 1) / SECTOR;
      visitor.pending(write.operation(), write.offset() / SECTOR, last);
    }
  }

  private void reachMedium(Loss loss) {
    long cutOff = Long.MAX_VALUE;
    long highest = durableSize;
    boolean sizeStays = false;
    for (var write : pending) {
      byte[] bytes = write.bytes();
      if (bytes == null) {
        if (!sizeStays && loss.keeps(write.operation(), Loss.METADATA)) {
          durable.clear(write.offset(), highest);
          durableSize = write.size();
        } else {
          // What is written behind a cut goes to new blocks, which nothing refers to yet.
          sizeStays = true;
          cutOff = Math.min(cutOff, write.offset());
        }
        continue;
      }
      highest = Math.max(highest, write.offset() + bytes.length);
      long end = reachSectors(loss, write, bytes, cutOff);
      if (!sizeStays && write.size() > durableSize) {
        sizeStays = !loss.keeps(write.operation(), Loss.METADATA);
        durableSize = sizeStays ? Math.max(durableSize, end) : write.size();
      }
    }
    pending.clear();
    durable.clear(durableSize, highest);
  }

  /** Puts the sectors that are kept on the medium; returns where the first run of them ends. */
  private long reachSectors(Loss loss, Pending write, byte[] bytes, long cutOff) {
    long end = write.offset() + bytes.length;
    long keptTo = write.offset();
    boolean whole = true;
    for (long at = write.offset(); at < end; ) {
      long next = Math.min(end, at + SECTOR);
      if (at < cutOff && loss.keeps(write.operation(), at / SECTOR)) {
        durable.write(at, bytes, (int) (at - write.offset()), (int) (next - at));
        keptTo = whole ? next : keptTo;
      } else {
        whole = false;
      }
      at = next;
    }
    return keptTo;
  }
}
