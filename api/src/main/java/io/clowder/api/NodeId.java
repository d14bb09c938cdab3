// SPDX-License-Identifier: Apache-2.0
package io.clowder.api;

import java.util.regex.Pattern;

/**
 * The name of a node, unique in its cluster, such as {@code n1}.
 *
 * @param value 1 to 64 characters out of {@code A-Z a-z 0-9 . _ -}, the first a letter or digit
 */
public record NodeId(String value) implements Comparable<NodeId> {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  /** Refuses what is not a node name with {@link IllegalArgumentException}. */
  public NodeId {
    if (!NAME.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "node id '" + value + "': use 1 to 64 letters, digits, '.', '_' or '-'");
    }
  }

  @Override
  public int compareTo(NodeId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
