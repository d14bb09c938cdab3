// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** What a node is to keep for others, by what these have said, for so long as they say it. */
final class Coverage {
  private static final int COVERED_MAX = 1_024;

  /** For so many times the time between two comparisons, what an owner said holds. */
  private static final int COVERED_TIMES = 3;

  private record Covered(Seat owner, Interval interval, long since) {}

  private final Shelf shelf;
  private final Deque<Covered> covered = new ArrayDeque<>();

  Coverage(Shelf shelf) {
    this.shelf = shelf;
  }

  /** An owner has compared what it owns with what is here. */
  void add(Seat owner, Interval interval) {
    long recent = shelf.now - shelf.settings.antiEntropyNanos() / 2;
    for (Covered it : covered) {
      // Parts of what was compared as a whole.
      if (it.since() >= recent && it.owner().equals(owner) && it.interval().covers(interval)) {
        return;
      }
    }
    long old = shelf.now - COVERED_TIMES * shelf.settings.antiEntropyNanos();
    covered.removeIf(it -> it.since() < old);
    if (covered.size() >= COVERED_MAX) {
      covered.remove();
    }
    covered.add(new Covered(owner, interval, shelf.now));
  }

  /** What an owner said lately that this node is to keep, and has the point; null if none did. */
  @Nullable Interval of(Identifier point) {
    long old = shelf.now - COVERED_TIMES * shelf.settings.antiEntropyNanos();
    for (Covered it : covered) {
      if (it.since() >= old && it.interval().contains(point)) {
        return it.interval();
      }
    }
    return null;
  }
}
