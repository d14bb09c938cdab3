// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Locale;
import java.util.stream.Stream;

/**
 * Writes SVG as text, an element a line: well-formed whatever the values are, and always the same.
 * A tag is written as in {@code circle r='%s' fill='none'}; its values are escaped, and a {@link
 * Double} has one decimal at most.
 */
final class Svg {
  private final StringBuilder out = new StringBuilder();

  /** Opens an element. */
  Svg open(String tag, Object... values) {
    out.append('<').append(filled(tag, values)).append(">\n");
    return this;
  }

  /** Closes it. */
  Svg close(String name) {
    out.append("</").append(name).append(">\n");
    return this;
  }

  /** An element without content. */
  Svg empty(String tag, Object... values) {
    out.append('<').append(filled(tag, values)).append("/>\n");
    return this;
  }

  /** An element that holds text. */
  Svg text(String text, String tag, Object... values) {
    out.append('<').append(filled(tag, values)).append('>').append(escaped(text));
    return close(tag.split(" ", 2)[0]);
  }

  private static String filled(String tag, Object... values) {
    return String.format(
        Locale.ROOT,
        tag.replace('\'', '"'),
        Stream.of(values)
            .map(it -> it instanceof Double number ? decimal(number) : escaped(it.toString()))
            .toArray());
  }

  /** With one decimal, or none if it is 0; never a negative zero. */
  static String decimal(double value) {
    long tenths = Math.round(10 * value);
    return tenths % 10 == 0
        ? Long.toString(tenths / 10)
        : String.format(Locale.ROOT, "%.1f", tenths / 10.0);
  }

  /** What XML gives a meaning to is escaped, what it does not allow is replaced. */
  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default -> escaped.appendCodePoint(isCharacter(c) ? c : 0xFFFD);
              }
            });
    return escaped.toString();
  }

  /** The production Char of XML 1.0, without controls. */
  private static boolean isCharacter(int c) {
    boolean isHalf = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    return !Character.isISOControl(c) && !isHalf && (c & 0xFFFE) != 0xFFFE;
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
