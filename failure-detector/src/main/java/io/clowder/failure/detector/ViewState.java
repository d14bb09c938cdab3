// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.ClusterView;
import io.clowder.failure.detector.ViewRequest.Opinion;
import io.clowder.failure.detector.ViewRequest.Roster;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Who is a member, who is out of the view, and what was said about whom. A value: what an entry
 * changes is another one.
 *
 * @param segment the segment of the group whose members these are; -1 if there are none yet
 * @param removed those of them that are out of the view
 * @param stances what members said; a removed one has the word again when it is in the view again,
 *     and until then suspects nobody
 * @param number of the view
 * @param position of the entry that made it
 */
record ViewState(
    int segment,
    SortedSet<NodeId> members,
    SortedSet<NodeId> removed,
    SortedMap<NodeId, Stance> stances,
    long number,
    long position) {
  static final ViewState EMPTY =
      new ViewState(-1, new TreeSet<>(), new TreeSet<>(), new TreeMap<>(), 0, 0);

  /**
   * What a member said last.
   *
   * @param incarnation the life in which it did
   * @param session the session of the log in whose name; what it said does not outlive it
   * @param suspects other members, and which life of each it knew
   */
  record Stance(long incarnation, long session, SortedMap<NodeId, Long> suspects) {
    Stance {
      suspects = Collections.unmodifiableSortedMap(new TreeMap<>(suspects));
    }

    /** The same life with nothing to say. */
    Stance silenced() {
      return new Stance(incarnation, session, new TreeMap<>());
    }

    /** The same without suspects that are no members. */
    Stance among(SortedSet<NodeId> members) {
      SortedMap<NodeId, Long> left = new TreeMap<>(suspects);
      left.keySet().retainAll(members);
      return new Stance(incarnation, session, left);
    }
  }

  ViewState {
    members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
    removed = Collections.unmodifiableSortedSet(new TreeSet<>(removed));
    stances = Collections.unmodifiableSortedMap(new TreeMap<>(stances));
  }

  /** Whom the view of {@code number} consists of. */
  ClusterView view() {
    SortedSet<NodeId> in = new TreeSet<>(members);
    in.removeAll(removed);
    return new ClusterView(number, position, in, removed, true);
  }

  /** Whether the node is a member and in the view. */
  boolean isInView(NodeId node) {
    return members.contains(node) && !removed.contains(node);
  }

  /** Other members from a later segment on. */
  ViewState with(Roster roster, long at) {
    if (roster.segment() <= segment) {
      return this;
    }
    SortedSet<NodeId> stillRemoved = new TreeSet<>(removed);
    stillRemoved.retainAll(roster.members());
    SortedMap<NodeId, Stance> left = new TreeMap<>();
    stances.forEach(
        (observer, stance) -> {
          if (roster.members().contains(observer)) {
            left.put(observer, stance.among(roster.members()));
          }
        });
    return settled(roster.segment(), roster.members(), stillRemoved, left, at);
  }

  /** What a member has to say, in the name of a session. */
  ViewState with(Opinion opinion, long session, long at) {
    NodeId observer = opinion.observer();
    Stance before = stances.get(observer);
    boolean isStale = before != null && opinion.incarnation() < before.incarnation;
    if (isStale || !members.contains(observer)) {
      return this;
    }
    SortedMap<NodeId, Long> suspects = new TreeMap<>(opinion.suspects());
    suspects.remove(observer);
    Stance stance = new Stance(opinion.incarnation(), session, suspects).among(members);
    return with(observer, removed.contains(observer) ? stance.silenced() : stance, at);
  }

  /**
   * A session has ended: its owner has gone, or cannot reach the group, and must not keep anybody
   * out of the view any longer. If it lives, it will say again what it thinks.
   */
  ViewState ended(long session, long at) {
    SortedMap<NodeId, Stance> left = new TreeMap<>(stances);
    left.replaceAll((observer, it) -> it.session == session ? it.silenced() : it);
    return left.equals(stances) ? this : settled(segment, members, removed, left, at);
  }

  private ViewState with(NodeId observer, Stance stance, long at) {
    SortedMap<NodeId, Stance> all = new TreeMap<>(stances);
    all.put(observer, stance);
    return settled(segment, members, removed, all, at);
  }

  /** The view follows what was said; its number rises by one if it is another one. */
  private ViewState settled(
      int nextSegment,
      SortedSet<NodeId> nextMembers,
      SortedSet<NodeId> nextRemoved,
      SortedMap<NodeId, Stance> nextStances,
      long at) {
    Tally tally = new Tally(nextMembers, nextRemoved, nextStances);
    tally.settle();
    boolean isSame = nextMembers.equals(members) && tally.removed().equals(removed);
    return new ViewState(
        nextSegment,
        nextMembers,
        tally.removed(),
        tally.stances(),
        isSame ? number : number + 1,
        isSame ? position : at);
  }
}
