// SPDX-License-Identifier: Apache-2.0
package io.clowder.kv;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FencesTest {
  private final Fences none = Fences.none(3, 0);

  @Test
  void remembersTheLargestTokenOfEachResource() {
    Fences fences = raised(none, "a", 5, "b", 2, "a", 7, "a", 7);
    assertEquals("{a=7, b=2} 0", text(fences));
    assertEquals(7, fences.seen(utf8("a")));
    assertEquals(2, fences.seen(utf8("b")));
    assertEquals(0, fences.seen(utf8("c")));
  }

  @Test
  void whatWasStaysAsItWas() {
    Fences before = raised(none, "a", 1, "b", 2, "c", 3);
    raised(before, "a", 9, "d", 10);
    assertEquals("{a=1, b=2, c=3} 0", text(before));
  }

  @Test
  void aTokenNeverFalls() {
    Fences fences = raised(none, "a", 5);
    assertThrows(AssertionError.class, () -> fences.raised(utf8("a"), 4));
    assertThrows(AssertionError.class, () -> Fences.none(3, 5).raised(utf8("a"), 4));
  }

  @Test
  void theSmallestTokenIsForgottenFirstAndCountsForAllThatAreUnknown() {
    Fences fences = raised(none, "a", 30, "b", 10, "c", 20, "d", 40);
    assertEquals("{a=30, c=20, d=40} 10", text(fences));
    assertEquals(10, fences.seen(utf8("b")));
    assertEquals(10, fences.seen(utf8("never there")));
    assertEquals("{a=50, d=40, e=60} 20", text(raised(fences, "a", 50, "e", 60)));
  }

  @Test
  void aNewResourceMayBeTheOneThatIsForgotten() {
    Fences fences = raised(none, "a", 30, "b", 10, "c", 20, "d", 5);
    assertEquals("{a=30, b=10, c=20} 5", text(fences));
    assertThrows(AssertionError.class, () -> fences.raised(utf8("e"), 4));
  }

  @Test
  void ofEqualTokensTheOrderOfTheResourcesDecidesAndNotThatOfTheirComing() {
    assertEquals("{b=1, c=1, d=1} 1", text(raised(none, "a", 1, "b", 1, "c", 1, "d", 1)));
    assertEquals("{b=1, c=1, d=1} 1", text(raised(none, "d", 1, "c", 1, "b", 1, "a", 1)));
  }

  @Test
  void neverTellsLessThanAResourceHasSeenAndGoesOnAlikeFromWhatItTells() {
    Random random = new Random(20_260_202);
    Map<String, Long> model = new TreeMap<>();
    Fences fences = Fences.none(20, 0);
    for (int i = 0; i < 20_000; i++) {
      String resource = "r" + random.nextInt(40);
      long seen = fences.seen(utf8(resource));
      assertTrue(seen >= model.getOrDefault(resource, 0L), resource);
      long token = seen + random.nextInt(3);
      Fences again = copy(fences).raised(utf8(resource), token);
      fences = fences.raised(utf8(resource), token);
      assertEquals(text(fences), text(again));
      model.put(resource, token);
      assertTrue(fences.tokens().size() <= 20);
      fences.tokens().forEach((name, last) -> assertEquals(model.get(text(name)), last));
    }
    assertTrue(fences.forgotten() > 0);
  }

  private static Fences copy(Fences fences) {
    Fences copy = Fences.none(20, fences.forgotten());
    for (Map.Entry<byte[], Long> entry : fences.tokens().entrySet()) {
      copy = copy.raised(entry.getKey(), entry.getValue());
    }
    return copy;
  }

  private static Fences raised(Fences fences, Object... namesAndTokens) {
    Fences next = fences;
    for (int i = 0; i < namesAndTokens.length; i += 2) {
      next = next.raised(utf8((String) namesAndTokens[i]), (int) namesAndTokens[i + 1]);
    }
    return next;
  }

  private static String text(Fences fences) {
    Map<String, Long> tokens = new LinkedHashMap<>();
    fences.tokens().forEach((resource, token) -> tokens.put(text(resource), token));
    return tokens + " " + fences.forgotten();
  }

  private static String text(byte[] name) {
    return new String(name, UTF_8);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
