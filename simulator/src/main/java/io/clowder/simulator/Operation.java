// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.Locale;

/**
 * What a client asked of one key of a map, and what it was told. Values stand for themselves by a
 * number that no other write has; 0 is no value.
 *
 * @param client who asked
 * @param begin when it asked, in the order of all beginnings and ends of the {@link History}
 * @param end when it was told; {@link #NEVER} if it was not, or not whether it happened
 * @param value what was written, or what was read; of a delete, 1 if there was something
 * @param expected the version that a compare-and-set asked for
 * @param version the version that was read or made; 0 if there is none or it was not told
 */
public record Operation(
    int client,
    String key,
    Kind kind,
    Outcome outcome,
    long begin,
    long end,
    long value,
    long expected,
    long version) {
  /** The end of what has not ended. */
  public static final long NEVER = Long.MAX_VALUE;

  /** What was asked. */
  public enum Kind {
    /** The value and version. */
    GET,
    /** Set the value. */
    PUT,
    /** Remove the value. */
    DELETE,
    /** Set the value if the version is the one expected. */
    CAS
  }

  /** How it went. */
  public enum Outcome {
    /** It happened between begin and end. */
    DONE,
    /** A compare-and-set found another version. */
    CONFLICT,
    /** It happened at some time after its beginning, or never will. */
    UNKNOWN
  }

  boolean isWrite() {
    return (kind == Kind.PUT || kind == Kind.CAS) && outcome != Outcome.CONFLICT;
  }

  Operation unknown() {
    return unknown(outcome == Outcome.UNKNOWN ? version : 0);
  }

  /** With no outcome told, but a version that is known otherwise; or 0. */
  Operation unknown(long known) {
    return new Operation(client, key, kind, Outcome.UNKNOWN, begin, NEVER, value, expected, known);
  }

  @Override
  public String toString() {
    String span = String.format(Locale.ROOT, "%6d … %-6s", begin, end == NEVER ? "?" : end);
    String asked =
        switch (kind) {
          case GET -> "get " + key;
          case PUT -> "put " + key + " = " + value;
          case DELETE -> "delete " + key;
          case CAS -> "cas " + key + " @" + expected + " = " + value;
        };
    String told =
        switch (outcome) {
          case UNKNOWN -> "unknown";
          case CONFLICT -> "conflict";
          case DONE ->
              switch (kind) {
                case GET -> value == 0 ? "absent" : value + " @" + version;
                case DELETE -> value == 0 ? "was absent" : "removed";
                case PUT, CAS -> "@" + version;
              };
        };
    return String.format(Locale.ROOT, "%s client %d  %s → %s", span, client, asked, told);
  }
}
