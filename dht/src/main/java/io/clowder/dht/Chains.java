// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Arrays;

/**
 * Shortest chains of moves by which a node gets what it lacks through others that have enough:
 * augmenting paths, as in matching and flow.
 */
final class Chains {
  /** How many holders are looked at for all chains of copies together. */
  private static final long STEPS = 100_000_000;

  private final Layout layout;
  private final Quotas quotas;

  /** Whether another owner is nothing new to a partition. */
  private final boolean[] isOwnerNew;

  /** From which node, by which partition, a node was reached. */
  private final int[] from;

  private final int[] by;
  private final int[] queue;
  private final boolean[] isReached;

  private final Search cheap;
  private final Search cheapForAny;
  private final Search thorough;
  private int queued;
  private long steps;

  /**
   * How to look for a node that owns too little.
   *
   * @param isCheap whether only partitions may get another owner that get one anyway
   * @param isAny whether a node will do that owns enough, and may own one more
   * @param isHopeless from where nobody was found before, so that it is not tried again. If all
   *     partitions may move that stays so: what those own is held among them, and no chain passes
   *     there. If not, it is only seldom otherwise
   */
  private record Search(boolean isCheap, boolean isAny, boolean[] isHopeless) {}

  Chains(Layout layout, Quotas quotas) {
    this.layout = layout;
    this.quotas = quotas;
    isOwnerNew = new boolean[layout.partitions];
    from = new int[layout.nodes];
    by = new int[layout.nodes];
    queue = new int[layout.nodes];
    isReached = new boolean[layout.nodes];
    cheap = new Search(true, false, new boolean[layout.nodes]);
    cheapForAny = new Search(true, true, new boolean[layout.nodes]);
    thorough = new Search(false, false, new boolean[layout.nodes]);
  }

  private void reach(int node, int fromNode, int byPartition) {
    isReached[node] = true;
    from[node] = fromNode;
    by[node] = byPartition;
    queue[queued++] = node;
  }

  /**
   * The partitions without an owner each get one of those that hold them, if there are any: by
   * moves of such partitions alone if that is possible, even if another node than thought is to own
   * one more for it.
   */
  void succeed() {
    int lacking = 0;
    for (int i = 0; i < layout.nodes; i++) {
      lacking += layout.copies[i] > 0 ? Math.max(0, -surplus(i)) : 0;
    }
    for (int i = 0; i < layout.partitions; i++) {
      isOwnerNew[i] = layout.owner(i) == Layout.NONE;
    }
    for (int i = 0; i < layout.partitions; i++) {
      int heir = isOwnerNew[i] && layout.owner(i) == Layout.NONE ? least(i) : Layout.NONE;
      if (heir != Layout.NONE && (lacking == 0 || !succeed(i))) {
        layout.setOwner(i, heir);
      } else if (heir != Layout.NONE) {
        lacking--;
      }
    }
  }

  private boolean succeed(int partition) {
    int last = owner(partition, Layout.NONE, cheap);
    int lowered = last == Layout.NONE ? lowered() : Layout.NONE;
    if (lowered != Layout.NONE) {
      last = owner(partition, Layout.NONE, cheapForAny);
      if (last != Layout.NONE) {
        quotas.owned()[last]++;
        quotas.owned()[lowered]--;
      }
    }
    if (last == Layout.NONE) {
      last = owner(partition, Layout.NONE, thorough);
    }
    passOwner(last);
    return last != Layout.NONE;
  }

  /** A node that lacks one more than it must have. */
  private int lowered() {
    for (int i = 0; i < layout.nodes; i++) {
      if (layout.copies[i] > 0 && surplus(i) < 0 && quotas.isLowerable(i)) {
        return i;
      }
    }
    return Layout.NONE;
  }

  /** The holder that owns least for what it is to own, but for the owner. */
  int least(int partition) {
    int best = Layout.NONE;
    for (int i = 1; i < layout.replicas; i++) {
      int holder = layout.get(partition, i);
      if (holder != Layout.NONE && (best == Layout.NONE || surplus(holder) < surplus(best))) {
        best = holder;
      }
    }
    return best;
  }

  private int surplus(int node) {
    return layout.owned[node] - quotas.owned()[node];
  }

  /** Looks from a partition without an owner, or else from a node that owns too much. */
  private int owner(int partition, int node, Search how) {
    queued = 0;
    System.arraycopy(how.isHopeless, 0, isReached, 0, layout.nodes);
    int found = Layout.NONE;
    if (node != Layout.NONE) {
      reach(node, Layout.NONE, Layout.NONE);
    } else {
      found = reachHolders(partition, Layout.NONE, how);
    }
    for (int i = 0; i < queued && found == Layout.NONE; i++) {
      found = reachFrom(queue[i], how);
    }
    for (int i = 0; i < queued && found == Layout.NONE; i++) {
      how.isHopeless[queue[i]] = true;
    }
    return found;
  }

  private int reachFrom(int node, Search how) {
    int found = Layout.NONE;
    int[] held = layout.held(node);
    for (int i = 0; i < held.length && found == Layout.NONE; i++) {
      if (layout.owner(held[i]) == node && (!how.isCheap || isOwnerNew[held[i]])) {
        found = reachHolders(held[i], node, how);
      }
    }
    return found;
  }

  private int reachHolders(int partition, int fromNode, Search how) {
    int best = Layout.NONE;
    for (int i = 0; i < layout.replicas; i++) {
      int holder = layout.get(partition, i);
      if (holder != Layout.NONE && !isReached[holder]) {
        reach(holder, fromNode, partition);
        boolean isLacking = surplus(holder) < 0;
        boolean isWanted =
            isLacking || (how.isAny && surplus(holder) == 0 && quotas.isRaisable(holder));
        if (isWanted && (best == Layout.NONE || surplus(holder) < surplus(best))) {
          best = holder;
        }
      }
    }
    return best;
  }

  private void passOwner(int last) {
    for (int node = last; node != Layout.NONE && by[node] != Layout.NONE; node = from[node]) {
      layout.setOwner(by[node], node);
      isOwnerNew[by[node]] = true;
    }
  }

  /** Fills what is vacant still, and takes from who has too much still, copies and ownership. */
  void finish() {
    for (int i = 0; i < layout.partitions; i++) {
      while (layout.slotOf(i, Layout.NONE) >= 0) {
        if (!passCopy(i, Layout.NONE)) {
          fillAnyhow(i);
        }
      }
    }
    for (int i = 0; i < layout.nodes; i++) {
      boolean isStuck = false;
      while (!isStuck && layout.copies[i] > quotas.copies()[i]) {
        isStuck = !passCopy(Layout.NONE, i);
      }
    }
    Arrays.fill(thorough.isHopeless, false);
    for (int i = 0; i < layout.nodes; i++) {
      int last = 0;
      while (last != Layout.NONE && surplus(i) > 0) {
        last = owner(Layout.NONE, i, thorough);
        passOwner(last);
      }
    }
  }

  /** A partition with too few copies is worse than a node with too many. */
  private void fillAnyhow(int partition) {
    int best = Layout.NONE;
    for (int i = 0; i < layout.nodes; i++) {
      boolean isBetter = best == Layout.NONE || excess(i) < excess(best);
      if (isBetter && layout.fits(partition, i, Layout.NONE)) {
        best = i;
      }
    }
    if (best == Layout.NONE) {
      throw new AssertionError("no room for partition " + partition);
    }
    replace(partition, Layout.NONE, best);
  }

  private int excess(int node) {
    return layout.copies[node] - quotas.copies()[node];
  }

  /** A copy goes from a node, or comes to a partition, so that a node gets one that has too few. */
  private boolean passCopy(int partition, int node) {
    queued = 0;
    Arrays.fill(isReached, false);
    int found = Layout.NONE;
    if (node == Layout.NONE) {
      found = reachFitting(partition, Layout.NONE);
    } else {
      reach(node, Layout.NONE, Layout.NONE);
    }
    for (int i = 0; i < queued && found == Layout.NONE && steps < STEPS; i++) {
      for (int next : layout.held(queue[i])) {
        found = reachFitting(next, queue[i]);
        if (found != Layout.NONE) {
          break;
        }
      }
    }
    return found != Layout.NONE && moveAlong(found);
  }

  private int reachFitting(int partition, int fromNode) {
    steps += layout.nodes;
    for (int i = 0; i < layout.nodes; i++) {
      if (!isReached[i] && layout.fits(partition, i, fromNode)) {
        reach(i, fromNode, partition);
        if (layout.copies[i] < quotas.copies()[i]) {
          return i;
        }
      }
    }
    return Layout.NONE;
  }

  /** Moves of one chain in the same partition can be in each other's way: then it is undone. */
  private boolean moveAlong(int last) {
    int node = last;
    while (node != Layout.NONE && by[node] != Layout.NONE) {
      if (!layout.fits(by[node], node, from[node])) {
        for (int back = last; back != node; back = from[back]) {
          replace(by[back], back, from[back]);
        }
        return false;
      }
      replace(by[node], from[node], node);
      node = from[node];
    }
    return true;
  }

  /** A node takes a copy of another, or a vacant place, and is the owner only if it is alone. */
  void replace(int partition, int leaving, int coming) {
    int slot = layout.slotOf(partition, leaving);
    int heir = slot == 0 ? least(partition) : Layout.NONE;
    layout.set(partition, slot, coming);
    if (heir != Layout.NONE) {
      layout.setOwner(partition, heir);
    }
  }
}
