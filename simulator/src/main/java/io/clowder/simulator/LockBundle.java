// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The bundle of the locks in one incarnation of a node, and those who use it: some bundle all the
 * time, another now and then, somebody at a shell. In some clusters it is stopped and started
 * again.
 */
final class LockBundle {
  /** Of the one bundle. */
  private static final int USERS = 2;

  private static final long MILLIS = 1_000_000;

  private final SimulatedNode node;
  private final Contest contest;
  private final List<NodeId> nodes;
  private final boolean stops;
  private final RandomGenerator random;

  /**
   * A bundle that is started, and that nobody uses yet.
   *
   * @param nodes all that there are
   * @param stops whether it stops now and then
   */
  LockBundle(SimulatedNode node, Contest contest, List<NodeId> nodes, boolean stops) {
    this.node = node;
    this.contest = contest;
    this.nodes = List.copyOf(nodes);
    this.stops = stops;
    this.random = node.process().world().random("locks " + contest.nextNumber());
  }

  /** Has it used. */
  void begin() {
    var locks = node.locksOf("user");
    List<LockUser> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      var user = new LockUser(locks, node.gate(), node.process(), contest);
      user.begin();
      users.add(user);
    }
    var guest = new LockGuest(node, contest);
    guest.begin();
    var meddler = new LockMeddler(node.locks(), node.gate(), node.process(), contest, nodes);
    meddler.begin();
    if (stops) {
      after(
          8_000,
          () -> {
            if (!contest.isHealed()) {
              stop();
              users.forEach(LockUser::closed);
              guest.end();
              meddler.end();
            }
          });
    }
  }

  private void stop() {
    node.process().world().sighted("locks stopped");
    node.stopLocks();
    after(
        1_000,
        () ->
            node.removeTable()
                .whenComplete(
                    (nothing, failure) -> {
                      if (failure != null) {
                        contest.judge.fail(failure);
                      }
                      after(2_000, this::start);
                    }));
  }

  private void start() {
    node.startLocks();
    begin();
  }

  private void after(long millisMax, Runnable action) {
    node.process().after(random.nextLong(1, millisMax) * MILLIS, "locks", action);
  }
}
