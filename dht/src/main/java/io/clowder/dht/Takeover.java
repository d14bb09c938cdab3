// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How far a node is with taking over its range, which was others' before, on each of two ways.
 *
 * <p>After a failure before it, it owns more than it did. Whatever was acknowledged there is on one
 * of those after it, if not here. From a point on to this node the range is <em>settled</em>: it
 * has got what each of its successors has of it. When others join between, so that one that may
 * have something is not a successor any more, it is waited for all the same.
 *
 * <p>When it has joined, the next one on the ring was the owner, and may not know of it yet. So it
 * owns nothing before that one has said that this is its predecessor. That one may not have settled
 * the range itself, and have got it from somebody whom the new one does not know: it first asks
 * those that are left.
 */
final class Takeover {
  /** How long somebody who joined waits at most until what it takes over is settled. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final Shelf shelf;
  private final RingNode ring;
  private final RingPlacement placement;
  private Identifier before;
  private boolean wasMember;
  private boolean isKnown;
  private boolean wasKnown;

  /** From this point to this node all is settled; null if nothing is. */
  private @Nullable Identifier settledAfter;

  /** Who has shown what it has of that which is not settled. */
  private final Set<Seat> merged = new HashSet<>();

  /** Rises when there is more to be got from those than before. */
  private long generation;

  /** The successor list as it was last. */
  private List<Member> listed = List.of();

  /**
   * Who had not shown what it has when others came between, so many that it is not in the list any
   * more; as far as it is not known to be dead.
   */
  private final Set<Seat> outlying = new LinkedHashSet<>();

  /**
   * What was not settled when a new predecessor took it over, and who may have some of it that the
   * new one does not know of.
   */
  private @Nullable Interval ceded;

  private final Set<Seat> creditors = new LinkedHashSet<>();
  private long patientUntil;

  Takeover(Shelf shelf, RingNode ring, RingPlacement placement) {
    this.shelf = shelf;
    this.ring = ring;
    this.placement = placement;
    this.before = ring.me().id();
  }

  /** Who may have something of what is not settled. */
  List<Seat> sources() {
    List<Seat> sources = new ArrayList<>(placement.successors());
    sources.addAll(outlying);
    return sources;
  }

  /**
   * The predecessor, or the successors, are others than before; returns whether there may be more
   * in this node's range than there was.
   */
  boolean ringChanged() {
    Identifier now = ring.predecessor().id();
    Identifier me = ring.me().id();
    if (wasMember && !before.equals(me) && Identifier.between(before, now, me)) {
      cede(new Interval(before, now));
    } else if (!wasMember && ring.isMember()) {
      wasMember = true;
      patientUntil = shelf.now + PATIENCE_NANOS;
    }
    boolean isMore = !now.equals(before) && !Identifier.between(before, now, me);
    if (isMore) {
      merged.clear();
      generation++;
    }
    before = now;
    if (!ring.isMember() || placement.successors().isEmpty()) {
      // Whoever is alone may have been taken for dead, and others own what it did.
      settledAfter = null;
      isKnown = false;
      generation++;
    } else if (settledAfter != null && Identifier.between(settledAfter, now, me)) {
      settledAfter = now;
    }
    noteOutlying();
    merged.retainAll(sources());
    settleIfMerged();
    return isMore;
  }

  /**
   * Somebody has joined before this node. It knows those after this node but the last ones; whoever
   * it does not know is asked by this one before it goes on.
   */
  private void cede(Interval part) {
    if (settledAfter != null && !Identifier.between(part.after(), settledAfter, ring.me().id())) {
      return;
    }
    List<Member> list = ring.successors().list();
    Set<Seat> open = new LinkedHashSet<>(sources());
    open.removeAll(merged);
    for (Member member : list.subList(0, list.size() - 1)) {
      if (!member.isArtificial()) {
        open.remove(RingPlacement.seat(member));
      }
    }
    if (!open.isEmpty()) {
      Interval former = ceded;
      ceded = former == null ? part : new Interval(former.after(), part.upTo());
      creditors.addAll(open);
      patientUntil = shelf.now + PATIENCE_NANOS;
    }
  }

  /** What this node is to get for those who took it over. */
  @Nullable Interval ceded() {
    return ceded;
  }

  /** From whom. */
  List<Seat> creditors() {
    return List.copyOf(creditors);
  }

  /** That one has shown what it has of it, or does not answer. */
  void settled(Seat creditor) {
    creditors.remove(creditor);
    if (creditors.isEmpty()) {
      ceded = null;
    }
  }

  private void noteOutlying() {
    Successors list = ring.successors();
    List<Seat> successors = placement.successors();
    boolean isOpen = ring.isMember() && !isSettled() && ring.hasOrderedSuccessors();
    if (!isOpen) {
      outlying.clear();
    }
    for (Member member : listed) {
      if (!member.isArtificial() && !member.isSameNode(ring.me())) {
        Seat seat = RingPlacement.seat(member);
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
    return isKnown || (ring.isMember() && placement.successors().isEmpty());
  }

  /** The next one on the ring does not take itself for the owner of what this one owns. */
  void known() {
    isKnown = true;
    wasKnown = true;
  }

  // ---- what is settled -----------------------------------------------------------------------

  /** Whether all that this node owns is settled. */
  boolean isSettled() {
    return ring.predecessor().id().equals(settledAfter);
  }

  /** Whether a point of what this node owns is settled. */
  boolean isSettled(Identifier id) {
    return settledAfter != null && Identifier.betweenOrAt(settledAfter, id, ring.me().id());
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

  /** Whether this node says that somebody is its predecessor, and lets it own what is before. */
  boolean admits(Seat predecessor) {
    boolean isReady = creditors.isEmpty() && wasKnown;
    return RingPlacement.seat(ring.predecessor()).equals(predecessor)
        && (isReady || patientUntil <= shelf.now);
  }
}
