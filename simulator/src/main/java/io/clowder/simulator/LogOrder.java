// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Judges a history by the log that the cluster has in fact applied: whatever began after something
 * else had ended must not have seen, or made, an earlier position of the log. That is more than
 * linearizability asks for, and needs no search, however many outcomes are unknown.
 */
final class LogOrder {
  private final NavigableMap<Long, Long> states;

  /** The highest position that was certainly reached when an operation ended, by its end. */
  private final NavigableMap<Long, Long> reached = new TreeMap<>();

  private LogOrder(NavigableMap<Long, Long> states) {
    this.states = states;
  }

  /**
   * Checks every key.
   *
   * @throws AssertionError with the operation that came too late
   */
  static void check(History history, AppliedWrites writes) {
    history
        .byKey()
        .forEach((key, operations) -> new LogOrder(writes.states(key)).check(operations));
  }

  private void check(List<Operation> operations) {
    List<Operation> ended = new ArrayList<>(operations);
    ended.removeIf(operation -> operation.outcome() == Outcome.UNKNOWN);
    ended.sort((one, other) -> Long.compare(one.begin(), other.begin()));
    for (var operation : ended) {
      var before = reached.lowerEntry(operation.begin());
      long least = before == null ? 0 : before.getValue();
      long position = position(operation, least);
      if (position < least) {
        throw new AssertionError(
            "against the order of the log, at or after position " + least + ": " + operation);
      }
      var known = reached.floorEntry(operation.end());
      long highest = Math.max(position, known == null ? 0 : known.getValue());
      reached.put(operation.end(), highest);
      for (var later = reached.higherEntry(operation.end());
          later != null && later.getValue() < highest;
          later = reached.higherEntry(later.getKey())) {
        reached.put(later.getKey(), highest);
      }
    }
  }

  /** The first position from {@code least} on that explains what was told; -1 if none does. */
  private long position(Operation operation, long least) {
    if (operation.isWrite()) {
      return operation.version();
    }
    long from = states.floorKey(least);
    for (Map.Entry<Long, Long> state : states.tailMap(from, true).entrySet()) {
      if (explains(state, operation)) {
        return Math.max(least, state.getKey());
      }
    }
    return -1;
  }

  private boolean explains(Map.Entry<Long, Long> state, Operation operation) {
    if (operation.kind() == Kind.GET) {
      return state.getValue() == operation.value()
          && (operation.value() == 0 || state.getKey() == operation.version());
    }
    if (operation.kind() == Kind.DELETE) {
      // It happened right after the state that it was told of, or later.
      return (state.getValue() != 0) == (operation.value() != 0);
    }
    long version = state.getValue() == 0 ? 0 : state.getKey();
    return version != operation.expected();
  }
}
