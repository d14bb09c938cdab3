// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IntervalTest {
  private static final Identifier LAST = Identifier.parse("f".repeat(40));

  private static Identifier at(String end) {
    return Identifier.parse("0".repeat(40 - end.length()) + end);
  }

  private static Identifier random(SplittableRandom random) {
    byte[] bytes = new byte[Identifier.BYTES];
    random.nextBytes(bytes);
    return Identifier.of(bytes);
  }

  /** The parts of an interval follow each other, and are together what it is. */
  private static List<Interval> assertSplit(Interval interval) {
    List<Interval> parts = interval.split();
    assertFalse(parts.isEmpty());
    assertEquals(interval.after(), parts.get(0).after());
    assertEquals(interval.upTo(), parts.get(parts.size() - 1).upTo());
    for (int i = 0; i < parts.size(); i++) {
      Interval part = parts.get(i);
      assertTrue(interval.covers(part), () -> interval + " has " + part);
      if (i > 0) {
        assertEquals(parts.get(i - 1).upTo(), part.after());
      }
      if (parts.size() > 1) {
        assertFalse(part.after().equals(part.upTo()), "a part that is all of the ring");
      }
    }
    return parts;
  }

  @Test
  void allOfTheRing() {
    List<Interval> parts = assertSplit(Interval.ALL);
    assertEquals(16, parts.size());
    assertEquals(new Interval(at("1" + "0".repeat(39)), at("2" + "0".repeat(39))), parts.get(1));
    Identifier somewhere = at("123456789");
    Interval round = new Interval(somewhere, somewhere);
    assertEquals(16, assertSplit(round).size());
    assertTrue(
        round.contains(somewhere) && round.contains(LAST) && round.contains(Identifier.ZERO));
  }

  @Test
  void overZero() {
    Identifier before = LAST.plusPowerOfTwo(159);
    assertSplit(new Interval(before, at("1" + "0".repeat(39))));
    Interval short_ = new Interval(LAST, at("3"));
    assertTrue(short_.contains(Identifier.ZERO) && short_.contains(at("3")));
    assertFalse(short_.contains(LAST) || short_.contains(at("4")));
    assertSplit(short_);
  }

  /** However small, it ends: a part is smaller than the whole, or the whole by itself. */
  @Test
  void small() {
    for (int width = 1; width <= 64; width++) {
      Interval interval = new Interval(LAST, at(Integer.toHexString(width - 1)));
      List<Interval> parts = assertSplit(interval);
      assertEquals(width < 16, parts.size() == 1, width + " wide");
    }
  }

  @Test
  void anyOne() {
    SplittableRandom random = new SplittableRandom(5);
    for (int round = 0; round < 2_000; round++) {
      Identifier after = random(random);
      Identifier upTo = random.nextInt(4) == 0 ? random(random) : after;
      for (int i = random.nextInt(4); i >= 0; i--) {
        upTo = upTo.plusPowerOfTwo(random.nextInt(Identifier.BITS));
      }
      Interval interval = new Interval(after, upTo);
      List<Interval> parts = assertSplit(interval);
      assertTrue(parts.size() >= 15 || parts.size() == 1, () -> parts.size() + " parts");
      assertTrue(parts.size() <= 33, () -> parts.size() + " parts");
      Identifier point =
          random.nextBoolean() ? random(random) : upTo.plusPowerOfTwo(random.nextInt(60));
      List<Interval> having = new ArrayList<>(parts);
      having.removeIf(it -> !it.contains(point));
      assertEquals(
          interval.contains(point) ? 1 : 0, having.size(), () -> point + " in " + interval);
    }
  }

  @Test
  void oneWithinAnother() {
    Interval interval = new Interval(at("10"), at("20"));
    assertTrue(interval.covers(interval));
    assertTrue(interval.covers(new Interval(at("10"), at("11"))));
    assertTrue(interval.covers(new Interval(at("1f"), at("20"))));
    assertFalse(interval.covers(new Interval(at("1f"), at("21"))));
    assertFalse(interval.covers(new Interval(at("f"), at("11"))));
    assertFalse(interval.covers(new Interval(at("20"), at("10"))));
    assertFalse(interval.covers(Interval.ALL));
    assertFalse(interval.covers(new Interval(at("15"), at("15"))), "all of the ring");
    assertFalse(interval.covers(new Interval(at("10"), at("10"))), "all of the ring");
    assertTrue(Interval.ALL.covers(interval) && Interval.ALL.covers(Interval.ALL));
  }
}
