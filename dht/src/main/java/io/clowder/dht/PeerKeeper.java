// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import io.clowder.dht.KeeperMessage.Gift;
import io.clowder.dht.KeeperMessage.Give;
import io.clowder.dht.KeeperMessage.Tallied;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One life of a node on a ring of mode {@code peer}: its place on the ring, and its {@link Keeper},
 * by that place. A pure state machine as these are: one thread calls it, with the time in
 * nanoseconds of a clock that only rises; all that it does goes through its {@link PeerPort} and
 * that of its shelf.
 *
 * <p>What the ring says while it is in the middle of something is passed on when it has ended.
 */
final class PeerKeeper {
  private final Shelf shelf;
  private final PeerPort port;
  private final RingNode ring;
  private final RingPlacement placement;
  private final Keeper keeper;
  private final Tending tending;
  private final Deque<Runnable> answers = new ArrayDeque<>();
  private boolean isRingChanged;
  private boolean isChanged;
  private boolean isSettling;

  /**
   * A node that is not on the ring yet.
   *
   * @param shelf of a seat whose life the node has not had before
   * @param id where it is on the ring
   */
  PeerKeeper(Shelf shelf, Identifier id, RingSettings settings, PeerPort port) {
    this.shelf = shelf;
    this.port = port;
    Member me = new Member(id, shelf.me.node(), shelf.me.life());
    ring = new RingNode(me, settings, shelf.random, new FromRing(), shelf.now);
    placement = new RingPlacement(shelf, ring);
    Reconciliation reconciliation = new Reconciliation(shelf);
    keeper = new Keeper(shelf, placement, reconciliation, this::tally);
    tending =
        new Tending(
            shelf, ring, placement, keeper.coordination(), reconciliation, () -> isChanged = true);
  }

  private final class FromRing implements Outlet {
    @Override
    public void send(Envelope envelope) {
      port.send(envelope);
    }

    @Override
    public void found(long ticket, Located answer) {
      answers.add(() -> placement.found(ticket, answer));
    }

    @Override
    public void failed(long ticket, Failure failure) {
      answers.add(() -> placement.found(ticket, null));
    }

    @Override
    public void changed() {
      isRingChanged = true;
    }
  }

  /** Passes on what the ring said. */
  private void passOn() {
    if (isSettling) {
      return;
    }
    isSettling = true;
    while (isRingChanged || isChanged || !answers.isEmpty()) {
      if (isRingChanged) {
        isRingChanged = false;
        isChanged = true;
        placement.ringChanged();
        tending.ringChanged();
      } else if (isChanged) {
        isChanged = false;
        keeper.placementChanged(shelf.now);
        port.changed();
      } else {
        answers.remove().run();
      }
    }
    isSettling = false;
  }

  // ---- membership ----------------------------------------------------------------------------

  /** As {@link RingNode#found}. */
  void found(Founders founders, long now) {
    shelf.now = now;
    ring.found(founders, now);
    placement.takeover().known(); // By all who begin.
    passOn();
  }

  /** As {@link RingNode#join}. */
  void join(List<Member> contacts, long now) {
    shelf.now = now;
    ring.join(contacts, now);
    passOn();
  }

  /** As {@link RingNode#introduce}. */
  void introduce(Member contact, long now) {
    shelf.now = now;
    ring.introduce(contact, now);
    passOn();
  }

  /**
   * Hands over what this node has, and leaves.
   *
   * @param then is told once: null when that is done; or why not, and then this node goes on
   */
  void leave(long deadline, Consumer<@Nullable String> then, long now) {
    shelf.now = now;
    tending.leave(deadline, then);
    passOn();
  }

  // ---- users ---------------------------------------------------------------------------------

  /** As {@link Keeper#ask}. */
  void ask(long user, Ask ask, long deadline, long now) {
    keeper.ask(user, ask, deadline, now);
    passOn();
  }

  /** As {@link Keeper#look}. */
  void look(long user, Identifier id, long deadline, long now) {
    keeper.look(user, id, deadline, now);
    passOn();
  }

  /** Looks up who owns a key; {@code then} is told once, null if that cannot be found out now. */
  void lookup(Identifier id, Consumer<@Nullable Located> then, long now) {
    shelf.now = now;
    placement.find(id, then);
    passOn();
  }

  /** As {@link Keeper#tally}. */
  void tally(Seat seat, BiConsumer<Seat, Tallied> then, long now) {
    keeper.tally(seat, then, now);
    passOn();
  }

  /** Compares what this node owns with the copies; {@code then} is told how much was moved. */
  void repair(LongConsumer then, long now) {
    shelf.now = now;
    tending.repair(then);
    passOn();
  }

  /** Ends this life without handing anything over, and tells those next to it on the ring. */
  void goodbye(long now) {
    shelf.now = now;
    ring.leave(now);
    passOn();
  }

  /** Ends what users wait for. */
  void close(long now) {
    keeper.close(now);
    passOn();
  }

  // ---- the world -----------------------------------------------------------------------------

  /** A message of the ring came in. */
  void received(Envelope envelope, long now) {
    shelf.now = now;
    ring.received(envelope, now);
    passOn();
  }

  /** A message between keepers came in. */
  void received(Seat source, Seat target, KeeperMessage message, long now) {
    shelf.now = now;
    boolean isGiven =
        (message instanceof Give give && !give.values().isEmpty())
            || (message instanceof Gift gift && !gift.values().isEmpty());
    if (isGiven && target.equals(shelf.me)) {
      tending.given();
    }
    keeper.received(source, target, message, now);
    passOn();
  }

  /** As {@link Keeper#durable}. */
  void durable(long number, long now) {
    keeper.durable(number, now);
    passOn();
  }

  /** As {@link Keeper#lost}. */
  void lost(NodeId node, long now) {
    keeper.lost(node, now);
    passOn();
  }

  long dueAt() {
    return Math.min(Math.min(ring.dueAt(), keeper.dueAt()), tending.dueAt());
  }

  /** To be called when it is {@link #dueAt}, or a little later. */
  void tick(long now) {
    shelf.now = now;
    ring.tick(now);
    passOn();
    tending.tick();
    passOn();
    keeper.tick(now);
    passOn();
  }

  // ---- how it is -----------------------------------------------------------------------------

  /** Its place on the ring, to be read. */
  RingNode ring() {
    return ring;
  }

  RingPlacement placement() {
    return placement;
  }

  /** Whether all that this node owns has all of its copies. */
  boolean isWhole() {
    return placement.isWhole(placement.range());
  }

  private Tallied tally() {
    long owned = ring.isMember() ? shelf.values.digest(placement.range()).count() : 0;
    return new Tallied(
        0, shelf.values.size(), shelf.values.bytes(), owned, tending.moving(), problems());
  }

  /** What is not as it should be, a sentence each. */
  List<String> problems() {
    if (!ring.isMember()) {
      return List.of("this node is not on the ring: no member that it knows has answered yet");
    }
    List<String> problems = new ArrayList<>();
    List<Seat> successors = placement.successors();
    int nodes = 1 + (int) successors.stream().map(Seat::node).distinct().count();
    if (nodes < shelf.settings.replicas()) {
      problems.add(
          "values cannot have "
              + shelf.settings.replicas()
              + " copies: this node knows "
              + nodes
              + (nodes == 1 ? " member, itself" : " members, itself among them"));
    }
    if (!ring.hasNoDuplicates()) {
      problems.add(
          "the successor list names a member twice: the ring has fewer than "
              + (ring.successors().size() + 1)
              + " members, which it needs to stay one");
    } else if (!ring.hasOrderedSuccessors()) {
      problems.add("the successor list is not in the order of the ring: it is being repaired");
    }
    if (!placement.takeover().isKnown()) {
      problems.add(successors.get(0) + ", the next on the ring, does not know this node yet");
    } else if (!placement.takeover().isSettled() && !successors.isEmpty()) {
      List<Seat> open = new ArrayList<>(placement.takeover().sources());
      open.removeIf(placement.takeover()::isMerged);
      problems.add("what this node owns is still being fetched from " + open);
    }
    if (problems.isEmpty() && !isWhole()) {
      problems.add("not all copies of what this node owns are in order yet");
    }
    if (tending.isLeaving()) {
      problems.add("this node is leaving: it hands over what it has");
    }
    return problems;
  }
}
