// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.dht.KeeperMessage.Compare;
import io.clowder.dht.KeeperMessage.Gift;
import io.clowder.dht.KeeperMessage.Give;
import io.clowder.dht.KeeperMessage.Given;
import io.clowder.dht.KeeperMessage.Item;
import io.clowder.dht.KeeperMessage.Keep;
import io.clowder.dht.KeeperMessage.Kept;
import io.clowder.dht.KeeperMessage.Listing;
import io.clowder.dht.KeeperMessage.Look;
import io.clowder.dht.KeeperMessage.Parts;
import io.clowder.dht.KeeperMessage.Refuse;
import io.clowder.dht.KeeperMessage.Same;
import io.clowder.dht.KeeperMessage.Seen;
import io.clowder.dht.KeeperMessage.Tallied;
import io.clowder.dht.KeeperMessage.Tally;
import io.clowder.dht.KeeperMessage.Tell;
import io.clowder.dht.KeeperMessage.Told;
import io.clowder.dht.KeeperMessage.Want;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One life of a node as a keeper of values: a pure state machine. One thread calls it, with the
 * time in nanoseconds of a clock that only rises; all that it does goes through its {@link
 * KeeperPort}. Who keeps what is said by a {@link Placement}.
 */
final class Keeper {
  /** How many values are looked at for whether they are over, at a time. */
  private static final int SWEPT_AT_ONCE = 500;

  private static final long SWEEP_NANOS = 1_000_000_000L;
  private static final int LOOKS_MAX = 10_000;
  private static final long TALLY_NANOS = 10_000_000_000L;

  private final Shelf shelf;
  private final Placement placement;
  private final Coordination coordination;
  private final Requests requests;
  private final Reconciliation reconciliation;
  private final Supplier<Tallied> tally;
  private final Map<Long, Looking> looking = new HashMap<>();
  private final Map<Long, Asked> tallying = new HashMap<>();
  private Identifier sweptTo = Identifier.ZERO;
  private long sweepAt;

  /** Who wants to know what a node has. */
  private record Asked(BiConsumer<Seat, Tallied> then, long deadline) {}

  /** A read of whatever any keeper has. */
  private static final class Looking {
    final long user;
    final Identifier id;
    final long deadline;
    final Deque<Seat> left = new ArrayDeque<>();
    long nextAt;

    Looking(long user, Identifier id, long deadline) {
      this.user = user;
      this.id = id;
      this.deadline = deadline;
      this.nextAt = deadline;
    }
  }

  /**
   * A keeper of what is in the shelf.
   *
   * @param tally what this node says of itself when it is asked
   */
  Keeper(Shelf shelf, Placement placement, Reconciliation reconciliation, Supplier<Tallied> tally) {
    this.shelf = shelf;
    this.placement = placement;
    this.reconciliation = reconciliation;
    this.tally = tally;
    coordination = new Coordination(shelf, placement);
    requests = new Requests(shelf, placement, coordination);
    sweepAt = shelf.now + SWEEP_NANOS;
  }

  Coordination coordination() {
    return coordination;
  }

  // ---- users ---------------------------------------------------------------------------------

  /** Has the owner of a key do something; answered once, under the ticket. */
  void ask(long user, Ask ask, long deadline, long now) {
    shelf.now = now;
    requests.begin(user, ask, deadline);
  }

  /** Reads what any node has that keeps the key; this one, if it does. */
  void look(long user, Identifier id, long deadline, long now) {
    shelf.now = now;
    if (looking.size() >= LOOKS_MAX) {
      shelf.port.answered(user, new Reply(Answer.of(Answer.Code.BUSY), true, false));
      return;
    }
    long ticket = shelf.ticket();
    looking.put(ticket, new Looking(user, id, deadline));
    placement.keepers(id, seats -> look(ticket, seats));
  }

  private void look(long ticket, List<Seat> seats) {
    Looking one = looking.remove(ticket);
    if (one == null) {
      return; // To find them took too long.
    } else if (seats.contains(shelf.me)) {
      looked(one.user, shelf.values.get(one.id), true);
      return;
    }
    one.left.addAll(seats);
    nextLook(ticket, one);
  }

  private void nextLook(long ticket, Looking one) {
    while (!one.left.isEmpty() && shelf.now < one.deadline) {
      Seat seat = one.left.remove();
      if (shelf.port.send(seat, new Look(ticket, one.id))) {
        one.nextAt = Math.min(one.deadline, shelf.now + shelf.settings.attemptNanos() / 2);
        looking.put(ticket, one);
        return;
      }
    }
    looked(one.user, null, false);
  }

  private void looked(long user, @Nullable Value value, boolean isKnown) {
    boolean isThere = value != null && value.isThere(shelf.port.wallMillis());
    Answer answer =
        isThere && value != null
            ? new Answer(Answer.Code.DONE, value.version(), value, 0)
            : Answer.of(isKnown ? Answer.Code.DONE : Answer.Code.NOT_OWNER);
    shelf.port.answered(user, new Reply(answer, !isKnown, false));
  }

  /** Asks a node what it has altogether; {@code then} may never run. */
  void tally(Seat seat, BiConsumer<Seat, Tallied> then, long now) {
    shelf.now = now;
    if (seat.equals(shelf.me)) {
      then.accept(seat, tally.get());
      return;
    }
    long ticket = shelf.ticket();
    tallying.values().removeIf(it -> it.deadline() <= now);
    if (tallying.size() < LOOKS_MAX) {
      tallying.put(ticket, new Asked(then, now + TALLY_NANOS));
      shelf.port.send(seat, new Tally(ticket));
    }
  }

  /** Ends what users wait for. */
  void close(long now) {
    shelf.now = now;
    requests.close();
    List.copyOf(looking.values()).forEach(it -> looked(it.user, null, false));
    looking.clear();
  }

  // ---- the world -----------------------------------------------------------------------------

  /** So many values that were appended are on disk. */
  void durable(long number, long now) {
    shelf.now = now;
    shelf.durable(number);
  }

  /** Who keeps what is another than before. */
  void placementChanged(long now) {
    shelf.now = now;
    coordination.placementChanged();
  }

  /** The connection to a node is lost, and what was under way with it. */
  void lost(NodeId node, long now) {
    shelf.now = now;
    requests.lost(node);
  }

  /** A message came in. */
  void received(Seat source, Seat target, KeeperMessage message, long now) {
    shelf.now = now;
    if (!target.equals(shelf.me)) {
      refuse(source, message);
      return;
    }
    if (message instanceof Tell tell) {
      coordination.take(
          tell.ask(), answer -> shelf.port.send(source, new Told(tell.ticket(), answer)));
    } else if (message instanceof Told told) {
      requests.told(told.ticket(), told.answer());
    } else if (message instanceof Keep keep) {
      keep(source, keep);
    } else if (message instanceof Kept kept) {
      coordination.kept(source, kept.ticket());
    } else if (message instanceof Look look) {
      shelf.port.send(source, new Seen(look.ticket(), shelf.values.get(look.id())));
    } else if (message instanceof Seen seen) {
      seen(source, seen);
    } else if (message instanceof Compare compare) {
      compare(source, compare);
    } else if (message instanceof Give give) {
      give(source, give);
    } else if (message instanceof Want want) {
      shelf.port.send(source, reconciliation.gift(want));
    } else if (message instanceof Same same) {
      reconciliation.same(same.ticket(), same.isWhole());
    } else if (message instanceof Parts parts) {
      reconciliation.parts(parts.ticket(), parts.digests());
    } else if (message instanceof Listing listing) {
      reconciliation.listing(listing.ticket(), listing.items());
    } else if (message instanceof Given given) {
      reconciliation.given(given.ticket());
    } else if (message instanceof Gift gift) {
      reconciliation.gift(gift);
    } else if (message instanceof Refuse refuse) {
      reconciliation.refused(refuse.ticket());
    } else if (message instanceof Tally) {
      Tallied it = tally.get();
      shelf.port.send(
          source,
          new Tallied(
              message.ticket(), it.keys(), it.bytes(), it.owned(), it.moving(), it.problems()));
    } else if (message instanceof Tallied tallied) {
      Asked asked = tallying.remove(tallied.ticket());
      if (asked != null) {
        asked.then().accept(source, tallied);
      }
    } else {
      throw new AssertionError("cannot take " + message.getClass());
    }
  }

  private void refuse(Seat source, KeeperMessage message) {
    if (message instanceof Tell) {
      shelf.port.send(source, new Told(message.ticket(), Answer.of(Answer.Code.NOT_OWNER)));
    } else if (message instanceof Compare || message instanceof Give || message instanceof Want) {
      shelf.port.send(source, new Refuse(message.ticket()));
    }
  }

  private void keep(Seat source, Keep keep) {
    if (placement.admits(source, keep.value().id(), keep.stamp())) {
      shelf.keep(keep.value());
      shelf.whenDurable(() -> shelf.port.send(source, new Kept(keep.ticket())));
    }
  }

  private void seen(Seat source, Seen seen) {
    Looking one = looking.remove(seen.ticket());
    if (one == null) {
      coordination.seen(source, seen.ticket(), seen.value());
    } else {
      looked(one.user, seen.value(), true);
    }
  }

  private void compare(Seat source, Compare compare) {
    if (!placement.admits(source, compare.interval().upTo(), compare.stamp())) {
      shelf.port.send(source, new Refuse(compare.ticket()));
      return;
    }
    if (compare.isReplica()) {
      placement.covered(source, compare.interval());
    }
    boolean isWhole = placement.isWhole(compare.interval());
    shelf.port.send(source, reconciliation.compare(compare, isWhole));
  }

  private void give(Seat source, Give give) {
    for (Item item : give.forgotten()) {
      Value value = shelf.values.get(item.id());
      if (value != null
          && value.version().equals(item.version())
          && placement.admits(source, item.id(), give.stamp())) {
        shelf.forget(item.id());
      }
    }
    for (Value value : give.values()) {
      if (!placement.admits(source, value.id(), give.stamp())) {
        shelf.port.send(source, new Refuse(give.ticket()));
        return;
      }
      shelf.keep(value);
    }
    shelf.whenDurable(() -> shelf.port.send(source, new Given(give.ticket())));
  }

  // ---- time ----------------------------------------------------------------------------------

  /** When {@link #tick} is to be called, unless something happens before. */
  long dueAt() {
    long due = Math.min(requests.dueAt(), coordination.dueAt());
    due = Math.min(due, Math.min(reconciliation.dueAt(), sweepAt));
    for (Looking one : looking.values()) {
      due = Math.min(due, one.nextAt);
    }
    return due;
  }

  /** To be called when it is {@link #dueAt}, or a little later. */
  void tick(long now) {
    shelf.now = now;
    requests.tick();
    coordination.tick();
    reconciliation.tick();
    for (Map.Entry<Long, Looking> one : List.copyOf(looking.entrySet())) {
      if (one.getValue().nextAt <= now) {
        looking.remove(one.getKey());
        nextLook(one.getKey(), one.getValue());
      }
    }
    if (sweepAt <= now) {
      sweepAt = now + SWEEP_NANOS;
      sweep();
    }
  }

  /** Forgets what need not be kept any more, a part of the ring at a time. */
  private void sweep() {
    long wall = shelf.port.wallMillis();
    List<Identifier> over = new ArrayList<>();
    int left = SWEPT_AT_ONCE;
    Identifier last = sweptTo;
    for (Value value : shelf.values.from(sweptTo)) {
      if (left-- == 0) {
        break;
      }
      last = value.id();
      if (value.isOver(wall, shelf.settings.tombstoneMillis())) {
        over.add(value.id());
      }
    }
    sweptTo = left >= 0 ? Identifier.ZERO : last;
    over.forEach(shelf::forgetForGood);
  }
}
