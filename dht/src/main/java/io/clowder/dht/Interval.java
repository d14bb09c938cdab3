// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * What comes after a point up to another, over zero if need be; all of the ring if they are the
 * same.
 */
record Interval(Identifier after, Identifier upTo) {
  /** All of the ring. */
  static final Interval ALL = new Interval(Identifier.ZERO, Identifier.ZERO);

  /** Into how many parts it is split, about. */
  private static final int PARTS_BITS = 4;

  /** Nothing but one point. */
  static Interval of(Identifier point) {
    return new Interval(Identifier.ZERO.next().distanceTo(point), point);
  }

  boolean contains(Identifier point) {
    return after.equals(upTo) || Identifier.betweenOrAt(after, point, upTo);
  }

  /** Whether another one lies within this. */
  boolean covers(Interval other) {
    if (after.equals(upTo)) {
      return true;
    }
    Identifier from = after.distanceTo(other.after);
    Identifier to = after.distanceTo(other.upTo);
    return from.compareTo(to) < 0 && to.compareTo(after.distanceTo(upTo)) <= 0;
  }

  /** Parts of about the same size, together this, in order; itself if it is too small for that. */
  List<Interval> split() {
    int width = after.equals(upTo) ? Identifier.BITS : after.distanceTo(upTo).highestBit();
    int step = width - PARTS_BITS;
    if (step < 0) {
      return List.of(this);
    }
    List<Interval> parts = new ArrayList<>();
    Identifier from = after;
    Identifier next = from.plusPowerOfTwo(step);
    while (Identifier.between(after, next, upTo)) {
      parts.add(new Interval(from, next));
      from = next;
      next = next.plusPowerOfTwo(step);
      if (!Identifier.between(from, next, upTo)) {
        break;
      }
    }
    parts.add(new Interval(from, upTo));
    return parts;
  }

  void write(WireWriter out) {
    after.write(out);
    upTo.write(out);
  }

  static Interval read(WireReader in) {
    return new Interval(Identifier.read(in), Identifier.read(in));
  }

  @Override
  public String toString() {
    return "(" + after.toString().substring(0, 8) + ", " + upTo.toString().substring(0, 8) + "]";
  }
}
