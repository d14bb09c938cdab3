// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class StringPlusTest {
  @Test
  void oneOrSeveralOrNone() {
    assertEquals(List.of(), StringPlus.of(null));
    assertEquals(List.of("a"), StringPlus.of("a"));
    assertEquals(List.of("a", "b"), StringPlus.of(new String[] {"a", "b"}));
    assertEquals(List.of("b", "a"), StringPlus.of(List.of("b", "a")));
    assertEquals(List.of("7"), StringPlus.of(7));
  }
}
