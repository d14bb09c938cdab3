// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IdentifierTest {
  private static final BigInteger ROUND = BigInteger.ONE.shiftLeft(Identifier.BITS);

  /** Random points, and those where a carry or a sign could go wrong. */
  private static List<Identifier> points() {
    SplittableRandom random = new SplittableRandom(1);
    List<Identifier> points = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      byte[] bytes = new byte[Identifier.BYTES];
      random.nextBytes(bytes);
      points.add(Identifier.of(bytes));
    }
    for (int exponent : new int[] {0, 1, 31, 32, 33, 63, 64, 95, 96, 97, 127, 159}) {
      Identifier power = Identifier.ZERO.plusPowerOfTwo(exponent);
      points.add(power);
      points.add(power.distanceTo(Identifier.ZERO));
      points.add(Identifier.ZERO.next().distanceTo(power));
    }
    points.add(Identifier.ZERO);
    points.add(Identifier.ZERO.next().distanceTo(Identifier.ZERO));
    return points;
  }

  private static BigInteger number(Identifier point) {
    return new BigInteger(point.toString(), 16);
  }

  @Test
  void sumsAndDistancesAreThoseOfNumbersRoundAndRound() {
    for (Identifier point : points()) {
      for (int exponent = 0; exponent < Identifier.BITS; exponent++) {
        BigInteger sum = number(point).add(BigInteger.ONE.shiftLeft(exponent)).mod(ROUND);
        assertEquals(sum, number(point.plusPowerOfTwo(exponent)), point + " + 2^" + exponent);
      }
      for (Identifier other : points()) {
        BigInteger distance = number(other).subtract(number(point)).mod(ROUND);
        assertEquals(distance, number(point.distanceTo(other)), point + " to " + other);
      }
      assertEquals(number(point).bitLength() - 1, point.highestBit());
    }
    assertThrows(IllegalArgumentException.class, () -> Identifier.ZERO.plusPowerOfTwo(160));
    assertThrows(IllegalArgumentException.class, () -> Identifier.ZERO.plusPowerOfTwo(-1));
  }

  @Test
  void theOrderIsThatOfUnsignedNumbers() {
    for (Identifier point : points()) {
      for (Identifier other : points()) {
        assertEquals(
            Integer.signum(number(point).compareTo(number(other))),
            Integer.signum(point.compareTo(other)),
            point + " and " + other);
        assertEquals(number(point).equals(number(other)), point.equals(other));
      }
    }
  }

  @Test
  void betweenIsOnTheWayUpAndRoundOverZero() {
    List<Identifier> points = points().subList(40, points().size());
    for (Identifier start : points) {
      for (Identifier end : points) {
        for (Identifier point : points) {
          BigInteger way = number(end).subtract(number(start)).mod(ROUND);
          BigInteger whole = way.signum() == 0 ? ROUND : way;
          BigInteger step = number(point).subtract(number(start)).mod(ROUND);
          boolean isBetween = step.signum() > 0 && step.compareTo(whole) < 0;
          assertEquals(isBetween, Identifier.between(start, point, end));
          assertEquals(isBetween || point.equals(end), Identifier.betweenOrAt(start, point, end));
        }
      }
    }
  }

  @Test
  void aHashIsTheSameEverywhere() {
    byte[] abc = "abc".getBytes(StandardCharsets.US_ASCII);
    // FIPS 180-2, appendices A.1 and B.1.
    assertEquals(
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        Identifier.hash(Identifier.SHA_1, abc).toString());
    assertEquals(
        "ba7816bf8f01cfea414140de5dae2223b00361a3", Identifier.hash("SHA-256", abc).toString());
    assertThrows(IllegalArgumentException.class, () -> Identifier.hash("MD5", abc));
    assertThrows(IllegalArgumentException.class, () -> Identifier.hash("rot13", abc));
  }

  @Test
  void whatIsWrittenIsRead() {
    for (Identifier point : points()) {
      WireWriter out = new WireWriter(20);
      point.write(out);
      assertEquals(Identifier.BYTES, out.size());
      assertEquals(point, Identifier.read(new WireReader(out.toByteArray())));
      assertEquals(point, Identifier.of(out.toByteArray()));
      assertEquals(point, Identifier.parse(point.toString()));
      assertEquals(point.hashCode(), Identifier.parse(point.toString()).hashCode());
    }
    assertThrows(IllegalArgumentException.class, () -> Identifier.parse("12"));
    assertThrows(IllegalArgumentException.class, () -> Identifier.parse("g".repeat(40)));
    assertTrue(points().get(0).equals(points().get(0)));
    assertFalse(points().get(0).equals(points().get(1)));
  }
}
