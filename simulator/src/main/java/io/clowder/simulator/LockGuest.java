// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A bundle that is stopped while it holds locks and waits for them, and started again. */
final class LockGuest {
  private static final long MILLIS = 1_000_000;

  private final SimulatedNode node;
  private final Contest contest;
  private final RandomGenerator random;
  private @Nullable LockUser user;
  private boolean over;

  LockGuest(SimulatedNode node, Contest contest) {
    this.node = node;
    this.contest = contest;
    this.random = node.process().world().random("guest " + contest.nextNumber());
  }

  /** Starts the bundle, stops it after a while, and goes on so. */
  void begin() {
    if (contest.isOver() || over) {
      return;
    }
    String bundle = "guest " + contest.nextNumber();
    var locks = node.locksOf(bundle);
    var guest = new LockUser(locks, node.gate(), node.process(), contest);
    guest.begin();
    user = guest;
    node.process()
        .after(
            random.nextLong(50, 4_000) * MILLIS,
            "stop bundle",
            () -> {
              if (over) {
                return;
              }
              node.stop(bundle, locks);
              guest.closed();
              user = null;
              node.process().after(random.nextLong(1, 500) * MILLIS, "start bundle", this::begin);
            });
  }

  /** The bundle of the locks has stopped. */
  void end() {
    over = true;
    if (user != null) {
      user.closed();
    }
  }
}
