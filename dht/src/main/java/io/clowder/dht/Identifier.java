// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A point on the ring: 160 bits, unsigned, so that 0 comes after 2^160 - 1. Chord, section IV-B of
 * the ToN paper.
 */
final class Identifier implements Comparable<Identifier> {
  /** How many bits. */
  static final int BITS = 160;

  /** How many bytes. */
  static final int BYTES = BITS / 8;

  /** The hash function of Chord's papers. */
  static final String SHA_1 = "SHA-1";

  static final Identifier ZERO = new Identifier(0, 0, 0);

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  /** Bits 159 to 96, 95 to 32, and 31 to 0. */
  private final long high;

  private final long middle;
  private final int low;

  private Identifier(long high, long middle, int low) {
    this.high = high;
    this.middle = middle;
    this.low = low;
  }

  /**
   * Where these bytes are on the ring: the first 160 bits of their hash.
   *
   * @param algorithm a message digest of 160 bits or more, the same on all members of a ring
   * @throws IllegalArgumentException if there is none of that name, or it is shorter
   */
  static Identifier hash(String algorithm, byte[] bytes) {
    byte[] digest;
    try {
      digest = MessageDigest.getInstance(algorithm).digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalArgumentException("no hash function " + algorithm, e);
    }
    if (digest.length < BYTES) {
      throw new IllegalArgumentException(
          algorithm + " has " + 8 * digest.length + " bits, not " + BITS);
    }
    return of(digest);
  }

  /** Out of the first 20 bytes, big-endian. */
  static Identifier of(byte[] bytes) {
    return new Identifier(
        (long) LONG.get(bytes, 0), (long) LONG.get(bytes, 8), (int) INT.get(bytes, 16));
  }

  /** As {@link #toString} shows it: 40 hexadecimal digits. */
  static Identifier parse(String hex) {
    if (hex.length() != 2 * BYTES) {
      throw new IllegalArgumentException("an identifier has 40 digits, not " + hex.length());
    }
    return new Identifier(
        Long.parseUnsignedLong(hex, 0, 16, 16),
        Long.parseUnsignedLong(hex, 16, 32, 16),
        Integer.parseUnsignedInt(hex, 32, 40, 16));
  }

  /**
   * Whether {@code point} lies strictly between the two going up from {@code start}, over zero if
   * need be. From a point to itself is all the way round: there, every other point lies between
   * (Zave, section III).
   */
  static boolean between(Identifier start, Identifier point, Identifier end) {
    boolean isAfterStart = start.compareTo(point) < 0;
    boolean isBeforeEnd = point.compareTo(end) < 0;
    return start.compareTo(end) < 0 ? isAfterStart && isBeforeEnd : isAfterStart || isBeforeEnd;
  }

  /** As {@link #between}, or at {@code end}. */
  static boolean betweenOrAt(Identifier start, Identifier point, Identifier end) {
    return point.equals(end) || between(start, point, end);
  }

  /** This plus 2^{@code exponent}, which is 0 to 159: where a finger points. */
  Identifier plusPowerOfTwo(int exponent) {
    if (exponent < 0 || exponent >= BITS) {
      throw new IllegalArgumentException("2^" + exponent + " of " + BITS + " bits");
    }
    if (exponent >= 96) {
      return new Identifier(high + (1L << (exponent - 96)), middle, low);
    } else if (exponent >= 32) {
      long sum = middle + (1L << (exponent - 32));
      return new Identifier(high + carry(sum, middle), sum, low);
    }
    int lowest = low + (1 << exponent);
    long carried = middle + (Integer.compareUnsigned(lowest, low) < 0 ? 1 : 0);
    return new Identifier(high + carry(carried, middle), carried, lowest);
  }

  private static int carry(long sum, long summand) {
    return Long.compareUnsigned(sum, summand) < 0 ? 1 : 0;
  }

  /** The next point. */
  Identifier next() {
    return plusPowerOfTwo(0);
  }

  /** How far it is from here up to there, over zero if need be. */
  Identifier distanceTo(Identifier other) {
    int lowest = other.low - low;
    long borrow = Integer.compareUnsigned(other.low, low) < 0 ? 1 : 0;
    long mid = other.middle - middle - borrow;
    boolean isBorrowed =
        Long.compareUnsigned(other.middle, middle) < 0 || (borrow == 1 && other.middle == middle);
    return new Identifier(other.high - high - (isBorrowed ? 1 : 0), mid, lowest);
  }

  /** Its highest bits, 1 to 31 of them, as a number. */
  int top(int bits) {
    return (int) (high >>> (64 - bits));
  }

  /** The first point whose highest bits are those of a number: the inverse of {@link #top}. */
  static Identifier startOf(int number, int bits) {
    return new Identifier((long) number << (64 - bits), 0, 0);
  }

  /** All bits mixed into 64, for hashing. */
  long fold() {
    return high * 31 + middle * 17 + low;
  }

  /** The number of the highest bit that is set, 0 to 159; -1 for zero. */
  int highestBit() {
    if (high != 0) {
      return 159 - Long.numberOfLeadingZeros(high);
    } else if (middle != 0) {
      return 95 - Long.numberOfLeadingZeros(middle);
    }
    return 31 - Integer.numberOfLeadingZeros(low);
  }

  void write(WireWriter out) {
    out.writeLong(high).writeLong(middle).writeInt(low);
  }

  static Identifier read(WireReader in) {
    return new Identifier(in.readLong(), in.readLong(), in.readInt());
  }

  @Override
  public int compareTo(Identifier other) {
    int order = Long.compareUnsigned(high, other.high);
    if (order == 0) {
      order = Long.compareUnsigned(middle, other.middle);
    }
    return order == 0 ? Integer.compareUnsigned(low, other.low) : order;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Identifier that
        && high == that.high
        && middle == that.middle
        && low == that.low;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(high * 31 + middle) * 31 + low;
  }

  @Override
  public String toString() {
    return String.format("%016x%016x%08x", high, middle, low);
  }
}
