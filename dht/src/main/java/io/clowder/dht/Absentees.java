// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Members that this one knows and does without: the silent, who did not answer and may be behind a
 * broken link, and the gone, whose own node said so. Lookups go round both. The silent are asked
 * now and then whether they are back: the passive list of Ring Unification (Shafaat, Ghodsi,
 * Haridi, "Dealing with network partitions in structured overlay networks", 2009).
 *
 * <p>Of each kind so many are remembered; beyond that, chance or age decides who is forgotten.
 */
final class Absentees {
  private final int max;
  private final RandomGenerator random;
  private final List<Member> silent = new ArrayList<>();
  private final Map<Member, Integer> places = new HashMap<>();
  private final Set<Member> gone = new LinkedHashSet<>();

  Absentees(int max, RandomGenerator random) {
    this.max = max;
    this.random = random;
  }

  /** A member did not answer. */
  void silent(Member member) {
    if (member.isArtificial() || member.life() == 0 || isAbsent(member)) {
      return;
    }
    if (silent.size() == max) {
      // Chance, so that what is kept is a sample of all: with the oldest thrown out first, a burst
      // of failures on this side of a partition would wipe out all memory of the other side.
      forget(silent.get(random.nextInt(max)));
    }
    places.put(member, silent.size());
    silent.add(member);
  }

  /** Forgets that a member was silent; false if it was not. */
  boolean forget(Member member) {
    Integer place = places.remove(member);
    if (place == null) {
      return false;
    }
    Member last = silent.remove(silent.size() - 1);
    if (!last.equals(member)) {
      silent.set(place, last);
      places.put(last, place);
    }
    return true;
  }

  /** A member is no more. */
  void gone(Member member) {
    forget(member);
    if (gone.add(member) && gone.size() > max) {
      Iterator<Member> oldest = gone.iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /** Whether a member is known to be no more. */
  boolean isGone(Member member) {
    return gone.contains(member);
  }

  /** Whether it is better not to count on a member. */
  boolean isAbsent(Member member) {
    return places.containsKey(member) || gone.contains(member);
  }

  /** One of the silent, by chance; null if there is none. */
  @Nullable Member any() {
    return silent.isEmpty() ? null : silent.get(random.nextInt(silent.size()));
  }
}
