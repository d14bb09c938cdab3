// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class GogoLineTest {
  @Test
  void aSingleWordIsALineOfTheShell() {
    assertEquals("lb | grep x", GogoLine.of(List.of("lb | grep x")));
  }

  @Test
  void plainWordsStayAsTheyAre() {
    assertEquals("kv:get --local a/b", GogoLine.of(List.of("kv:get", "--local", "a/b")));
  }

  @Test
  void whatTheShellWouldInterpretIsQuoted() {
    assertEquals(
        "kv:put a \"hello world\" \"$x\" \"\" \"null\" \"1.0\"".replace("$x", "\\$x"),
        GogoLine.of(List.of("kv:put", "a", "hello world", "$x", "", "null", "1.0")));
    assertEquals(
        "kv:put a \"\\\"q\\\" c\\\\d | ; (it's)\"",
        GogoLine.of(List.of("kv:put", "a", "\"q\" c\\d | ; (it's)")));
  }
}
