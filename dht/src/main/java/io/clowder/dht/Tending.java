// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.Reconciliation.Job;
import io.clowder.dht.Reconciliation.Mode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings about that who keeps what by the ring has it, by comparing with those next to this node,
 * and nothing else: so whatever goes wrong is mended by doing it again.
 *
 * <ul>
 *   <li>What is new of the own range is got from all successors, until it is settled.
 *   <li>The own range is compared with each replica: when the replicas are others than before, when
 *       this node was given something, and every now and then.
 *   <li>What is here and is not for this node to keep goes to its owner ({@link Strays}).
 *   <li>Who leaves gives all that it has to those after it ({@link Leaving}).
 * </ul>
 */
final class Tending {
  private static final long SECOND = 1_000_000_000L;

  /** After how long what failed is tried again. */
  private static final long RETRY_NANOS = SECOND;

  /** Least time between two comparisons with a replica. */
  private static final long PAUSE_NANOS = SECOND / 2;

  private static final long LOOK_NANOS = SECOND / 5;

  private final Shelf shelf;
  private final RingNode ring;
  private final RingPlacement placement;
  private final Reconciliation reconciliation;
  private final Runnable changed;
  private final Strays strays;
  private final Leaving leaving;
  private final Map<Seat, Peer> peers = new HashMap<>();
  private final Set<Seat> collecting = new HashSet<>();
  private long lookAt;
  private Identifier before;

  /** One of those after this node. */
  private static final class Peer {
    boolean isBusy;

    /** Whether it has shown what it has of the own range since it is one of those. */
    boolean hasShown;

    long notBefore;

    /** When it is to be compared again, if it is a replica. */
    long compareAt;
  }

  /**
   * For a node that is not on the ring yet.
   *
   * @param changed runs when what this node may do with its keys is another than before
   */
  Tending(
      Shelf shelf,
      RingNode ring,
      RingPlacement placement,
      Coordination coordination,
      Reconciliation reconciliation,
      Runnable changed) {
    this.shelf = shelf;
    this.ring = ring;
    this.placement = placement;
    this.reconciliation = reconciliation;
    this.changed = changed;
    this.before = ring.me().id();
    this.lookAt = shelf.now + LOOK_NANOS;
    this.leaving =
        new Leaving(
            shelf,
            ring,
            placement,
            coordination,
            reconciliation,
            changed,
            () -> lookAt = shelf.now);
    this.strays = new Strays(shelf, ring, placement, reconciliation, () -> !leaving.isUnderWay());
  }

  /** The ring is another than before; the placement knows. */
  void ringChanged() {
    Set<Seat> successors = new HashSet<>(placement.takeover().sources());
    peers.keySet().retainAll(successors);
    successors.forEach(it -> peers.computeIfAbsent(it, seat -> new Peer()));
    reconciliation.cancelIf(job -> job.stamp() != RingPlacement.ANYBODY && isOld(job));
    leaving.ringChanged(successors);
    Identifier now = ring.predecessor().id();
    if (Identifier.between(before, now, ring.me().id())) {
      // What was owned before the new predecessor is that one's now.
      strays.soon();
    }
    before = now;
    lookAt = shelf.now;
  }

  private boolean isOld(Job job) {
    Peer peer = peers.get(job.with());
    boolean isOld = peer == null || !placement.range().covers(job.interval());
    if (isOld && peer != null) {
      peer.isBusy = false;
    }
    return isOld;
  }

  /** This node was given values, or has fetched some. */
  void given() {
    placement.given();
    lookAt = shelf.now;
  }

  /**
   * Compares what this node owns with the copies, and mends what differs.
   *
   * @param then is told how many values were moved
   */
  void repair(LongConsumer then) {
    long[] moved = {0, 1};
    Reconciliation.Outcome outcome =
        (isDone, count, isWhole) -> {
          moved[0] += count;
          if (--moved[1] == 0) {
            then.accept(moved[0]);
          }
        };
    for (Seat replica : placement.replicas()) {
      moved[1]++;
      reconciliation.begin(new Job(placement.range(), replica, Mode.MERGE, 0, true), outcome);
    }
    outcome.ended(true, 0, true);
  }

  /** How many comparisons are under way. */
  int moving() {
    return reconciliation.count();
  }

  /** As {@link Leaving#begin}. */
  void leave(long deadline, Consumer<@Nullable String> then) {
    leaving.begin(deadline, then);
  }

  boolean isLeaving() {
    return leaving.isUnderWay();
  }

  // ---- time ----------------------------------------------------------------------------------

  long dueAt() {
    return lookAt;
  }

  void tick() {
    if (lookAt > shelf.now) {
      return;
    }
    lookAt = shelf.now + LOOK_NANOS;
    if (!ring.isMember()) {
      return;
    }
    collect();
    strays.known(placement.takeover().isKnown());
    if (!placement.takeover().isKnown()) {
      introduce();
      return;
    }
    if (!placement.isClosed()) {
      compare();
    }
    if (leaving.isUnderWay()) {
      leaving.tick();
    } else {
      strays.tick();
    }
  }

  // ---- with those after this node ------------------------------------------------------------

  /** Asks the next one on the ring whether it knows that this node is there. */
  private void introduce() {
    Seat next = placement.successors().get(0);
    begin(
        new Job(Interval.of(ring.me().id()), next, Mode.PULL, RingPlacement.NEXT, false),
        peer -> {
          placement.takeover().known();
          changed.run();
        });
  }

  /** Gets what somebody who has joined does not know of; it will be compared with this node. */
  private void collect() {
    Interval ceded = placement.takeover().ceded();
    if (ceded == null) {
      return;
    }
    for (Seat creditor : placement.takeover().creditors()) {
      if (collecting.add(creditor)) {
        reconciliation.begin(
            new Job(ceded, creditor, Mode.PULL, RingPlacement.ANYBODY, false),
            (isDone, moved, isWhole) -> {
              collecting.remove(creditor);
              if (!isDone || ceded.equals(placement.takeover().ceded())) {
                placement.takeover().settled(creditor);
              }
            });
      }
    }
  }

  private void compare() {
    Set<Seat> replicas = new HashSet<>(placement.replicas());
    for (Seat seat : placement.takeover().sources()) {
      Peer peer = peers.computeIfAbsent(seat, it -> new Peer());
      if (peer.isBusy || peer.notBefore > shelf.now) {
        continue;
      }
      boolean isDue = !placement.isCompared(seat) || peer.compareAt <= shelf.now;
      if (replicas.contains(seat) && isDue) {
        compare(seat);
      } else if (!placement.takeover().isMerged(seat)) {
        pull(seat, placement.takeover().unsettled());
      } else if (!peer.hasShown) {
        pull(seat, placement.range());
      }
    }
  }

  private void compare(Seat replica) {
    long mark = placement.mark();
    long generation = placement.takeover().generation();
    begin(
        new Job(placement.range(), replica, Mode.MERGE, RingPlacement.OWNER, true),
        peer -> {
          long most = shelf.settings.antiEntropyNanos();
          peer.compareAt = shelf.now + most * 3 / 4 + shelf.random.nextLong(most / 2 + 1);
          peer.hasShown = true;
          placement.compared(replica, mark);
          merged(replica, generation);
        });
  }

  /** What somebody was given who was not to keep it, or who is, but not for that long. */
  private void pull(Seat seat, Interval interval) {
    long generation = placement.takeover().generation();
    begin(
        new Job(interval, seat, Mode.PULL, RingPlacement.OWNER, false),
        peer -> {
          peer.hasShown = true;
          merged(seat, generation);
        });
  }

  private void merged(Seat seat, long generation) {
    boolean wasSettled = placement.takeover().isSettled();
    placement.takeover().merged(seat, generation);
    if (wasSettled != placement.takeover().isSettled()) {
      changed.run();
    }
  }

  private void begin(Job job, Consumer<Peer> then) {
    Seat seat = job.with();
    Peer peer = peers.computeIfAbsent(seat, it -> new Peer());
    if (peer.isBusy || peer.notBefore > shelf.now) {
      return;
    }
    peer.isBusy = true;
    reconciliation.begin(
        job,
        (isDone, moved, isWhole) -> {
          peer.isBusy = false;
          peer.notBefore = shelf.now + (isDone ? 0 : RETRY_NANOS);
          if (job.isReplica() && isDone) {
            peer.notBefore = shelf.now + PAUSE_NANOS;
          }
          if (isDone && peers.get(seat) == peer) {
            then.accept(peer);
          } else if (!isDone) {
            placement.takeover().silent(seat);
          }
          lookAt = shelf.now;
        });
  }
}
