// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The version of a value: of two of one key, the larger one is the newer. Opaque but for that.
 *
 * @param major the epoch of the owner in mode {@code consistent}; a hybrid of time and count in
 *     mode {@code peer} (Kulkarni and others, "Logical Physical Clocks", 2014); 0 or more
 * @param minor decides between equal ones
 */
public record DhtVersion(long major, long minor) implements Comparable<DhtVersion> {
  /** Of what is not there, nor was as far as anybody remembers; smaller than any other. */
  public static final DhtVersion NONE = new DhtVersion(0, 0);

  private static final Pattern TEXT = Pattern.compile("(\\d{1,19})\\.([0-9a-f]{1,16})");

  /** Refuses a negative major. */
  public DhtVersion {
    if (major < 0) {
      throw new IllegalArgumentException("version " + major + " is negative");
    }
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @throws IllegalArgumentException if it is something else; the message is for people
   */
  public static DhtVersion parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is no version: copy one that was shown, such as 12.7");
    }
    try {
      return new DhtVersion(
          Long.parseLong(matcher.group(1)), Long.parseUnsignedLong(matcher.group(2), 16));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is no version: it is too large", e);
    }
  }

  @Override
  public int compareTo(DhtVersion other) {
    int order = Long.compare(major, other.major);
    return order != 0 ? order : Long.compareUnsigned(minor, other.minor);
  }

  @Override
  public String toString() {
    return major + "." + Long.toHexString(minor);
  }
}
