// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Judges histories of a map: is there an order of the operations on each key that respects real
 * time and in which every client was told the truth? After Wing and Gong, with Lowe's memory of
 * states that lead nowhere.
 */
public final class Linearizability {
  private Linearizability() {}

  /**
   * Checks every key.
   *
   * @throws AssertionError with the shortest part found that cannot be, one operation per line
   */
  public static void check(History history) {
    history
        .byKey()
        .forEach(
            (key, operations) -> {
              var violation = violation(operations);
              if (violation != null) {
                throw new AssertionError(violation);
              }
            });
  }

  /** Why the operations on one key cannot be, or null if they can. */
  static @Nullable String violation(List<Operation> operations) {
    var verdict = judge(operations);
    if (verdict == null || verdict.startsWith(LinearizationSearch.UNDECIDED)) {
      // Shorter parts of what could not be decided would take as long, each of them.
      return verdict;
    }
    var shortest = shrink(operations);
    var why = judge(shortest);
    var lines = new StringBuilder("not linearizable: ").append(why == null ? verdict : why);
    shortest.forEach(operation -> lines.append("\n  ").append(operation));
    return lines.toString();
  }

  private static @Nullable String judge(List<Operation> operations) {
    List<Operation> relevant = new ArrayList<>();
    for (var operation : operations) {
      // A read whose result nobody saw says nothing.
      if (operation.outcome() != Outcome.UNKNOWN || operation.kind() != Kind.GET) {
        relevant.add(operation);
      }
    }
    if (isPossible(seen(relevant))) {
      return null;
    }
    try {
      return new LinearizationSearch(relevant).find() ? null : "no order of these explains them";
    } catch (LinearizationSearch.Contradiction contradiction) {
      return contradiction.getMessage();
    }
  }

  private static boolean isPossible(List<Operation> operations) {
    try {
      return new LinearizationSearch(operations).find();
    } catch (LinearizationSearch.Contradiction contradiction) {
      return false;
    }
  }

  /**
   * Without the operations of unknown outcome that no read saw. They may never have happened; where
   * the rest can be without them, there is no need to try all places they could have.
   */
  private static List<Operation> seen(List<Operation> operations) {
    Set<Long> read = new HashSet<>();
    for (var operation : operations) {
      if (operation.kind() == Kind.GET) {
        read.add(operation.value());
      }
    }
    return operations.stream()
        .filter(it -> it.end() != Operation.NEVER || (it.isWrite() && read.contains(it.value())))
        .toList();
  }

  /**
   * A shorter part that cannot be either. Only steps that keep a possible history possible are
   * taken: to forget what happened after some time, to forget what was merely seen, and to forget
   * writes whose presence nothing that is left depends on.
   */
  private static List<Operation> shrink(List<Operation> operations) {
    var shortest = cutEnd(operations);
    for (boolean progress = true; progress; ) {
      progress = false;
      for (int i = shortest.size() - 1; i >= 0; i--) {
        if (isForgettable(shortest, i)) {
          List<Operation> shorter = new ArrayList<>(shortest);
          shorter.remove(i);
          if (judge(shorter) != null) {
            shortest = shorter;
            progress = true;
          }
        }
      }
    }
    return shortest;
  }

  /** The shortest beginning that cannot be: found by halving, as longer ones cannot be either. */
  private static List<Operation> cutEnd(List<Operation> operations) {
    SortedSet<Long> ends = new TreeSet<>();
    operations.forEach(operation -> ends.add(operation.end()));
    List<Long> times = List.copyOf(ends);
    int low = 0;
    int high = times.size() - 1;
    while (low < high) {
      int middle = (low + high) / 2;
      if (judge(until(operations, times.get(middle))) == null) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return until(operations, times.get(high));
  }

  private static List<Operation> until(List<Operation> operations, long time) {
    List<Operation> earlier = new ArrayList<>();
    for (var operation : operations) {
      if (operation.begin() <= time) {
        earlier.add(operation.end() <= time ? operation : operation.unknown());
      }
    }
    return earlier;
  }

  private static boolean isForgettable(List<Operation> operations, int index) {
    var candidate = operations.get(index);
    if (candidate.outcome() == Outcome.CONFLICT || candidate.kind() == Kind.GET) {
      return true;
    }
    boolean seen = false;
    boolean counts = false;
    for (var other : operations) {
      seen |= other.kind() == Kind.GET && other.value() == candidate.value();
      seen |= other.kind() == Kind.CAS && other.expected() == candidate.version();
      // Whether something was there, or another version, can be due to a write that no one read.
      counts |=
          !other.equals(candidate) && (other.kind() == Kind.DELETE || other.kind() == Kind.CAS);
      counts |= other.kind() == Kind.GET && other.value() == 0;
    }
    return candidate.kind() == Kind.DELETE ? !counts : !seen && !counts;
  }
}
