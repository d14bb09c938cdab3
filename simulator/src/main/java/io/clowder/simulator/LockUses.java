// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.lock.Claim;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What the locks of a cluster are used for: most names for one thing only, so that much can be
 * told.
 */
final class LockUses {
  /** The longest delay that anybody wants. */
  static final int DELAY_MILLIS_MAX = 1_500;

  private static final int PERMITS = 3;
  private static final String TAKEN = "taken";
  private static final String MIXED = "mixed";

  private LockUses() {}

  /** A claim of somebody. */
  static Claim draw(RandomGenerator random, String owner) {
    int dice = random.nextInt(20);
    if (dice < 9) {
      return more(random, Claim.exclusive("lock" + random.nextInt(3)), owner);
    } else if (dice < 11) {
      return more(random, shared(random, "shared"), owner);
    } else if (dice < 13) {
      return more(random, permits(random, "permits"), owner);
    } else if (dice < 15) {
      return delayed(random, shared(random, "delayed"));
    } else if (dice < 17) {
      return brief(random, Claim.exclusive("brief"));
    } else if (dice < 19) {
      return shared(random, TAKEN);
    }
    return mixed(random, owner);
  }

  /** Whether others than the holder may end acquisitions of this lock. */
  static boolean isTaken(String lock) {
    return lock.equals(TAKEN) || lock.equals(MIXED);
  }

  /** Whether this lock is one thing at one time, and another at another. */
  static boolean isMixed(String lock) {
    return lock.equals(MIXED);
  }

  /** One of those that others may end. */
  static String drawTaken(RandomGenerator random) {
    return random.nextInt(3) == 0 ? MIXED : TAKEN;
  }

  private static Claim mixed(RandomGenerator random, String owner) {
    var claim = random.nextBoolean() ? shared(random, MIXED) : permits(random, MIXED);
    claim = random.nextInt(4) == 0 ? delayed(random, claim) : claim;
    claim = random.nextInt(4) == 0 ? brief(random, claim) : claim;
    return more(random, claim, owner);
  }

  private static Claim shared(RandomGenerator random, String lock) {
    return random.nextInt(3) == 0 ? Claim.exclusive(lock) : Claim.shared(lock);
  }

  private static Claim permits(RandomGenerator random, String lock) {
    return Claim.permits(lock, random.nextInt(1, PERMITS + 1), PERMITS);
  }

  private static Claim delayed(RandomGenerator random, Claim claim) {
    return claim.withLockDelay(Duration.ofMillis(random.nextInt(0, DELAY_MILLIS_MAX + 1)));
  }

  private static Claim brief(RandomGenerator random, Claim claim) {
    return claim.withMaxHold(Duration.ofMillis(random.nextInt(1, 600)));
  }

  private static Claim more(RandomGenerator random, Claim claim, String owner) {
    var more = random.nextInt(3) == 0 ? claim.withPriority(random.nextInt(10)) : claim;
    return random.nextInt(4) == 0 ? more.withOwner(owner) : more;
  }
}
