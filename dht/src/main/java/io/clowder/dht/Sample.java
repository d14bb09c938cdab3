// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A set of so many members at most. Beyond that, chance decides who is forgotten: were it age, a
 * burst of failures on one side of a partition would wipe out all memory of the other side.
 */
final class Sample {
  private final int max;
  private final RandomGenerator random;
  private final List<Member> members = new ArrayList<>();
  private final Map<Member, Integer> places = new HashMap<>();

  Sample(int max, RandomGenerator random) {
    this.max = max;
    this.random = random;
  }

  void add(Member member) {
    if (places.containsKey(member)) {
      return;
    }
    if (members.size() == max) {
      remove(members.get(random.nextInt(max)));
    }
    places.put(member, members.size());
    members.add(member);
  }

  /** Removes a member; false if it is not there. */
  boolean remove(Member member) {
    Integer place = places.remove(member);
    if (place == null) {
      return false;
    }
    Member last = members.remove(members.size() - 1);
    if (!last.equals(member)) {
      members.set(place, last);
      places.put(last, place);
    }
    return true;
  }

  boolean contains(Member member) {
    return places.containsKey(member);
  }

  /** One of them, by chance; null if there are none. */
  @Nullable Member any() {
    return members.isEmpty() ? null : members.get(random.nextInt(members.size()));
  }
}
