// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.KeeperMessage.Item;
import io.clowder.dht.Reconciliation.Job;
import io.clowder.dht.Reconciliation.Mode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
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
 *   <li>What is here and is not for this node to keep is given to its owner, and forgotten when
 *       that one has said that it and all its replicas have it.
 *   <li>Who leaves gives all that it has to those after it: once while it goes on, and once more
 *       what came meanwhile, when it has stopped.
 * </ul>
 */
final class Tending {
  private static final long SECOND = 1_000_000_000L;

  /** After how long what failed is tried again. */
  private static final long RETRY_NANOS = SECOND;

  /** Least time between two comparisons with a replica. */
  private static final long PAUSE_NANOS = SECOND / 2;

  private static final long LOOK_NANOS = SECOND / 5;

  /** How long a leaver stops everything for what came last; twice that at most, by chance. */
  private static final long CLOSED_NANOS = 8 * SECOND;

  private final Shelf shelf;
  private final RingNode ring;
  private final RingPlacement placement;
  private final Coordination coordination;
  private final Reconciliation reconciliation;
  private final Runnable changed;
  private final Map<Seat, Peer> peers = new HashMap<>();
  private final Set<Seat> collecting = new HashSet<>();
  private long lookAt;

  /** Since when this node is known on the ring. */
  private long knownAt = Ring.NEVER;

  private Identifier before;
  private long strayAt = Ring.NEVER;

  /** How far this node has come with what is not for it to keep. */
  private Identifier cursor = Identifier.ZERO;

  private boolean isStraying;

  /** Whether something is left that nobody has confirmed yet. */
  private boolean isLeftOver;

  private @Nullable Leave leave;

  /** One of those after this node. */
  private static final class Peer {
    boolean isBusy;

    /** Whether it has shown what it has of the own range since it is one of those. */
    boolean hasShown;

    long notBefore;

    /** When it is to be compared again, if it is a replica. */
    long compareAt;
  }

  /** How this node leaves. */
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
    this.coordination = coordination;
    this.reconciliation = reconciliation;
    this.changed = changed;
    this.before = ring.me().id();
    this.lookAt = shelf.now + LOOK_NANOS;
  }

  /** The ring is another than before; the placement knows. */
  void ringChanged() {
    Set<Seat> successors = new HashSet<>(placement.takeover().sources());
    peers.keySet().retainAll(successors);
    successors.forEach(it -> peers.computeIfAbsent(it, seat -> new Peer()));
    reconciliation.cancelIf(job -> job.stamp() != RingPlacement.ANYBODY && isOld(job));
    Leave leaving = leave;
    if (leaving != null) {
      leaving.pushing.keySet().retainAll(successors);
    }
    Identifier now = ring.predecessor().id();
    if (Identifier.between(before, now, ring.me().id())) {
      // What was owned before the new predecessor is that one's now.
      strayAt = Math.min(strayAt, shelf.now + SECOND + shelf.random.nextLong(SECOND));
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

  boolean isLeaving() {
    return leave != null;
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
    if (!placement.takeover().isKnown()) {
      knownAt = Ring.NEVER;
      introduce();
      return;
    } else if (knownAt == Ring.NEVER) {
      knownAt = shelf.now;
      strayAt = shelf.now + SECOND + shelf.random.nextLong(SECOND);
    }
    if (!placement.isClosed()) {
      compare();
    }
    if (leave != null) {
      leave(leave);
    } else if (strayAt <= shelf.now && !isStraying) {
      isLeftOver = false;
      cursor = ring.me().id().next();
      stray();
    }
  }

  // ---- with those after this node ------------------------------------------------------------

  /** Asks the next one on the ring whether it knows that this node is there. */
  private void introduce() {
    Seat next = placement.successors().get(0);
    begin(
        new Job(point(ring.me().id()), next, Mode.PULL, RingPlacement.NEXT, false),
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

  private static Interval point(Identifier id) {
    return new Interval(Identifier.ZERO.next().distanceTo(id), id);
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

  // ---- what is not for this node to keep -----------------------------------------------------

  /** Goes on with the next one, or ends the round. */
  private void stray() {
    Identifier next = leave == null ? nextStray(cursor) : null;
    if (next == null) {
      endRound();
      return;
    }
    isStraying = true;
    placement.find(
        next,
        answer -> {
          if (answer == null || answer.owner().isSameNode(ring.me())) {
            isLeftOver = true;
            endRound();
          } else {
            push(next, answer.owner());
          }
        });
  }

  private void endRound() {
    long most = shelf.settings.antiEntropyNanos();
    long pause = isLeftOver ? Math.min(most, Math.max(SECOND, most / 8)) : most;
    isStraying = false;
    strayAt = shelf.now + pause * 3 / 4 + shelf.random.nextLong(pause / 2 + 1);
  }

  /** The first from a point up to this node that is not for it to keep. */
  private @Nullable Identifier nextStray(Identifier from) {
    Identifier me = ring.me().id();
    Identifier at = from;
    while (!at.equals(me)) {
      Value value = shelf.values.firstFrom(at);
      if (value == null || !isUpToHere(at, value.id()) || placement.range().contains(value.id())) {
        return null;
      }
      Interval covering = placement.coverage().of(value.id());
      if (covering == null) {
        return value.id();
      } else if (!isUpToHere(at, covering.upTo())) {
        return null;
      }
      at = covering.upTo().next();
    }
    return null;
  }

  /** Whether a point lies from another one on, and before this node. */
  private boolean isUpToHere(Identifier from, Identifier point) {
    return point.equals(from) || Identifier.between(from, point, ring.me().id());
  }

  private void push(Identifier from, Member owner) {
    Interval interval = new Interval(point(from).after(), owner.id());
    List<Item> items = new ArrayList<>();
    for (Value value : shelf.values.in(interval)) {
      if (!placement.keeps(value.id())) {
        items.add(Item.of(value));
      }
    }
    Seat seat = RingPlacement.seat(owner);
    reconciliation.begin(
        new Job(interval, seat, Mode.PUSH, RingPlacement.ANYBODY, false),
        (isDone, moved, isWhole) -> {
          if (isDone && moved == 0) {
            verify(seat, owner.id(), items);
          } else {
            pushed(owner.id(), false);
          }
        });
  }

  /**
   * That the owner has them is not enough: its replicas must, too. Nobody has anything at the very
   * point of a node, so the answer for that is always about the rest.
   */
  private void verify(Seat owner, Identifier id, List<Item> items) {
    reconciliation.begin(
        new Job(point(id), owner, Mode.PUSH, RingPlacement.ANYBODY, false),
        (isDone, moved, isWhole) -> {
          // Who has just come may be about to hear that it is to keep them.
          boolean isHere = shelf.now - knownAt >= shelf.settings.antiEntropyNanos();
          boolean isConfirmed = isDone && isWhole && isHere;
          if (isConfirmed) {
            forget(items);
          }
          pushed(id, isConfirmed);
        });
  }

  private void forget(List<Item> items) {
    for (Item item : items) {
      Value value = shelf.values.get(item.id());
      if (value != null && value.version().equals(item.version()) && !placement.keeps(item.id())) {
        shelf.forget(item.id());
      }
    }
  }

  private void pushed(Identifier upTo, boolean isConfirmed) {
    isLeftOver |= !isConfirmed;
    // Behind this node there is only what it owns, and what was looked at.
    cursor = isUpToHere(cursor, upTo) ? upTo.next() : ring.me().id();
    stray();
  }

  // ---- leaving -------------------------------------------------------------------------------

  /**
   * Gives all to those after this node, and leaves the ring.
   *
   * @param then is told once: null when that is done; or why not, and then this node goes on
   */
  void leave(long deadline, Consumer<@Nullable String> then) {
    if (leave != null) {
      then.accept("this node is leaving already");
    } else if (!ring.isMember()) {
      ring.leave(shelf.now);
      then.accept(null);
    } else {
      leave = new Leave(deadline, then);
      lookAt = shelf.now;
    }
  }

  private void leave(Leave leaving) {
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
    lookAt = shelf.now;
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
          lookAt = shelf.now;
        });
  }
}
