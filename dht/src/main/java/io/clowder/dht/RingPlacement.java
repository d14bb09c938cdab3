// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who keeps what by the places of members on the ring: the first at or after a key owns it, and
 * those next to it keep copies.
 *
 * <p>What an owner has need not be all there is ({@link Takeover}): so long, it asks all that may
 * have more, each time.
 */
final class RingPlacement implements Placement {
  /** Stamp of what comes from whoever has it. */
  static final long ANYBODY = 0;

  /** Stamp of a comparison by who says that the interval is its own. */
  static final long OWNER = 1;

  /** Stamp of a question of who is to be the receiver's predecessor: does it say so, too? */
  static final long NEXT = 2;

  private final Shelf shelf;
  private final RingNode ring;
  private final Map<Long, Consumer<@Nullable Located>> lookups = new HashMap<>();
  private final Takeover takeover;
  private final Coverage coverage;
  private boolean isClosed;

  /** Which replicas have all that this node owned when it was given something last. */
  private final Set<Seat> compared = new HashSet<>();

  /** Rises when this node was given something, or others are to keep it. */
  private long mark;

  private List<Seat> replicasBefore = List.of();

  RingPlacement(Shelf shelf, RingNode ring) {
    this.shelf = shelf;
    this.ring = ring;
    takeover = new Takeover(shelf, ring, this);
    coverage = new Coverage(shelf);
  }

  // ---- the ring ------------------------------------------------------------------------------

  static Seat seat(Member member) {
    NodeId node = member.node();
    if (node == null) {
      throw new AssertionError(member + " is nobody");
    }
    return new Seat(node, member.life());
  }

  /** Those after this node, as far as it knows them, the nearest first. */
  List<Seat> successors() {
    Set<Seat> seats = new LinkedHashSet<>();
    if (ring.isMember()) {
      for (Member member : ring.successors().list()) {
        if (!member.isArtificial() && !member.isSameNode(ring.me()) && !ring.isGone(member)) {
          seats.add(seat(member));
        }
      }
    }
    return List.copyOf(seats);
  }

  /**
   * The first of these that are of so many nodes. Of a node that came back there may be two lives:
   * nobody knows here which it has, and only one of them answers.
   */
  static List<Seat> of(List<Seat> seats, int nodes) {
    Set<NodeId> distinct = new HashSet<>();
    List<Seat> first = new ArrayList<>();
    for (Seat seat : seats) {
      if (distinct.size() < nodes || distinct.contains(seat.node())) {
        distinct.add(seat.node());
        first.add(seat);
      }
    }
    return first;
  }

  /** Who is to have what this node owns. */
  List<Seat> replicas() {
    return of(successors(), shelf.settings.replicas() - 1);
  }

  /** What this node owns, if it does; by the ring alone. */
  Interval range() {
    return new Interval(ring.predecessor().id(), ring.me().id());
  }

  private boolean owns(Identifier id) {
    // An earlier life of this node is at the same point: that would be all of the ring.
    boolean isOwnLife =
        ring.predecessor().isSameNode(ring.me()) && !ring.predecessor().equals(ring.me());
    return ring.owns(id) && !isOwnLife;
  }

  /** The predecessor, or the successors, are others than before. */
  void ringChanged() {
    boolean isMore = takeover.ringChanged();
    List<Seat> replicas = replicas();
    if (isMore || !replicas.equals(replicasBefore)) {
      replicasBefore = replicas;
      given();
    }
  }

  /** What there is of this node's range that was another's before. */
  Takeover takeover() {
    return takeover;
  }

  /** What this node keeps for others. */
  Coverage coverage() {
    return coverage;
  }

  // ---- whether all copies are in order -------------------------------------------------------

  /** This node has something that its replicas may not have. */
  void given() {
    compared.clear();
    mark++;
  }

  long mark() {
    return mark;
  }

  /** A replica has all that this node had at a mark. */
  void compared(Seat replica, long asOf) {
    if (asOf == mark) {
      compared.add(replica);
    }
  }

  boolean isCompared(Seat replica) {
    return compared.contains(replica);
  }

  @Override
  public boolean isWhole(Interval interval) {
    return owns(interval.upTo())
        && range().covers(interval)
        && takeover.isKnown()
        && takeover.isSettled()
        && compared.containsAll(replicas());
  }

  // ---- what this node keeps for others -------------------------------------------------------

  @Override
  public void covered(Seat owner, Interval interval) {
    coverage.add(owner, interval);
  }

  /** Whether it is for this node to keep what is at a point. */
  boolean keeps(Identifier point) {
    return owns(point) || coverage.of(point) != null;
  }

  // ---- for the keeper ------------------------------------------------------------------------

  @Override
  public void locate(Identifier id, Consumer<@Nullable Seat> then) {
    if (owns(id)) {
      List<Seat> successors = successors();
      // Until the next one knows this node, it owns the key itself.
      then.accept(takeover.isKnown() ? shelf.me : successors.get(0));
    } else {
      find(id, it -> then.accept(it == null ? null : seat(it.owner())));
    }
  }

  /** Looks an owner up, by the ring. */
  void find(Identifier id, Consumer<@Nullable Located> then) {
    long ticket = shelf.ticket();
    lookups.put(ticket, then);
    ring.lookup(ticket, id, shelf.now);
  }

  /** A lookup of the ring ended. */
  void found(long ticket, @Nullable Located answer) {
    Consumer<@Nullable Located> then = lookups.remove(ticket);
    if (then != null) {
      then.accept(answer);
    }
  }

  @Override
  public void keepers(Identifier id, Consumer<List<Seat>> then) {
    List<Seat> known = keepers(id);
    if (!known.isEmpty()) {
      then.accept(known);
      return;
    }
    find(
        id,
        answer -> {
          List<Seat> seats = new ArrayList<>();
          if (answer != null) {
            seats.add(seat(answer.owner()));
            answer.replicas().forEach(it -> seats.add(seat(it)));
          }
          then.accept(of(seats, shelf.settings.replicas()));
        });
  }

  /** Who keeps a key, as far as this node knows it. */
  private List<Seat> keepers(Identifier id) {
    List<Seat> seats = new ArrayList<>();
    // An owner's word that this node is to keep a key may be old; what is here, is here.
    if (owns(id) || (shelf.values.get(id) != null && coverage.of(id) != null)) {
      seats.add(shelf.me);
      seats.addAll(replicas());
      return seats;
    }
    if (ring.isMember()) {
      Identifier after = ring.me().id();
      for (Member member : ring.successors().list()) {
        boolean isReached = !seats.isEmpty() || Identifier.betweenOrAt(after, id, member.id());
        if (isReached && !member.isArtificial() && !member.isSameNode(ring.me())) {
          seats.add(seat(member));
        }
        after = member.id();
      }
    }
    return of(seats, shelf.settings.replicas());
  }

  @Override
  public @Nullable Tenure tenure(Identifier id) {
    if (!owns(id) || !takeover.isKnown()) {
      return null;
    }
    List<Seat> others = replicas();
    boolean isPointSettled = takeover.isSettled(id);
    List<Seat> toRead = isPointSettled ? others : takeover.sources();
    int quorum = shelf.settings.replicas() - shelf.settings.writeQuorum();
    int nodes = (int) others.stream().map(Seat::node).distinct().count();
    return new Tenure(
        ANYBODY,
        0,
        List.of(),
        others,
        shelf.settings.writeQuorum(),
        1 + nodes,
        toRead,
        isPointSettled ? quorum : Math.max(quorum, toRead.size()),
        // A write that came to nothing may be here and nowhere else: no read tells it unasked.
        false);
  }

  @Override
  public boolean accepts(Identifier id) {
    return owns(id) && takeover.isKnown() && !isClosed;
  }

  @Override
  public boolean isSure(long now) {
    return true;
  }

  @Override
  public void confirm(Runnable then) {
    then.run();
  }

  /**
   * Values only go forward, whoever brings them; but this node says nothing of what it has to
   * somebody who says to own what this one owns, and takes nothing any more when it is about to go.
   *
   * <p>To be the predecessor is more than that this node does not own what is before that: if it
   * takes a former life for its predecessor, it is about to find out that this is dead.
   */
  @Override
  public boolean admits(Seat owner, Identifier id, long stamp) {
    if (isClosed || !ring.isMember()) {
      return false;
    }
    return stamp == NEXT ? takeover.admits(owner) : stamp != OWNER || !owns(id);
  }

  /** Begins nothing for keys any more, and keeps nothing new. */
  void close() {
    isClosed = true;
  }

  /** Goes on. */
  void reopen() {
    isClosed = false;
  }

  boolean isClosed() {
    return isClosed;
  }
}
