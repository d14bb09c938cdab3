// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

/** The two units of a disk: what it writes whole or not at all, and what direct writes come in. */
final class Blocks {
  /** A disk never tears within this many bytes. */
  static final int SECTOR = 512;

  /** Offsets and lengths of direct writes are multiples of this. */
  static final int BLOCK = 4096;

  private Blocks() {}

  /** {@code value} or the next multiple of {@code unit}, a power of two, above it. */
  static long up(long value, int unit) {
    return (value + unit - 1) & -unit;
  }

  /** {@code value} or the next multiple of {@code unit}, a power of two, below it. */
  static long down(long value, int unit) {
    return value & -unit;
  }
}
