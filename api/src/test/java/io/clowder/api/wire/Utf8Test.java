// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.CharacterCodingException;
import java.util.List;
import org.junit.jupiter.api.Test;

class Utf8Test {
  @Test
  void nothingIsReplaced() throws Exception {
    byte[] replacement = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD};
    assertArrayEquals(replacement, Utf8.encode("\uFFFD"));
    assertTrue(Utf8.isValid(replacement));
    assertFalse(Utf8.isValid(new byte[] {(byte) 0xFF}));
    assertThrows(CharacterCodingException.class, () -> Utf8.encode("\uD83D"));
  }

  @Test
  void theLengthIsThatOfTheBytes() throws CharacterCodingException {
    for (String text :
        List.of("", "a", "\u00e9", "\u20ac", "\ud83d\ude00", "a\u00e9\u20ac\ud83d\ude00z")) {
      assertEquals(Utf8.encode(text).length, Utf8.length(text));
    }
    assertEquals(-1, Utf8.length("a\ud83d"));
    assertEquals(-1, Utf8.length("\ude00a"));
  }
}
