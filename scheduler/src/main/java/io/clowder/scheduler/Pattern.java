// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.TaskHandler;
import io.clowder.api.task.TaskRequest;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Types by pattern, see {@link TaskHandler#TYPE}: as Sling's job topics are. */
final class Pattern {
  private Pattern() {}

  /** Refuses what is no pattern with an {@link IllegalArgumentException}. */
  static String checked(String pattern) {
    if (!pattern.equals("*") && !pattern.equals("**")) {
      String fixed =
          pattern.endsWith("/**")
              ? pattern.substring(0, pattern.length() - 3)
              : pattern.endsWith("/*") ? pattern.substring(0, pattern.length() - 2) : pattern;
      TaskRequest.checkType(fixed);
    }
    return pattern;
  }

  static boolean matches(String pattern, String type) {
    if (pattern.endsWith("**")) {
      return type.startsWith(pattern.substring(0, pattern.length() - 2))
          && type.length() > pattern.length() - 2;
    } else if (pattern.endsWith("*")) {
      int fixed = pattern.length() - 1;
      return type.length() > fixed
          && type.startsWith(pattern.substring(0, fixed))
          && type.indexOf('/', fixed) < 0;
    }
    return pattern.equals(type);
  }

  /**
   * The pattern that says most of a type: itself, else the longest, else the one with one star;
   * null if none matches.
   */
  static @Nullable String best(Collection<String> patterns, String type) {
    if (patterns.contains(type)) {
      return type;
    }
    String best = null;
    for (String pattern : patterns) {
      if (matches(pattern, type) && (best == null || isCloser(pattern, best))) {
        best = pattern;
      }
    }
    return best;
  }

  private static boolean isCloser(String pattern, String than) {
    int fixed = pattern.replace("*", "").length();
    int other = than.replace("*", "").length();
    return fixed > other || (fixed == other && pattern.length() < than.length());
  }
}
