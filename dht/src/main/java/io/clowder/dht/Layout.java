// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.Arrays;

/**
 * Partitions laid out on nodes while a placement is made, all by number. Keeps count, and keeps the
 * rules: no node twice in a partition, and no more of a domain than there must be.
 */
final class Layout {
  /** Nobody. */
  static final int NONE = -1;

  final int partitions;
  final int replicas;
  final int nodes;

  /** How many partitions each node holds, and owns. */
  final int[] copies;

  final int[] owned;

  private final int[] domains;
  private final int copiesPerDomain;

  /** For each partition its slots, the owner's first. */
  private final int[] slots;

  /** For each node the partitions that it was given, of which it may have lost some again. */
  private final int[][] given;

  private final int[] givenCount;

  Layout(int partitions, int replicas, int[] domains, int copiesPerDomain) {
    this.partitions = partitions;
    this.replicas = replicas;
    this.domains = domains;
    this.copiesPerDomain = copiesPerDomain;
    nodes = domains.length;
    copies = new int[nodes];
    owned = new int[nodes];
    slots = new int[partitions * replicas];
    Arrays.fill(slots, NONE);
    given = new int[nodes][4];
    givenCount = new int[nodes];
  }

  int get(int partition, int slot) {
    return slots[partition * replicas + slot];
  }

  int owner(int partition) {
    return get(partition, 0);
  }

  /** The slot of a node, or with {@link #NONE} a vacant one; negative if there is none. */
  int slotOf(int partition, int node) {
    for (int i = 0; i < replicas; i++) {
      if (get(partition, i) == node) {
        return i;
      }
    }
    return -1;
  }

  boolean holds(int node, int partition) {
    return slotOf(partition, node) >= 0;
  }

  /** Whether a node may hold a partition in the place of another, or of nobody. */
  boolean fits(int partition, int node, int instead) {
    int sameDomain = 0;
    for (int i = 0; i < replicas; i++) {
      int holder = get(partition, i);
      if (holder == node) {
        return false;
      }
      boolean isCounted = holder != NONE && holder != instead;
      sameDomain += isCounted && domains[holder] == domains[node] ? 1 : 0;
    }
    return sameDomain < copiesPerDomain;
  }

  /** Puts a node, or nobody, into a slot. */
  void set(int partition, int slot, int node) {
    int before = get(partition, slot);
    if (before != NONE) {
      copies[before]--;
      owned[before] -= slot == 0 ? 1 : 0;
    }
    slots[partition * replicas + slot] = node;
    if (node != NONE) {
      copies[node]++;
      owned[node] += slot == 0 ? 1 : 0;
      if (givenCount[node] == given[node].length) {
        given[node] = Arrays.copyOf(given[node], 2 * givenCount[node]);
      }
      given[node][givenCount[node]++] = partition;
    }
  }

  /** Makes a holder the owner, which gets its slot. */
  void setOwner(int partition, int node) {
    int slot = slotOf(partition, node);
    int before = owner(partition);
    if (slot > 0) {
      slots[partition * replicas] = node;
      slots[partition * replicas + slot] = before;
      owned[node]++;
      if (before != NONE) {
        owned[before]--;
      }
    }
  }

  /** The partitions that a node holds, some maybe twice; as they are now. */
  int[] held(int node) {
    return Arrays.stream(given[node], 0, givenCount[node]).filter(it -> holds(node, it)).toArray();
  }
}
