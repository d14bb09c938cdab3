// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests.probe;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Two writers and a user of a lock, each in a closed loop, that remember what they were told. */
public interface Load {
  /** Waits until so many more writes were acknowledged, and a lock was granted, since the call. */
  void awaitProgress(int writes, long millis) throws InterruptedException;

  /** Ends it, and says what it saw. */
  Outcome stop() throws InterruptedException;

  /**
   * What a load saw.
   *
   * @param values by key, what it may be: what was acknowledged last, and what was tried since
   *     without an answer
   * @param tokens of the lock, in the order they were given to this load
   * @param failures requests that failed, a sentence each
   * @param gapMillis the longest time between two acknowledgements of writes
   */
  record Outcome(
      Map<String, Set<String>> values, List<Long> tokens, List<String> failures, long gapMillis) {}
}
