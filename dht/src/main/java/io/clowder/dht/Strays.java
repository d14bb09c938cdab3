// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.dht.KeeperMessage.Item;
import io.clowder.dht.Reconciliation.Job;
import io.clowder.dht.Reconciliation.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is here and is not for this node to keep: it is given to its owner, and forgotten when that
 * one has said that it and all its replicas have it. Once round the ring at a time.
 */
final class Strays {
  private static final long SECOND = 1_000_000_000L;

  private final Shelf shelf;
  private final RingNode ring;
  private final RingPlacement placement;
  private final Reconciliation reconciliation;
  private final BooleanSupplier isAllowed;

  /** Since when this node is known on the ring. */
  private long knownAt = Ring.NEVER;

  private long beginAt = Ring.NEVER;

  /** How far this node has come. */
  private Identifier cursor = Identifier.ZERO;

  private boolean isUnderWay;

  /** Whether something is left that nobody has confirmed yet. */
  private boolean isLeftOver;

  /**
   * For a node that is not known on the ring yet.
   *
   * @param isAllowed whether to go on
   */
  Strays(
      Shelf shelf,
      RingNode ring,
      RingPlacement placement,
      Reconciliation reconciliation,
      BooleanSupplier isAllowed) {
    this.shelf = shelf;
    this.ring = ring;
    this.placement = placement;
    this.reconciliation = reconciliation;
    this.isAllowed = isAllowed;
  }

  /** Whether this node is known on the ring; before, it does not know what is for it to keep. */
  void known(boolean isKnown) {
    if (!isKnown) {
      knownAt = Ring.NEVER;
    } else if (knownAt == Ring.NEVER) {
      knownAt = shelf.now;
      beginAt = shelf.now + SECOND + shelf.random.nextLong(SECOND);
    }
  }

  /** There may be more of it. */
  void soon() {
    beginAt = Math.min(beginAt, shelf.now + SECOND + shelf.random.nextLong(SECOND));
  }

  void tick() {
    if (beginAt <= shelf.now && !isUnderWay) {
      isLeftOver = false;
      cursor = ring.me().id().next();
      goOn();
    }
  }

  /** Goes on with the next one, or ends the round. */
  private void goOn() {
    Identifier next = isAllowed.getAsBoolean() ? nextStray(cursor) : null;
    if (next == null) {
      endRound();
      return;
    }
    isUnderWay = true;
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
    isUnderWay = false;
    beginAt = shelf.now + pause * 3 / 4 + shelf.random.nextLong(pause / 2 + 1);
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
    Interval interval = new Interval(Interval.of(from).after(), owner.id());
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
        new Job(Interval.of(id), owner, Mode.PUSH, RingPlacement.ANYBODY, false),
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
    goOn();
  }
}
