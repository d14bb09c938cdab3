// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.failure;

import java.util.List;

/**
 * What a node knows about itself.
 *
 * @param incarnation this life's number
 * @param algorithm what judges the others; the word on it follows in brackets if it is not what is
 *     configured
 * @param stalls how often this node did not run for longer than {@code stall.millis}
 * @param stalledMillis how long it did not run, in all
 * @param longestStallMillis the longest of these times
 * @param lastStallMillis when the last one ended, milliseconds since 1970; 0 if there was none
 * @param isDegraded whether it stalled for a second or more lately, which the others are told
 * @param unwell the parts that are not alive by their {@link Liveness}
 */
public record SelfReport(
    long incarnation,
    String algorithm,
    long stalls,
    long stalledMillis,
    long longestStallMillis,
    long lastStallMillis,
    boolean isDegraded,
    List<String> unwell) {
  /** Keeps its own copy. */
  public SelfReport {
    unwell = List.copyOf(unwell);
  }
}
