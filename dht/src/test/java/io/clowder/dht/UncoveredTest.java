// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Range;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class UncoveredTest {
  @Test
  void ofNothingAndWithoutOthers() {
    assertEquals(List.of(), uncovered("", "1-5"));
    assertEquals(List.of("1-5", "9-2"), uncovered("1-5 9-2", ""));
    assertEquals(List.of("3-3"), uncovered("3-3", ""));
  }

  @Test
  void endsDoNotMatter() {
    assertEquals(List.of(), uncovered("1-5", "1-3 3-5"));
    assertEquals(List.of(), uncovered("1-3 3-5", "0-7"));
    assertEquals(List.of(), uncovered("1-5 9-2", "4-4"));
    assertEquals(List.of(), uncovered("4-4", "1-9 9-1"));
    assertEquals(List.of(), uncovered("4-4", "7-7"));
  }

  @Test
  void whatIsLeft() {
    assertEquals(List.of("3-5"), uncovered("1-5", "1-3"));
    assertEquals(List.of("1-3"), uncovered("1-5", "3-5"));
    assertEquals(List.of("1-2", "4-5"), uncovered("1-5", "2-4"));
    assertEquals(List.of("1-2", "3-4"), uncovered("1-5", "2-3 4-7"));
    assertEquals(List.of("1-5"), uncovered("1-5", "5-1"));
  }

  @Test
  void overZero() {
    assertEquals(List.of("c-2"), uncovered("9-2", "9-c"));
    assertEquals(List.of("9-e", "1-2"), uncovered("9-2", "e-1"));
    assertEquals(List.of("2-7"), uncovered("2-2", "7-2"));
    assertEquals(List.of("5-7", "8-5"), uncovered("5-5", "7-8"));
  }

  /** What keeps it besides is the same as before, or not: it is still there. */
  @Test
  void attributesDoNotMatter() {
    Range before = range("1-5");
    Range after =
        new Range(before.after(), before.upTo(), before.owner(), List.of(), 9, !before.isWhole());
    assertEquals(List.of(), Uncovered.of(List.of(after), List.of(before)));
    assertEquals(List.of(after), Uncovered.of(List.of(after), List.of(range("5-1"))));
  }

  private static List<String> uncovered(String ranges, String others) {
    return Uncovered.of(ranges(ranges), ranges(others)).stream()
        .map(it -> it.after().substring(0, 1) + "-" + it.upTo().substring(0, 1))
        .toList();
  }

  private static List<Range> ranges(String text) {
    return Stream.of(text.split(" ", -1))
        .filter(it -> !it.isEmpty())
        .map(UncoveredTest::range)
        .toList();
  }

  private static Range range(String text) {
    return new Range(
        text.charAt(0) + "0".repeat(39),
        text.charAt(2) + "0".repeat(39),
        new NodeId("n1"),
        List.of(new NodeId("n2")),
        1,
        true);
  }
}
