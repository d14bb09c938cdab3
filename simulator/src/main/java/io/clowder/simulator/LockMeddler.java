// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.NodeId;
import io.clowder.api.lock.FenceGate;
import io.clowder.api.lock.LockInfo;
import io.clowder.api.lock.LockService;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Somebody at a shell of one node who ends what others hold, lets waiters go ahead, and comes with
 * tokens that were over long ago. Lives and dies with one incarnation of the node.
 */
final class LockMeddler {
  private static final Set<Reason> CONFLICT = EnumSet.of(Reason.CONFLICT);

  private final LockService locks;
  private final FenceGate gate;
  private final Contest contest;
  private final List<NodeId> nodes;
  private final LockCalls calls;
  private final RandomGenerator random;
  private boolean over;

  LockMeddler(
      LockService locks,
      FenceGate gate,
      SimulatedProcess process,
      Contest contest,
      List<NodeId> nodes) {
    this.locks = locks;
    this.gate = gate;
    this.contest = contest;
    this.nodes = List.copyOf(nodes);
    this.calls = new LockCalls(process, contest.judge);
    this.random = process.world().random("meddler " + contest.nextNumber());
  }

  /** Meddles after a while, and goes on so. */
  void begin() {
    calls.after(
        random.nextLong(50, 1_500),
        "meddle",
        () -> {
          if (!contest.isOver() && !over) {
            meddle();
            begin();
          }
        });
  }

  /** The bundle of the locks has stopped. */
  void end() {
    over = true;
  }

  private void meddle() {
    switch (random.nextInt(4)) {
      case 0 -> end(LockUses.drawTaken(random));
      case 1 -> promote(LockUses.draw(random, "nobody").name());
      case 2 -> releaseLate();
      default -> showLate();
    }
  }

  private void end(String lock) {
    calls.follow(locks.info(lock), Set.of(), info -> end(lock, info), reason -> {});
  }

  private void end(String lock, @Nullable LockInfo info) {
    if (info == null || info.holders().isEmpty()) {
      return;
    }
    long token = info.holders().get(random.nextInt(info.holders().size())).token();
    contest.meddles(lock, token);
    var stage =
        random.nextBoolean()
            ? locks.release(lock, token)
            : locks.revoke(lock, token, "because it can be done");
    calls.follow(stage, CONFLICT, nothing -> {}, reason -> {});
  }

  private void promote(String lock) {
    var node = nodes.get(random.nextInt(nodes.size()));
    calls.follow(locks.promote(lock, node), CONFLICT, nothing -> {}, reason -> {});
  }

  /** Which must not end what others hold now. */
  private void releaseLate() {
    var old = contest.retired();
    if (!old.isEmpty()) {
      var over = old.get(random.nextInt(old.size()));
      calls.follow(locks.release(over.lock(), over.token()), CONFLICT, nothing -> {}, reason -> {});
    }
  }

  private void showLate() {
    var old = contest.retired();
    if (!old.isEmpty()) {
      var over = old.get(random.nextInt(old.size()));
      long before = contest.history.atGate(over.lock());
      calls.follow(
          gate.check(over.lock(), over.token()),
          CONFLICT,
          nothing -> contest.history.passed(over.lock(), over.token(), before),
          reason -> {});
    }
  }
}
