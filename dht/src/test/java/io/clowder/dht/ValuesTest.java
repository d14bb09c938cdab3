// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.dht.DhtVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ValuesTest {
  private static final Identifier LAST = Identifier.parse("f".repeat(40));

  private final SplittableRandom random = new SplittableRandom(11);

  private static Value value(Identifier id, long major, long minor) {
    return new Value(
        id, new byte[3], new DhtVersion(major, minor), new byte[5], 0, new RequestKey(1, 1));
  }

  /** Anywhere, or where cells begin and end, or near zero. */
  private Identifier point() {
    byte[] bytes = new byte[Identifier.BYTES];
    random.nextBytes(bytes);
    Identifier any = Identifier.of(bytes);
    Identifier cell = Identifier.startOf(random.nextInt(1 << 12), 12);
    return switch (random.nextInt(6)) {
      case 0 -> cell;
      case 1 -> LAST.distanceTo(cell).plusPowerOfTwo(random.nextInt(3));
      case 2 -> random.nextBoolean() ? LAST : Identifier.ZERO;
      case 3 -> cell.plusPowerOfTwo(random.nextInt(100));
      default -> any;
    };
  }

  private static Values.Digest naive(Map<Identifier, Value> all, Interval interval) {
    Values one = new Values();
    Values.Digest sum = Values.Digest.EMPTY;
    for (Value value : all.values()) {
      if (interval.contains(value.id())) {
        one.put(value);
        sum = sum.plus(one.digest(Interval.ALL));
        one.remove(value.id());
      }
    }
    return sum;
  }

  @Test
  void digestsAreSumsOfWhatIsThere() {
    Values values = new Values();
    TreeMap<Identifier, Value> all = new TreeMap<>();
    for (int round = 0; round < 40; round++) {
      for (int i = 0; i < 20; i++) {
        Value value = value(point(), random.nextInt(5), random.nextLong());
        if (values.put(value)) {
          all.put(value.id(), value);
        }
        if (random.nextInt(4) == 0) {
          Identifier gone = all.ceilingKey(all.firstKey());
          all.remove(gone);
          values.remove(gone);
        }
      }
      for (int i = 0; i < 20; i++) {
        Identifier after = point();
        Interval interval =
            random.nextInt(8) == 0
                ? Interval.ALL
                : new Interval(after, random.nextInt(8) == 0 ? after.next() : point());
        assertEquals(naive(all, interval), values.digest(interval), interval::toString);
        List<Value> there = new ArrayList<>(all.values());
        there.removeIf(it -> !interval.contains(it.id()));
        assertEquals(there.size(), values.in(interval).size());
        assertTrue(there.containsAll(values.in(interval)));
      }
    }
    assertEquals(all.size(), values.size());
    assertEquals(all.values().stream().mapToLong(Value::size).sum(), values.bytes());
  }

  /** All of the ring is the same, from wherever it is seen. */
  @Test
  void allOfTheRing() {
    Values values = new Values();
    for (int i = 0; i < 100; i++) {
      values.put(value(point(), 1, i));
    }
    Identifier somewhere = point();
    assertEquals(values.digest(Interval.ALL), values.digest(new Interval(somewhere, somewhere)));
    Values.Digest sum = Values.Digest.EMPTY;
    for (Interval part : new Interval(somewhere, somewhere).split()) {
      sum = sum.plus(values.digest(part));
    }
    assertEquals(values.digest(Interval.ALL), sum);
  }

  @Test
  void theNewerOneStays() {
    Values values = new Values();
    Identifier id = point();
    Value first = value(id, 1, 9);
    Value second = value(id, 2, 1);
    assertTrue(values.put(first));
    Values.Digest before = values.digest(Interval.ALL);
    assertTrue(values.put(second));
    assertNotEquals(before, values.digest(Interval.ALL));
    assertFalse(values.put(first));
    assertFalse(values.put(value(id, 2, 1)));
    assertSame(second, values.get(id));
    values.remove(id);
    values.remove(id);
    assertNull(values.get(id));
    assertEquals(Values.Digest.EMPTY, values.digest(Interval.ALL));
    assertEquals(0, values.bytes());
  }

  @Test
  void theFirstFromAPointIsRoundTheRing() {
    Values values = new Values();
    assertNull(values.firstFrom(Identifier.ZERO));
    Value low = value(Identifier.ZERO.next(), 1, 1);
    Value high = value(LAST, 1, 1);
    values.put(low);
    assertSame(low, values.firstFrom(LAST));
    values.put(high);
    assertSame(high, values.firstFrom(LAST));
    assertSame(low, values.firstFrom(Identifier.ZERO));
    assertSame(high, values.firstFrom(low.id().next()));
    assertEquals(List.of(high, low), values.in(new Interval(low.id(), low.id())));
  }
}
