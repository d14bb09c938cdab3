// SPDX-License-Identifier: Apache-2.0
package io.clowder.lock;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.Limits;
import io.clowder.api.lock.Claim;
import io.clowder.api.lock.Claim.Mode;
import java.time.Duration;

/** What of a claim makes sense, and what the table is told of it. */
final class Claims {
  private static final Duration HOLD_MAX = Duration.ofDays(365);

  private Claims() {}

  /** Refuses what the group would refuse, or what cannot be meant. */
  static Claim checked(Claim claim) {
    LockName.checkName(claim.name());
    LockName.checkNote("note", claim.note());
    if (claim.mode() == Mode.PERMITS) {
      if (claim.of() < 1 || claim.of() > Limits.LOCK_HOLDERS) {
        throw invalid(
            claim, "a semaphore of " + claim.of() + " permits: use 1 to " + Limits.LOCK_HOLDERS);
      } else if (claim.permits() < 1 || claim.permits() > claim.of()) {
        throw invalid(claim, claim.permits() + " permits of " + claim.of());
      }
    } else if (claim.permits() != 0 || claim.of() != 0) {
      throw invalid(claim, "permits and mode " + claim.mode() + " do not go together");
    }
    if (claim.priority() < 0 || claim.priority() > Want.PRIORITY_MAX) {
      throw invalid(claim, "priority " + claim.priority() + ": use 0 to " + Want.PRIORITY_MAX);
    }
    if (claim.lockDelay().isNegative() || claim.lockDelay().compareTo(Want.DELAY_MAX) > 0) {
      throw invalid(claim, "a delay of " + claim.lockDelay() + ": use 0 to " + Want.DELAY_MAX);
    }
    Duration maxHold = claim.maxHold();
    if (maxHold != null
        && (maxHold.isNegative() || maxHold.isZero() || maxHold.compareTo(HOLD_MAX) > 0)) {
      throw invalid(claim, "held for at most " + maxHold + ": use more than 0, up to " + HOLD_MAX);
    }
    if (claim.owner() != null && claim.owner().isEmpty()) {
      throw invalid(claim, "the owner has no name");
    }
    return claim;
  }

  private static RuntimeException invalid(Claim claim, String what) {
    return refused(Reason.INVALID, "lock " + claim.name() + ": " + what);
  }

  /** For the table; of a checked claim. */
  static Want want(Claim claim) {
    return new Want(
        claim.mode(),
        claim.permits(),
        claim.of(),
        claim.priority(),
        (int) claim.lockDelay().toMillis(),
        claim.note());
  }
}
