// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.CharacterCodingException;
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
}
