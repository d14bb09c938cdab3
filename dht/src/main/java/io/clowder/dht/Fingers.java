// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Shortcuts over the ring: the members that come first from half the ring on, from a quarter on,
 * and so forth (Chord, ToN, section IV-D). Nearer than the end of the successor list there is
 * nothing to be gained, so that about log2(N / r) of the 160 are kept.
 *
 * <p>Each has alternates, the members after it, for when it does not answer (section VI-E).
 */
final class Fingers {
  private final Ring ring;

  /** By exponent: at the end of 2^exponent from here. */
  private final NavigableMap<Integer, List<Member>> slots = new TreeMap<>();

  private int next = Identifier.BITS - 1;
  private long revision;

  Fingers(Ring ring) {
    this.ring = ring;
  }

  /** Each with its alternates, the nearest finger first. */
  Collection<List<Member>> all() {
    return slots.values();
  }

  /** Another number whenever {@link #all} may be another. */
  long revision() {
    return revision;
  }

  /** The exponent of the finger that was looked up least recently; -1 if there are none to keep. */
  int next() {
    int lowest = lowest();
    if (!slots.isEmpty() && slots.firstKey() < lowest) {
      slots.headMap(lowest, false).clear();
      revision++;
    }
    if (lowest == Identifier.BITS) {
      return -1;
    }
    int exponent = next < lowest ? Identifier.BITS - 1 : next;
    next = exponent - 1;
    return exponent;
  }

  /** How many fingers there are to keep. */
  int count() {
    return Identifier.BITS - lowest();
  }

  private int lowest() {
    Successors list = ring.successors();
    // A list that goes round to this member and on shows the whole ring.
    return list.isOrdered(ring.me)
        ? ring.me.id().distanceTo(list.last().id()).highestBit() + 1
        : Identifier.BITS;
  }

  /** What the lookup of a finger found. */
  void put(int exponent, Member owner, Collection<Member> after) {
    List<Member> finger = new ArrayList<>();
    if (!owner.equals(ring.me)) {
      finger.add(owner);
      for (Member member : after) {
        if (finger.size() < ring.settings.alternates() && !member.equals(ring.me)) {
          finger.add(member);
        }
      }
    }
    List<Member> former = finger.isEmpty() ? slots.remove(exponent) : slots.put(exponent, finger);
    if (!finger.equals(former)) {
      revision++;
    }
  }

  /** A member does not answer. */
  void drop(Member member) {
    slots.values().forEach(it -> it.remove(member));
    slots.values().removeIf(List::isEmpty);
    revision++;
  }
}
