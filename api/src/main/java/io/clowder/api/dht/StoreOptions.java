// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.dht;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a write is done.
 *
 * @param condition the version that the key must have; {@link DhtVersion#NONE} that there is no
 *     value; null for no condition
 * @param ttl how long the value is there, 1 ms to {@link #TTL_MAX}; null for ever
 * @param copies on how many nodes it must be before it is acknowledged: 1 to the ring's {@code
 *     replicas}, or 0 for the ring's {@code write.quorum}
 */
public record StoreOptions(@Nullable DhtVersion condition, @Nullable Duration ttl, int copies) {
  /** The longest time to live. */
  public static final Duration TTL_MAX = Duration.ofDays(3_650);

  /** No condition, for ever, on the ring's quorum. */
  public static final StoreOptions USUAL = new StoreOptions(null, null, 0);

  /** Refuses what is out of range. */
  public StoreOptions {
    if (ttl != null && (ttl.toMillis() < 1 || ttl.compareTo(TTL_MAX) > 0)) {
      throw new IllegalArgumentException("a time to live of " + ttl + " is not 1 ms to 3650 days");
    }
    if (copies < 0) {
      throw new IllegalArgumentException(copies + " copies");
    }
  }

  /** The same, if the key has this version. */
  public StoreOptions ifVersion(DhtVersion expected) {
    return new StoreOptions(expected, ttl, copies);
  }

  /** The same, for so long. */
  public StoreOptions expiring(Duration time) {
    return new StoreOptions(condition, time, copies);
  }

  /** The same, on so many nodes. */
  public StoreOptions onCopies(int count) {
    return new StoreOptions(condition, ttl, count);
  }
}
