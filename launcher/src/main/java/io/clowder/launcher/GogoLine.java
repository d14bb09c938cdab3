// SPDX-License-Identifier: Apache-2.0
package io.clowder.launcher;

import java.util.List;
import java.util.regex.Pattern;

/** Makes a line for the Gogo shell out of words that another shell has already split. */
final class GogoLine {
  /** What Gogo takes as it stands; not numbers and names such as true, which it would interpret. */
  private static final Pattern PLAIN = Pattern.compile("-{0,2}[A-Za-z][A-Za-z0-9_.:/-]*");

  private static final List<String> LITERALS = List.of("true", "false", "null");

  private GogoLine() {}

  /**
   * One word is a line as it stands, so that pipes and variables can be used; of several, each but
   * the first, which is the command, means itself and nothing else.
   */
  static String of(List<String> words) {
    StringBuilder line = new StringBuilder(words.get(0));
    for (String word : words.subList(1, words.size())) {
      line.append(' ').append(quote(word));
    }
    return line.toString();
  }

  private static String quote(String word) {
    if (PLAIN.matcher(word).matches() && !LITERALS.contains(word)) {
      return word;
    }
    // Between double quotes Gogo still looks for $, % and a matching '.
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
