// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What clients asked of a map and were told, in the true order of all beginnings and ends. */
public final class History {
  private final List<@Nullable Operation> operations = new ArrayList<>();
  private long time;
  private final Set<Long> refused = new HashSet<>();
  private int done;

  /**
   * A client asks. Until an end is recorded, the outcome is unknown.
   *
   * @param value what is written, unique among all writes and not 0; 0 if nothing is
   * @param expected the version that a compare-and-set asks for; 0 otherwise
   * @return the operation's number
   */
  public int begin(int client, String key, Kind kind, long value, long expected) {
    operations.add(
        new Operation(
            client, key, kind, Outcome.UNKNOWN, ++time, Operation.NEVER, value, expected, 0));
    return operations.size() - 1;
  }

  /** It was done; {@code value} and {@code version} as in {@link Operation}. */
  public void done(int number, long value, long version) {
    end(number, Outcome.DONE, value, version);
  }

  /** A compare-and-set found another version. */
  public void conflict(int number) {
    end(number, Outcome.CONFLICT, begun(number).value(), 0);
  }

  /** It did not happen and never will, which says nothing about anything. */
  public void didNotHappen(int number) {
    refused.add(begun(number).value());
    operations.set(number, null);
  }

  /**
   * Says what became of writes, for good: those whose outcome nobody was told, too.
   *
   * @param positions of the values that were ever written
   * @throws AssertionError if that is not what clients were told
   */
  public void resolve(Map<Long, Long> positions) {
    for (long value : refused) {
      if (value != 0 && positions.containsKey(value)) {
        throw new AssertionError(value + " was written, though that did not happen");
      }
    }
    for (int i = 0; i < operations.size(); i++) {
      var operation = operations.get(i);
      if (operation == null || !operation.isWrite()) {
        continue;
      }
      Long position = positions.get(operation.value());
      if (operation.outcome() == Outcome.UNKNOWN) {
        operations.set(i, position == null ? null : operation.unknown(position));
      } else if (position == null || position != operation.version()) {
        throw new AssertionError("acknowledged, but written at " + position + ": " + operation);
      }
    }
  }

  /** Operations that ended with a result. */
  public int completed() {
    return done;
  }

  /** The operations of each key, in the order of their beginnings. */
  public SortedMap<String, List<Operation>> byKey() {
    SortedMap<String, List<Operation>> keys = new TreeMap<>();
    for (var operation : operations) {
      if (operation != null) {
        keys.computeIfAbsent(operation.key(), key -> new ArrayList<>()).add(operation);
      }
    }
    return keys;
  }

  private void end(int number, Outcome outcome, long value, long version) {
    var begun = begun(number);
    operations.set(
        number,
        new Operation(
            begun.client(),
            begun.key(),
            begun.kind(),
            outcome,
            begun.begin(),
            ++time,
            value,
            begun.expected(),
            version));
    done++;
  }

  private Operation begun(int number) {
    var operation = operations.get(number);
    if (operation == null || operation.end() != Operation.NEVER) {
      throw new AssertionError("operation " + number + " ended twice: " + operation);
    }
    return operation;
  }
}
