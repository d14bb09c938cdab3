// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.Reconciliation.Job;
import io.clowder.dht.Reconciliation.Mode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a node leaves: it gives all that it has to those after it, once while it goes on, and once
 * more what came meanwhile, when it has stopped.
 */
final class Leaving {
  private static final long SECOND = 1_000_000_000L;

  /** After how long what failed is tried again. */
  private static final long RETRY_NANOS = SECOND;

  /** How long everything stops for what came last; twice that at most, by chance. */
  private static final long CLOSED_NANOS = 8 * SECOND;

  private final Shelf shelf;
  private final RingNode ring;
  private final RingPlacement placement;
  private final Coordination coordination;
  private final Reconciliation reconciliation;
  private final Runnable changed;
  private final Runnable soon;
  private @Nullable Leave leave;

  /** One attempt. */
  private static final class Leave {
    final long deadline;
    final Consumer<@Nullable String> then;
    final Set<Seat> pushed = new HashSet<>();
    final Map<Seat, Long> pushing = new HashMap<>();
    long closedUntil;
    int round;

    Leave(long deadline, Consumer<@Nullable String> then) {
      this.deadline = deadline;
      this.then = then;
    }
  }

  /**
   * For a node that does not want to leave yet.
   *
   * @param changed runs when what this node may do with its keys is another than before
   * @param soon has {@link #tick} called soon
   */
  Leaving(
      Shelf shelf,
      RingNode ring,
      RingPlacement placement,
      Coordination coordination,
      Reconciliation reconciliation,
      Runnable changed,
      Runnable soon) {
    this.shelf = shelf;
    this.ring = ring;
    this.placement = placement;
    this.coordination = coordination;
    this.reconciliation = reconciliation;
    this.changed = changed;
    this.soon = soon;
  }

  boolean isUnderWay() {
    return leave != null;
  }

  /** Those after this node are others than before. */
  void ringChanged(Set<Seat> successors) {
    if (leave != null) {
      leave.pushing.keySet().retainAll(successors);
    }
  }

  void tick() {
    if (leave != null) {
      go(leave);
    }
  }

  /**
   * Gives all to those after this node, and leaves the ring.
   *
   * @param then is told once: null when that is done; or why not, and then this node goes on
   */
  void begin(long deadline, Consumer<@Nullable String> then) {
    if (leave != null) {
      then.accept("this node is leaving already");
    } else if (!ring.isMember()) {
      ring.leave(shelf.now);
      then.accept(null);
    } else {
      leave = new Leave(deadline, then);
      soon.run();
    }
  }

  private void go(Leave leaving) {
    List<Seat> heirs = RingPlacement.of(placement.successors(), shelf.settings.replicas());
    boolean isDone = !heirs.isEmpty() && leaving.pushed.containsAll(heirs);
    if (shelf.now >= leaving.deadline) {
      leave = null;
      placement.reopen();
      changed.run();
      heirs.removeAll(leaving.pushed);
      leaving.then.accept(
          isDone
              ? "what is under way here has not ended in time"
              : heirs.isEmpty()
                  ? "there is nobody to hand over to"
                  : "these did not take over in time: " + heirs);
    } else if (!isDone && placement.isClosed() && leaving.closedUntil <= shelf.now) {
      // Nobody is to wait for long; and an heir that is about to leave itself takes nothing.
      placement.reopen();
      beginAnew(leaving);
    } else if (!isDone) {
      heirs.forEach(it -> handOver(leaving, it));
    } else if (!placement.isClosed()) {
      placement.close();
      leaving.closedUntil = shelf.now + CLOSED_NANOS + shelf.random.nextLong(CLOSED_NANOS);
      beginAnew(leaving);
    } else if (coordination.keys().isEmpty()) {
      leave = null;
      ring.leave(shelf.now);
      leaving.then.accept(null);
    }
  }

  private void beginAnew(Leave leaving) {
    leaving.round++;
    leaving.pushed.clear();
    leaving.pushing.clear();
    changed.run();
    soon.run();
  }

  private void handOver(Leave leaving, Seat heir) {
    int round = leaving.round;
    if ((placement.isClosed() && !coordination.keys().isEmpty())
        || leaving.pushed.contains(heir)
        || leaving.pushing.getOrDefault(heir, Long.MIN_VALUE) > shelf.now) {
      return;
    }
    leaving.pushing.put(heir, Ring.NEVER);
    reconciliation.begin(
        new Job(Interval.ALL, heir, Mode.PUSH, RingPlacement.ANYBODY, false),
        (isDone, moved, isWhole) -> {
          if (leave != leaving || round != leaving.round) {
            return;
          } else if (isDone) {
            leaving.pushed.add(heir);
            leaving.pushing.remove(heir);
          } else {
            leaving.pushing.put(heir, shelf.now + RETRY_NANOS);
          }
          soon.run();
        });
  }
}
