// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Those that begin a ring together, in the order of the ring. Immutable. */
final class Founders {
  private final List<Member> circle;

  /**
   * Of all of them.
   *
   * @throws IllegalArgumentException if there are none, or two at one place
   */
  Founders(Collection<Member> members) {
    List<Member> sorted = new ArrayList<>(members);
    sorted.sort(Comparator.comparing(Member::id));
    if (sorted.isEmpty()) {
      throw new IllegalArgumentException("nobody founds no ring");
    }
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i).id().equals(sorted.get(i - 1).id())) {
        throw new IllegalArgumentException("two founders at one place: " + sorted.get(i));
      }
    }
    circle = List.copyOf(sorted);
  }

  int size() {
    return circle.size();
  }

  /** In the order of the ring. */
  List<Member> all() {
    return circle;
  }

  boolean contains(Member member) {
    return get(placeFrom(member.id())).equals(member);
  }

  /** The place of the first member at or after a point. */
  int placeFrom(Identifier point) {
    int from = 0;
    int to = circle.size();
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (circle.get(middle).id().compareTo(point) < 0) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  /** The member at a place, round and round. */
  Member get(int place) {
    return circle.get(Math.floorMod(place, circle.size()));
  }

  /** So many, from a place on. */
  List<Member> from(int place, int count) {
    List<Member> members = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      members.add(get(place + i));
    }
    return members;
  }
}
