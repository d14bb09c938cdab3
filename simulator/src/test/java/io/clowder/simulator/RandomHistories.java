// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Histories by chance, and a judge too simple to be wrong. */
final class RandomHistories {
  private RandomHistories() {}

  /** Clients that really use one register, one operation after the other each; always possible. */
  static List<Operation> honest(SplittableRandom random, int clients, int count) {
    List<Operation> operations = new ArrayList<>();
    long[] begins = new long[clients];
    long time = 0;
    long value = 0;
    long version = 0;
    for (int i = 0; i < count; i++) {
      int client = random.nextInt(clients);
      long begin = Math.max(begins[client], time - 3L * clients) + 1;
      // The effect is now; the operation reaches back to its begin and ends a little later.
      long effect = time + 10;
      long end = effect + 1 + random.nextInt(3 * clients);
      time = effect;
      begins[client] = end;
      begin = Math.min(begin, effect);
      if (random.nextBoolean()) {
        value = i + 1L;
        version = i + 1L;
        operations.add(
            new Operation(client, "k", Kind.PUT, Outcome.DONE, begin, end, value, 0, version));
      } else {
        operations.add(
            new Operation(client, "k", Kind.GET, Outcome.DONE, begin, end, value, 0, version));
      }
    }
    return operations;
  }

  /** A few operations with results that fit together often enough. */
  static List<Operation> draw(SplittableRandom random, int count) {
    List<Operation> operations = new ArrayList<>();
    List<Integer> marks = new ArrayList<>();
    for (int i = 0; i < 2 * count; i++) {
      marks.add(random.nextInt(marks.size() + 1), i);
    }
    for (int i = 0; i < count; i++) {
      long begin = Math.min(marks.get(2 * i), marks.get(2 * i + 1));
      long end = Math.max(marks.get(2 * i), marks.get(2 * i + 1));
      boolean unknown = random.nextInt(4) == 0;
      var kind = List.of(Kind.GET, Kind.PUT, Kind.DELETE, Kind.CAS).get(random.nextInt(4));
      long seen = random.nextInt(count + 1);
      var outcome = unknown ? Outcome.UNKNOWN : Outcome.DONE;
      if (!unknown && kind == Kind.CAS && random.nextInt(3) == 0) {
        outcome = Outcome.CONFLICT;
      }
      // The version of value v is 10 v, so that results seldom contradict each other at sight.
      long value =
          switch (kind) {
            case GET -> seen;
            case PUT, CAS -> i + 1L;
            case DELETE -> random.nextInt(2);
          };
      long version = kind == Kind.DELETE || outcome != Outcome.DONE ? 0 : 10 * value;
      operations.add(
          new Operation(
              i,
              "k",
              kind,
              outcome,
              begin,
              unknown ? Operation.NEVER : end,
              value,
              kind == Kind.CAS ? 10 * seen : 0,
              version));
    }
    return operations;
  }

  static boolean isPossible(List<Operation> operations) {
    return extend(operations, new boolean[operations.size()], 0, 0, 0);
  }

  private static boolean extend(
      List<Operation> operations, boolean[] placed, long value, long highest, int depth) {
    boolean all = true;
    long firstEnd = Operation.NEVER;
    for (int i = 0; i < placed.length; i++) {
      if (!placed[i]) {
        all &= operations.get(i).outcome() == Outcome.UNKNOWN;
        firstEnd = Math.min(firstEnd, operations.get(i).end());
      }
    }
    if (all) {
      return true;
    }
    for (int i = 0; i < placed.length; i++) {
      var operation = operations.get(i);
      if (!placed[i]
          && operation.begin() < firstEnd
          && fits(operation, value, highest, operations)) {
        placed[i] = true;
        long after = after(operation, value);
        long high = operation.isWrite() && isTold(after, operations) ? 10 * after : highest;
        if (extend(operations, placed, after, high, depth + 1)) {
          return true;
        }
        placed[i] = false;
      }
    }
    return false;
  }

  private static long after(Operation operation, long value) {
    if (operation.kind() == Kind.DELETE) {
      return 0;
    }
    return operation.isWrite() ? operation.value() : value;
  }

  private static boolean fits(
      Operation operation, long value, long highest, List<Operation> operations) {
    boolean rises = !isTold(operation.value(), operations) || 10 * operation.value() > highest;
    boolean unknown = operation.outcome() == Outcome.UNKNOWN;
    return switch (operation.kind()) {
      case GET -> unknown || operation.value() == value;
      case PUT -> rises;
      case DELETE -> unknown || (operation.value() != 0) == (value != 0);
      case CAS ->
          switch (operation.outcome()) {
            case CONFLICT -> !matches(operation, value, operations, false);
            case DONE, UNKNOWN -> matches(operation, value, operations, true) && rises;
          };
    };
  }

  /** A version that no one was told may be any that no other write has. */
  private static boolean matches(
      Operation cas, long value, List<Operation> operations, boolean ifUntold) {
    long expected = cas.expected() / 10;
    if (value == 0) {
      return expected == 0;
    }
    if (isTold(value, operations)) {
      return expected == value;
    }
    return ifUntold && expected != 0 && !isTold(expected, operations);
  }

  private static boolean isTold(long value, List<Operation> operations) {
    for (var operation : operations) {
      boolean tells = operation.kind() != Kind.DELETE && operation.outcome() == Outcome.DONE;
      if (tells && operation.value() == value) {
        return true;
      }
    }
    return false;
  }
}
