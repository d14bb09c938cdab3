// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.NodeId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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
 * <p>What an owner has need not be all there is: its range was another's before. Up to a point it
 * is <em>settled</em>: the owner has got what each of its successors has of it. Before, it asks all
 * of them each time. And it owns nothing before the next member on the ring has said that it does
 * not take itself for the owner: that one was the owner until somebody joined.
 */
final class RingPlacement implements Placement {
  /** Stamp of what comes from whoever has it. */
  static final long ANYBODY = 0;

  /** Stamp of a comparison by who says that the interval is its own. */
  static final long OWNER = 1;

  /** Stamp of a question of who is to be the receiver's predecessor: does it say so, too? */
  static final long NEXT = 2;

  private static final int COVERED_MAX = 1_024;

  /** For so many times the time between two comparisons, what an owner said holds. */
  private static final int COVERED_TIMES = 3;

  private record Covered(Seat owner, Interval interval, long since) {}

  private final Shelf shelf;
  private final RingNode ring;
  private final Map<Long, Consumer<@Nullable Located>> lookups = new HashMap<>();
  private final Map<Identifier, List<Seat>> located = new HashMap<>();
  private final Deque<Covered> covered = new ArrayDeque<>();
  private Identifier before;
  private boolean isKnown;
  private boolean isClosed;

  /** From this point to this node all is settled; null if nothing is. */
  private @Nullable Identifier settledAfter;

  /** Who has shown what it has of that which is not settled. */
  private final Set<Seat> merged = new HashSet<>();

  /** The successor list as it was last. */
  private List<Member> listed = List.of();

  /**
   * Who had not shown what it has when others came between, so many that it is not in the list any
   * more; as far as it is not known to be dead.
   */
  private final Set<Seat> outlying = new LinkedHashSet<>();

  /** Rises when there is more to be got from those than before. */
  private long generation;

  /** Which replicas have all that this node owned when it was given something last. */
  private final Set<Seat> compared = new HashSet<>();

  /** Rises when this node was given something, or others are to keep it. */
  private long mark;

  private List<Seat> replicasBefore = List.of();

  RingPlacement(Shelf shelf, RingNode ring) {
    this.shelf = shelf;
    this.ring = ring;
    this.before = ring.me().id();
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

  /** Who may have something of what is not settled. */
  List<Seat> sources() {
    List<Seat> sources = new ArrayList<>(successors());
    outlying.forEach(it -> sources.add(it));
    return sources;
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
    Identifier now = ring.predecessor().id();
    Identifier me = ring.me().id();
    if (!now.equals(before) && !Identifier.between(before, now, me)) {
      merged.clear();
      generation++;
      given();
    }
    before = now;
    if (!ring.isMember() || successors().isEmpty()) {
      // Whoever is alone may have been taken for dead, and others own what it did.
      settledAfter = null;
      isKnown = false;
      generation++;
    } else if (settledAfter != null && Identifier.between(settledAfter, now, me)) {
      settledAfter = now;
    }
    noteOutlying();
    merged.retainAll(sources());
    List<Seat> replicas = replicas();
    if (!replicas.equals(replicasBefore)) {
      replicasBefore = replicas;
      given();
    }
    settleIfMerged();
  }

  private void noteOutlying() {
    Successors list = ring.successors();
    List<Seat> successors = successors();
    boolean isOpen = ring.isMember() && !isSettled() && ring.hasOrderedSuccessors();
    if (!isOpen) {
      outlying.clear();
    }
    for (Member member : listed) {
      if (!member.isArtificial() && !member.isSameNode(ring.me())) {
        Seat seat = seat(member);
        // Between those in the list there is nobody but them; beyond it, somebody may live on.
        boolean isBeyond = Member.between(list.last(), member, ring.me()) && !ring.isGone(member);
        if (!isBeyond) {
          outlying.remove(seat);
        } else if (isOpen && !merged.contains(seat)) {
          outlying.add(seat);
        }
      }
    }
    outlying.removeAll(successors);
    listed = list.list();
  }

  /** A node does not answer; unless it is one of the successors, it is not waited for. */
  void silent(Seat seat) {
    if (outlying.remove(seat)) {
      settleIfMerged();
    }
  }

  /** Whether the next one on the ring knows that this node is there. */
  boolean isKnown() {
    return isKnown || (ring.isMember() && successors().isEmpty());
  }

  /** The next one on the ring does not take itself for the owner of what this one owns. */
  void known() {
    isKnown = true;
  }

  // ---- what is settled -----------------------------------------------------------------------

  boolean isSettled() {
    return ring.predecessor().id().equals(settledAfter);
  }

  /** What is not settled of what this node owns. */
  Interval unsettled() {
    Identifier upTo = settledAfter == null ? ring.me().id() : settledAfter;
    return new Interval(ring.predecessor().id(), upTo);
  }

  boolean isMerged(Seat seat) {
    return isSettled() || merged.contains(seat);
  }

  long generation() {
    return generation;
  }

  /** This node has got what that one has, of all that was not settled in a generation. */
  void merged(Seat seat, long asOf) {
    if (asOf == generation && sources().contains(seat)) {
      if (!outlying.remove(seat)) {
        merged.add(seat);
      }
      settleIfMerged();
    }
  }

  private void settleIfMerged() {
    List<Seat> sources = sources();
    if (isKnown() && !sources.isEmpty() && !isSettled() && merged.containsAll(sources)) {
      settledAfter = ring.predecessor().id();
    }
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
        && isKnown()
        && isSettled()
        && compared.containsAll(replicas());
  }

  // ---- what this node keeps for others -------------------------------------------------------

  @Override
  public void covered(Seat owner, Interval interval) {
    long recent = shelf.now - shelf.settings.antiEntropyNanos() / 2;
    for (Covered it : covered) {
      // Parts of what was compared as a whole.
      if (it.since() >= recent && it.owner().equals(owner) && it.interval().covers(interval)) {
        return;
      }
    }
    long old = shelf.now - COVERED_TIMES * shelf.settings.antiEntropyNanos();
    covered.removeIf(it -> it.since() < old);
    if (covered.size() >= COVERED_MAX) {
      covered.remove();
    }
    covered.add(new Covered(owner, interval, shelf.now));
  }

  /** What an owner said lately that this node is to keep, and has the point; null if none did. */
  @Nullable Interval covering(Identifier point) {
    long old = shelf.now - COVERED_TIMES * shelf.settings.antiEntropyNanos();
    for (Covered it : covered) {
      if (it.since() >= old && it.interval().contains(point)) {
        return it.interval();
      }
    }
    return null;
  }

  /** Whether it is for this node to keep what is at a point. */
  boolean keeps(Identifier point) {
    return owns(point) || covering(point) != null;
  }

  // ---- for the keeper ------------------------------------------------------------------------

  @Override
  public void locate(Identifier id, Consumer<@Nullable Seat> then) {
    if (owns(id)) {
      List<Seat> successors = successors();
      // Until the next one knows this node, it owns the key itself.
      then.accept(isKnown() || successors.isEmpty() ? shelf.me : successors.get(0));
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

  /** Has {@link #keepers} know who keeps a key while {@code then} runs. */
  void withKeepers(Identifier id, Runnable then) {
    if (!keepers(id).isEmpty()) {
      then.run();
      return;
    }
    find(
        id,
        answer -> {
          if (answer != null) {
            List<Seat> seats = new ArrayList<>();
            seats.add(seat(answer.owner()));
            answer.replicas().forEach(it -> seats.add(seat(it)));
            located.put(id, of(seats, shelf.settings.replicas()));
          }
          then.run();
          located.remove(id);
        });
  }

  @Override
  public List<Seat> keepers(Identifier id) {
    List<Seat> seats = new ArrayList<>();
    if (keeps(id)) {
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
    return seats.isEmpty()
        ? located.getOrDefault(id, List.of())
        : of(seats, shelf.settings.replicas());
  }

  @Override
  public @Nullable Tenure tenure(Identifier id) {
    if (!owns(id) || !isKnown()) {
      return null;
    }
    List<Seat> others = replicas();
    boolean isPointSettled =
        settledAfter != null && Identifier.betweenOrAt(settledAfter, id, ring.me().id());
    List<Seat> toRead = isPointSettled ? others : sources();
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
    return owns(id) && isKnown() && !isClosed;
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
    return stamp == NEXT ? seat(ring.predecessor()).equals(owner) : stamp != OWNER || !owns(id);
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
