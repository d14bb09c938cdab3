// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.wire;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** UTF-8 that replaces nothing: two different strings never become the same bytes. */
public final class Utf8 {
  private Utf8() {}

  /**
   * The bytes of a string.
   *
   * @throws CharacterCodingException if it holds half of a surrogate pair
   */
  public static byte[] encode(String text) throws CharacterCodingException {
    ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
    byte[] exact = new byte[bytes.remaining()];
    bytes.get(exact);
    return exact;
  }

  /** How many bytes a string has; -1 if it holds half of a surrogate pair. */
  public static int length(String text) {
    int length = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        length++;
      } else if (c < 0x800) {
        length += 2;
      } else if (!Character.isSurrogate(c)) {
        length += 3;
      } else if (i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1))) {
        length += 4;
        i++;
      } else {
        return -1;
      }
    }
    return length;
  }

  /** Whether the bytes are those of a string. */
  public static boolean isValid(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    // The decoder puts U+FFFD in place of what it cannot read; the bytes may also just say U+FFFD.
    return text.indexOf('\uFFFD') < 0
        || Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
  }
}
