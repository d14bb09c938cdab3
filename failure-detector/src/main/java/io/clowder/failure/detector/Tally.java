// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.failure.detector.ViewState.Stance;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Counts who is suspected by how many, and decides who is in the view.
 *
 * <ol>
 *   <li>A member leaves when {@value #ACCUSERS} members in the view suspect it: never on one word.
 *   <li>It comes back when no member in the view suspects it. Between one word and two it stays
 *       where it is.
 *   <li>More than half of the members stay in the view, as many as a majority has: of three at most
 *       one is out, of two none.
 *   <li>The most suspected one leaves first, of several the one with the last name, and what it
 *       said goes with it: those whom it suspected are counted again without it. So when two parts
 *       of a cluster accuse each other, it is the smaller one that leaves, and not some of both.
 *   <li>Whoever comes back has nothing to say until it says it anew: what it thought while it was
 *       out is likely to be about its own failure, such as a broken network, and would now be
 *       counted.
 * </ol>
 *
 * <p>Ends, since words only get fewer: who comes back is suspected by nobody from then on.
 */
final class Tally {
  /** So many must suspect a member before it leaves. */
  static final int ACCUSERS = 2;

  private final SortedSet<NodeId> members;
  private final SortedSet<NodeId> removed;
  private final SortedMap<NodeId, Stance> stances;

  Tally(SortedSet<NodeId> members, SortedSet<NodeId> removed, SortedMap<NodeId, Stance> stances) {
    this.members = members;
    this.removed = new TreeSet<>(removed);
    this.stances = new TreeMap<>(stances);
  }

  SortedSet<NodeId> removed() {
    return removed;
  }

  SortedMap<NodeId, Stance> stances() {
    return stances;
  }

  /** How many of so many members may be out of the view. */
  static int removableOf(int members) {
    return Math.max(0, (members - 1) / 2);
  }

  /** Until nobody leaves or comes back any more. */
  void settle() {
    boolean isMoving = true;
    while (isMoving) {
      // Less than no room: members have left the cluster, and the others are too few in the view.
      isMoving = room() < 0 ? comeBack(Integer.MAX_VALUE) : (room() > 0 && leave()) || comeBack(0);
    }
  }

  private int room() {
    return removableOf(members.size()) - removed.size();
  }

  private int accusers(NodeId node) {
    int count = 0;
    for (Stance stance : stances.values()) {
      count += stance.suspects().containsKey(node) ? 1 : 0;
    }
    return count;
  }

  /** Whether somebody had to leave. */
  private boolean leave() {
    NodeId most = null;
    int count = ACCUSERS;
    for (NodeId node : members) {
      if (!removed.contains(node) && accusers(node) >= count) {
        most = node;
        count = accusers(node);
      }
    }
    if (most != null) {
      removed.add(most);
      stances.computeIfPresent(most, (observer, stance) -> stance.silenced());
    }
    return most != null;
  }

  /** Whether somebody came back who is suspected by at most so many: the least suspected one. */
  private boolean comeBack(int accusersMax) {
    NodeId least = null;
    for (NodeId node : removed) {
      int most = least == null ? accusersMax : accusers(least) - 1;
      if (accusers(node) <= most) {
        least = node;
      }
    }
    return least != null && removed.remove(least);
  }
}
