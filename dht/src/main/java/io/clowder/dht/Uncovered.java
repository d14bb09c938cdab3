// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What of some ranges lies in no other ones, whatever their ends are and who keeps them besides.
 */
final class Uncovered {
  private Uncovered() {}

  /** Those parts of the ranges, in their order. */
  static List<Range> of(List<Range> ranges, List<Range> others) {
    List<Interval> covered = others.stream().map(Uncovered::interval).toList();
    List<Range> parts = new ArrayList<>();
    for (Range range : ranges) {
      for (Interval it : parts(interval(range), covered)) {
        parts.add(
            new Range(
                it.after().toString(),
                it.upTo().toString(),
                range.owner(),
                range.replicas(),
                range.epoch(),
                range.isWhole()));
      }
    }
    return parts;
  }

  private static Interval interval(Range range) {
    return new Interval(Identifier.parse(range.after()), Identifier.parse(range.upTo()));
  }

  /** Cut at all ends there are, a piece is covered or not as a whole: its last point tells. */
  private static List<Interval> parts(Interval whole, List<Interval> covered) {
    List<Identifier> ends =
        new ArrayList<>(
            covered.stream()
                .flatMap(it -> Stream.of(it.after(), it.upTo()))
                .filter(it -> Identifier.between(whole.after(), it, whole.upTo()))
                .distinct()
                .sorted(
                    Comparator.comparing((Identifier it) -> it.compareTo(whole.after()) <= 0)
                        .thenComparing(Comparator.naturalOrder()))
                .toList());
    ends.add(whole.upTo());
    List<Interval> parts = new ArrayList<>();
    Identifier from = whole.after();
    for (Identifier end : ends) {
      if (covered.stream().noneMatch(it -> it.contains(end))) {
        parts.add(new Interval(from, end));
      }
      from = end;
    }
    return parts;
  }
}
