// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import io.clowder.api.election.Candidate;
import io.clowder.api.election.Leadership;
import io.clowder.api.lock.Claim;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * In which election a candidate stands, and how.
 *
 * @param election its name
 * @param group the consensus group that decides
 * @param priority 0 to 9; more goes ahead
 * @param note whose candidate it is, for people
 */
record Standing(String election, String group, int priority, String note) {
  /** Before the names of the locks of all elections. */
  static final String PREFIX = "election/";

  private static final String MAIN = "main";

  /**
   * What the properties of a candidate or of a configuration say, as typed values or as text.
   *
   * @param fallback the election's name if the properties have none; null if they must
   * @throws IllegalArgumentException with the property, its value, and what is allowed
   */
  static Standing of(Map<String, ?> properties, @Nullable String fallback, String note) {
    Object election = properties.get(Candidate.ELECTION);
    if (election == null || "".equals(election)) {
      election = fallback;
    }
    Object group = properties.get(Candidate.GROUP);
    Object priority = properties.get(Candidate.PRIORITY);
    return new Standing(
        text(
            Candidate.ELECTION,
            election,
            "[A-Za-z0-9._-]{1,64}",
            "1 to 64 of letters, digits, '.', '-' and '_'"),
        text(
            Candidate.GROUP,
            group == null ? MAIN : group,
            "[a-z0-9][a-z0-9-]{0,31}",
            "1 to 32 of a-z, 0-9 and '-'"),
        priority == null ? 0 : priority(priority),
        note);
  }

  private static String text(String key, @Nullable Object value, String pattern, String allowed) {
    if (value instanceof String text && text.matches(pattern)) {
      return text;
    }
    throw refused(key, value, allowed);
  }

  private static int priority(Object value) {
    String text = value.toString();
    if (text.matches("[0-9]")) {
      return Integer.parseInt(text);
    }
    throw refused(Candidate.PRIORITY, value, "an integer from 0 to 9");
  }

  private static IllegalArgumentException refused(
      String key, @Nullable Object value, String allowed) {
    return new IllegalArgumentException(
        value == null
            ? "%s is missing: use %s".formatted(key, allowed)
            : "%s is '%s': use %s".formatted(key, value, allowed));
  }

  /** Whoever holds it leads. */
  Claim claim() {
    return Claim.exclusive(PREFIX + election).withPriority(priority).withNote(note);
  }

  /** Properties of the services of one term. */
  Map<String, Object> properties(long epoch) {
    return Map.of(Candidate.ELECTION, election, Candidate.GROUP, group, Leadership.EPOCH, epoch);
  }
}
