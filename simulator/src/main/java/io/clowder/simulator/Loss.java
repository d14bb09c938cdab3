// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.random.RandomGenerator;

/**
 * Which of the operations that were not made durable a power failure spares. The disk asks for each
 * in the order in which they were done.
 */
@FunctionalInterface
public interface Loss {
  /** The sector number that stands for a change of a file's size or of a directory. */
  long METADATA = -1;

  /**
   * Whether this part of an operation reached the medium. A sector is kept whole, with what earlier
   * operations wrote to it.
   *
   * @param operation the operation's number on its disk, rising
   * @param sector the number of a 512-byte sector within the file, or {@link #METADATA}
   */
  boolean keeps(long operation, long sector);

  /** Everything that was not synced is lost. */
  static Loss everything() {
    return (operation, sector) -> false;
  }

  /** Nothing is lost, though nobody could have relied on it. */
  static Loss nothing() {
    return (operation, sector) -> true;
  }

  /** What was done up to {@code operation} is kept, what was done later is lost. */
  static Loss after(long operation) {
    return (done, sector) -> done <= operation;
  }

  /** As {@link #after}, with {@code operation} itself torn behind {@code lastSector}. */
  static Loss tornIn(long operation, long lastSector) {
    return (done, sector) -> done < operation || (done == operation && sector <= lastSector);
  }

  /**
   * Any subset; how much is kept is drawn as well. Data are kept or lost sector by sector.
   *
   * @param journaled whether changes of directories and of sizes reach the medium in order, as they
   *     do in a journaling file system; otherwise they too are any subset
   */
  static Loss random(RandomGenerator random, boolean journaled) {
    double kept = random.nextInt(4) == 0 ? 0.95 : random.nextDouble();
    return new Loss() {
      private long journalEnd = Long.MAX_VALUE;

      @Override
      public boolean keeps(long operation, long sector) {
        boolean keep = random.nextDouble() < kept;
        if (journaled && sector == METADATA) {
          keep &= operation < journalEnd;
          journalEnd = keep ? journalEnd : Math.min(journalEnd, operation);
        }
        return keep;
      }
    };
  }
}
