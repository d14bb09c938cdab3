// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The invariants of Zave's "Reasoning about identifier spaces", section V, on the members of a ring
 * at one moment. The first two are the inductive invariant, which implies the others; those are
 * checked all the same, since the implication is what a wrong reading of the paper would break.
 *
 * <p>A member's <em>extended</em> list is itself and its successor list. Its best successor is the
 * first in that list that lives. Ring members come back to themselves by best successors; the other
 * members are appendages.
 */
final class Invariants {
  private final Map<Member, List<Member>> lists;
  private final Map<Member, Member> best = new HashMap<>();
  private final int listLength;

  /**
   * Of these members.
   *
   * @param lists their extended lists
   */
  Invariants(Map<Member, List<Member>> lists, int listLength) {
    this.lists = lists;
    this.listLength = listLength;
    lists.forEach(
        (member, list) -> {
          Member first = firstLive(list);
          if (first != null) {
            best.put(member, first);
          }
        });
  }

  static List<Member> extended(Member me, List<Member> successors) {
    List<Member> list = new ArrayList<>(successors.size() + 1);
    list.add(me);
    list.addAll(successors);
    return list;
  }

  private @Nullable Member firstLive(List<Member> extended) {
    for (int i = 1; i < extended.size(); i++) {
      if (lists.containsKey(extended.get(i))) {
        return extended.get(i);
      }
    }
    return null;
  }

  /** Which is violated, and where; null if none is. */
  @Nullable String violation() {
    String violation = inductive();
    return violation == null ? claimed() : violation;
  }

  /** As {@link #violation}, of what the published Chord was said to keep, and Zave's implies. */
  @Nullable String claimed() {
    String violation = noDuplicates();
    violation = violation == null ? orderedSuccessorLists() : violation;
    return violation == null ? ring() : violation;
  }

  /** OneLiveSuccessor and SufficientPrincipals. */
  @Nullable String inductive() {
    String violation = oneLiveSuccessor();
    if (violation != null) {
      return violation;
    }
    int principals = principals();
    return principals <= listLength ? "SufficientPrincipals: " + principals : null;
  }

  @Nullable String oneLiveSuccessor() {
    for (List<Member> list : lists.values()) {
      if (firstLive(list) == null) {
        return "OneLiveSuccessor: " + list;
      }
    }
    return null;
  }

  /** How many members there are that no extended list skips. */
  private int principals() {
    Set<Member> principals = new HashSet<>(lists.keySet());
    for (List<Member> list : lists.values()) {
      for (int i = 1; i < list.size(); i++) {
        Member from = list.get(i - 1);
        Member to = list.get(i);
        principals.removeIf(it -> Member.between(from, it, to));
      }
    }
    return principals.size();
  }

  private @Nullable String noDuplicates() {
    for (List<Member> list : lists.values()) {
      if (list.stream().distinct().count() < list.size()) {
        return "NoDuplicates: " + list;
      }
    }
    return null;
  }

  private @Nullable String orderedSuccessorLists() {
    for (List<Member> list : lists.values()) {
      for (int i = 1; i + 1 < list.size(); i++) {
        // Of all sublists of three it is enough to look at those that begin with the member.
        if (!Member.between(list.get(0), list.get(i), list.get(i + 1))) {
          return "OrderedSuccessorLists: " + list;
        }
      }
    }
    return null;
  }

  /** AtLeastOneRing, AtMostOneRing, OrderedRing, ConnectedAppendages. */
  private @Nullable String ring() {
    Set<Member> ring = new HashSet<>();
    for (Member member : lists.keySet()) {
      if (reaches(member, member)) {
        ring.add(member);
      }
    }
    if (ring.isEmpty()) {
      return "AtLeastOneRing: " + best;
    }
    Member one = ring.iterator().next();
    for (Member member : lists.keySet()) {
      if (!reaches(member, one)) {
        return (ring.contains(member) ? "AtMostOneRing: " : "ConnectedAppendages: ") + best;
      }
    }
    for (Member member : ring) {
      Member next = best.get(member);
      for (Member other : ring) {
        if (Member.between(member, other, next)) {
          return "OrderedRing: " + other + " is skipped by " + member + " of " + best;
        }
      }
    }
    return null;
  }

  /** Whether best successors lead, in one step or more, from one member to another. */
  private boolean reaches(Member from, Member to) {
    Member at = from;
    for (int steps = 0; steps < lists.size(); steps++) {
      Member next = best.get(at);
      if (next == null) {
        return false;
      } else if (next.equals(to)) {
        return true;
      }
      at = next;
    }
    return false;
  }
}
