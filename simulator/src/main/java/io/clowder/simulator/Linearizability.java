// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Judges histories of a map: is there an order of the operations on each key that respects real
 * time and in which every client was told the truth? After Wing and Gong, with Lowe's memory of
 * states that lead nowhere.
 */
public final class Linearizability {
  private static final int STEPS_MAX = 20_000_000;
  private static final int STEPS_EASY = 300_000;

  private Linearizability() {}

  /**
   * Checks every key.
   *
   * @throws AssertionError with the shortest part found that cannot be, one operation per line; or
   *     if too many outcomes are unknown for an answer
   */
  public static void check(History history) {
    check(history, STEPS_MAX, true);
  }

  /**
   * As {@link #check}, but passes keys that have too many unknown outcomes for a quick answer.
   *
   * @throws AssertionError with the shortest part found that cannot be, one operation per line
   */
  static void checkWhatIsEasy(History history) {
    check(history, STEPS_EASY, false);
  }

  private static void check(History history, int stepsMax, boolean strict) {
    history
        .byKey()
        .forEach(
            (key, operations) -> {
              try {
                if (new LinearizationSearch(relevant(operations)).find(stepsMax)) {
                  return;
                }
              } catch (LinearizationSearch.Undecided undecided) {
                if (strict) {
                  throw new AssertionError(key + ": " + undecided.getMessage(), undecided);
                }
                return;
              } catch (LinearizationSearch.Contradiction contradiction) {
                throw new AssertionError(violation(operations), contradiction);
              }
              throw new AssertionError(violation(operations));
            });
  }

  /** Why the operations on one key cannot be, or null if they can. */
  static @Nullable String violation(List<Operation> operations) {
    var verdict = judge(operations);
    if (verdict == null) {
      return null;
    }
    var shortest = shrink(operations);
    var why = judge(shortest);
    var lines = new StringBuilder("not linearizable: ").append(why == null ? verdict : why);
    shortest.forEach(operation -> lines.append("\n  ").append(operation));
    return lines.toString();
  }

  private static @Nullable String judge(List<Operation> operations) {
    try {
      return new LinearizationSearch(relevant(operations)).find(STEPS_MAX)
          ? null
          : "no order of these explains them";
    } catch (LinearizationSearch.Contradiction contradiction) {
      return contradiction.getMessage();
    } catch (LinearizationSearch.Undecided undecided) {
      return null;
    }
  }

  /** A read whose result nobody saw says nothing. */
  private static List<Operation> relevant(List<Operation> operations) {
    List<Operation> relevant = new ArrayList<>(operations);
    relevant.removeIf(it -> it.outcome() == Outcome.UNKNOWN && it.kind() == Kind.GET);
    return relevant;
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
