// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.lock.Fence;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/** Tokens of a lock that changes hands often, while former holders go on writing. */
final class Tokens {
  private final TreeMap<Long, Long> written = new TreeMap<>();
  private long last;
  long used;

  /** Of the present holder, of the next, or of an earlier one. */
  Fence next(SplittableRandom random) {
    int choice = random.nextInt(10);
    if (last == 0 || choice < 3) {
      last++;
    }
    return new Fence("lock", choice < 8 ? last : 1 + random.nextLong(last));
  }

  /** A write under a token was done: none before it was under a larger one. */
  void written(long version, long token) {
    written.put(version, token);
    used++;
    Map.Entry<Long, Long> before = written.lowerEntry(version);
    Map.Entry<Long, Long> after = written.higherEntry(version);
    boolean isOrdered =
        (before == null || before.getValue() <= token)
            && (after == null || token <= after.getValue());
    if (!isOrdered) {
      throw new AssertionError(before + " < " + version + " under " + token + " < " + after);
    }
  }
}
