// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.DhtVersion;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The values that a node keeps, in the order of the ring. Of two of one key the newer one stays.
 * Digests of intervals are the leaves and nodes of a hash tree that is never built: sums of what
 * each value adds, for whole cells kept, for the rest taken on demand.
 */
final class Values {
  private static final int CELL_BITS = 12;

  /** What two nodes compare: equal if they have the same values in an interval. */
  record Digest(long sum, long count) {
    static final Digest EMPTY = new Digest(0, 0);

    Digest plus(Digest other) {
      return new Digest(sum + other.sum, count + other.count);
    }
  }

  private final TreeMap<Identifier, Value> all = new TreeMap<>();
  private final long[] sums = new long[1 << CELL_BITS];
  private final int[] counts = new int[1 << CELL_BITS];
  private long bytes;

  @Nullable Value get(Identifier id) {
    return all.get(id);
  }

  /** Takes a value if it is newer than what is there; returns whether it is. */
  boolean put(Value value) {
    Value before = all.get(value.id());
    if (!value.isNewerThan(before)) {
      return false;
    }
    if (before != null) {
      count(before, -1);
    }
    all.put(value.id(), value);
    count(value, 1);
    return true;
  }

  /** Forgets a value. */
  void remove(Identifier id) {
    Value before = all.remove(id);
    if (before != null) {
      count(before, -1);
    }
  }

  private void count(Value value, int sign) {
    int cell = cell(value.id());
    sums[cell] += sign * mix(value);
    counts[cell] += sign;
    bytes += (long) sign * value.size();
  }

  private static int cell(Identifier id) {
    return id.top(CELL_BITS);
  }

  /** Whatever differs between two versions of a key makes about half of the bits differ. */
  private static long mix(Value value) {
    DhtVersion version = value.version();
    long mixed = value.id().fold();
    mixed = scramble(mixed + 0x9E3779B97F4A7C15L * version.major());
    return scramble(mixed ^ version.minor());
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood, 2014). */
  private static long scramble(long value) {
    long mixed = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }

  int size() {
    return all.size();
  }

  /** Bytes that they take, about. */
  long bytes() {
    return bytes;
  }

  /** What two nodes compare first. */
  Digest digest(Interval interval) {
    Identifier after = interval.after();
    Identifier upTo = interval.upTo();
    if (after.equals(upTo)) {
      return cells(0, 1 << CELL_BITS);
    } else if (after.compareTo(upTo) > 0) {
      return tail(after).plus(head(upTo));
    }
    int from = cell(after);
    int to = cell(upTo);
    return to - from < 2
        ? sum(all.subMap(after, false, upTo, true).values())
        : sum(all.subMap(after, false, Identifier.startOf(from + 1, CELL_BITS), false).values())
            .plus(cells(from + 1, to))
            .plus(sum(all.subMap(Identifier.startOf(to, CELL_BITS), true, upTo, true).values()));
  }

  private Digest tail(Identifier after) {
    int cell = cell(after);
    NavigableMap<Identifier, Value> rest = all.tailMap(after, false);
    return cell == (1 << CELL_BITS) - 1
        ? sum(rest.values())
        : sum(rest.headMap(Identifier.startOf(cell + 1, CELL_BITS), false).values())
            .plus(cells(cell + 1, 1 << CELL_BITS));
  }

  private Digest head(Identifier upTo) {
    int cell = cell(upTo);
    return cells(0, cell)
        .plus(
            sum(
                all.headMap(upTo, true)
                    .tailMap(Identifier.startOf(cell, CELL_BITS), true)
                    .values()));
  }

  private Digest cells(int from, int to) {
    long sum = 0;
    long count = 0;
    for (int i = from; i < to; i++) {
      sum += sums[i];
      count += counts[i];
    }
    return new Digest(sum, count);
  }

  private static Digest sum(Collection<Value> values) {
    long sum = 0;
    long count = 0;
    for (Value value : values) {
      sum += mix(value);
      count++;
    }
    return new Digest(sum, count);
  }

  /** Those in an interval, in the order of the ring from its beginning on. */
  List<Value> in(Interval interval) {
    List<Value> found = new ArrayList<>();
    Identifier after = interval.after();
    Identifier upTo = interval.upTo();
    if (after.compareTo(upTo) < 0) {
      found.addAll(all.subMap(after, false, upTo, true).values());
    } else {
      found.addAll(all.tailMap(after, false).values());
      found.addAll(all.headMap(upTo, true).values());
    }
    return found;
  }

  /** The first at or after a point, round the ring; null if there is none at all. */
  @Nullable Value firstFrom(Identifier point) {
    if (all.isEmpty()) {
      return null;
    }
    var entry = all.ceilingEntry(point);
    return entry == null ? all.firstEntry().getValue() : entry.getValue();
  }

  /** Those from a point up to the end, to be read before anything else is done to this. */
  Collection<Value> from(Identifier point) {
    return all.tailMap(point, true).values();
  }

  /** All of them, to be read before anything else is done to this. */
  Collection<Value> all() {
    return all.values();
  }
}
