// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Brings a layout to what each node is to hold and own, with few moves: a vacancy goes to a node
 * that has too little, and who has too much gives no more than that. What is stuck after that,
 * since those that have too little do not fit, goes through others ({@link Chains}).
 */
final class Balancing {
  /** So many nodes are looked at for the one that has the least before the next that fits does. */
  private static final int PROBES = 8;

  private final Layout layout;
  private final Quotas quotas;
  private final SplittableRandom random;
  private final Chains chains;

  /** The nodes that hold less than they are to. */
  private final int[] room;

  private int roomSize;

  Balancing(Layout layout, Quotas quotas, SplittableRandom random) {
    this.layout = layout;
    this.quotas = quotas;
    this.random = random;
    chains = new Chains(layout, quotas);
    room = new int[layout.nodes];
  }

  /**
   * Does it. An owner that is gone is replaced by one of those that have the data, before nodes
   * that have none come in.
   */
  void run() {
    chains.succeed();
    for (int i = 0; i < layout.nodes; i++) {
      if (lacks(i) > 0) {
        room[roomSize++] = i;
      }
    }
    fillVacancies();
    for (int i = 0; i < layout.nodes; i++) {
      shedOwned(i);
    }
    for (int i = 0; i < layout.nodes; i++) {
      shedCopies(i);
    }
    chains.finish();
  }

  private int lacks(int node) {
    return quotas.copies()[node] - layout.copies[node];
  }

  private int lacksOwned(int node) {
    return quotas.owned()[node] - layout.owned[node];
  }

  private void fillVacancies() {
    for (int slot = 0; slot < layout.replicas; slot++) {
      for (int i = 0; i < layout.partitions; i++) {
        if (layout.get(i, slot) == Layout.NONE) {
          int node = choose(i, Layout.NONE, slot == 0);
          if (node != Layout.NONE) {
            layout.set(i, slot, node);
          }
        }
      }
    }
  }

  /** A node that has room and fits; nobody if there is none. */
  private int choose(int partition, int instead, boolean isOwner) {
    int best = Layout.NONE;
    double most = 0;
    int seen = 0;
    int start = roomSize == 0 ? 0 : random.nextInt(roomSize);
    for (int i = 0; i < roomSize && (seen < PROBES || best == Layout.NONE); i++) {
      int at = (start + i) % roomSize;
      int node = room[at];
      if (lacks(node) <= 0) {
        room[at] = room[--roomSize];
        i--;
        continue;
      }
      seen++;
      double need =
          isOwner
              ? (double) lacksOwned(node) / Math.max(1, quotas.owned()[node])
              : (double) lacks(node) / quotas.copies()[node];
      if ((best == Layout.NONE || need > most) && layout.fits(partition, node, instead)) {
        best = node;
        most = need;
      }
    }
    return best;
  }

  /** To holders that own too little, then to nodes that hold too little as well. */
  private void shedOwned(int node) {
    if (lacksOwned(node) >= 0) {
      return;
    }
    int[] held = held(node);
    for (int i = 0; i < held.length && lacksOwned(node) < 0; i++) {
      if (layout.owner(held[i]) == node) {
        int heir = chains.least(held[i]);
        if (heir != Layout.NONE && lacksOwned(heir) > 0) {
          layout.setOwner(held[i], heir);
        }
      }
    }
    for (int i = 0; i < held.length && lacksOwned(node) < 0 && roomSize > 0; i++) {
      if (layout.owner(held[i]) == node) {
        bringOwner(held[i]);
      }
    }
  }

  /** A new owner takes the place of a holder that has too much, the present owner if it has. */
  private void bringOwner(int partition) {
    for (int i = 0; i < layout.replicas; i++) {
      int holder = layout.get(partition, i);
      if (holder != Layout.NONE && lacks(holder) < 0) {
        int node = choose(partition, holder, true);
        if (node != Layout.NONE && lacksOwned(node) > 0) {
          layout.set(partition, i, node);
          layout.setOwner(partition, node);
          return;
        }
      }
    }
  }

  /** Copies that it does not own, then those that another can own. */
  private void shedCopies(int node) {
    if (lacks(node) >= 0) {
      return;
    }
    int[] held = held(node);
    for (int i = 0; i < held.length && lacks(node) < 0 && roomSize > 0; i++) {
      int slot = layout.slotOf(held[i], node);
      int other = slot > 0 ? choose(held[i], node, false) : Layout.NONE;
      if (other != Layout.NONE) {
        layout.set(held[i], slot, other);
      }
    }
    for (int i = 0; i < held.length && lacks(node) < 0 && roomSize > 0; i++) {
      if (layout.owner(held[i]) == node) {
        int other = choose(held[i], node, true);
        if (other != Layout.NONE) {
          chains.replace(held[i], node, other);
        }
      }
    }
  }

  /** From anywhere on, so that what goes is not always the same. */
  private int[] held(int node) {
    int[] held = Arrays.stream(layout.held(node)).distinct().toArray();
    for (int i = held.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = held[i];
      held[i] = held[j];
      held[j] = swapped;
    }
    return held;
  }
}
