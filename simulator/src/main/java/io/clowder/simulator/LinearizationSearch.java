// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.simulator.Operation.Kind;
import io.clowder.simulator.Operation.Outcome;
import java.io.Serial;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks for an order of the operations on one key. What ended ("settled") must find its place
 * before its end; what did not ("open") may take any place after its beginning, or none, and is
 * tried last.
 */
final class LinearizationSearch {
  private static final int ABSENT = -1;
  private static final int IMPOSSIBLE = -2;
  private static final long UNTOLD = -1;

  private final List<Operation> settled = new ArrayList<>();
  private final List<Operation> open = new ArrayList<>();

  /** By number: settled operations first, then open ones. */
  private final Operation[] operations;

  private final long[] versions;
  private final Map<Long, Integer> writers = new HashMap<>();
  private final Set<Long> toldVersions = new HashSet<>();

  /** A doubly linked list over beginnings (number) and ends (number + size) by time. */
  private final int[] next;

  private final int[] previous;
  private final int head;

  private final boolean[] placed;
  private int firstUnplaced;
  private int settledPlaced;
  private int state = ABSENT;
  private long highest;

  /** What cannot be, whatever the order. */
  static final class Contradiction extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    Contradiction(String message) {
      super(message, null, false, false);
    }
  }

  /** There was no answer after so many steps. */
  static final class Undecided extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    Undecided(int steps) {
      super("undecided after " + steps + " steps", null, false, false);
    }
  }

  LinearizationSearch(List<Operation> history) throws Contradiction {
    for (var operation : history) {
      (operation.end() == Operation.NEVER ? open : settled).add(operation);
    }
    settled.sort((one, other) -> Long.compare(one.begin(), other.begin()));
    open.sort((one, other) -> Long.compare(one.begin(), other.begin()));
    int size = settled.size() + open.size();
    operations = new Operation[size];
    for (int i = 0; i < size; i++) {
      operations[i] = i < settled.size() ? settled.get(i) : open.get(i - settled.size());
    }
    versions = new long[size];
    placed = new boolean[size];
    learnVersions();
    head = 2 * size;
    next = new int[2 * size + 1];
    previous = new int[2 * size + 1];
    link(size);
  }

  /** Whether there is an order; gives up after so many steps. */
  boolean find(int stepsMax) throws Contradiction, Undecided {
    var dead = new HashSet<Situation>();
    var stack = new Trail(operations.length);
    int candidate = next[head];
    for (int steps = 0; settledPlaced < settled.size(); steps++) {
      if (steps > stepsMax) {
        throw new Undecided(stepsMax);
      }
      int chosen = place(candidate, stack);
      if (chosen >= 0 && dead.add(situation())) {
        candidate = next[head];
        continue;
      }
      if (chosen < 0 && stack.isEmpty()) {
        return false;
      }
      candidate = following(takeBack(stack));
    }
    return true;
  }

  /** Places the first of the candidates that fits, from {@code candidate} on; -1 if none does. */
  private int place(int candidate, Trail stack) {
    int size = operations.length;
    int entry = candidate;
    if (entry < settled.size()) {
      // Up to the first end: what begins after it must wait for what ended.
      while (entry < size) {
        if (tryPlace(entry, stack)) {
          return entry;
        }
        entry = next[entry];
      }
      entry = settled.size();
    }
    long firstEnd = firstEnd();
    while (entry < size && operations[entry].begin() < firstEnd) {
      if (!placed[entry] && tryPlace(entry, stack)) {
        return entry;
      }
      entry++;
    }
    return -1;
  }

  /** The candidate to go on with after {@code number} proved wrong. */
  private int following(int number) {
    if (number >= settled.size()) {
      return number + 1;
    }
    int after = next[number];
    return after < operations.length ? after : settled.size();
  }

  private long firstEnd() {
    int entry = next[head];
    while (entry < operations.length) {
      entry = next[entry];
    }
    return operations[entry - operations.length].end();
  }

  private boolean tryPlace(int number, Trail stack) {
    int after = apply(number);
    if (after == IMPOSSIBLE) {
      return false;
    }
    stack.push(number, state, highest);
    state = after;
    if (operations[number].isWrite() && versions[number] != UNTOLD) {
      highest = versions[number];
    }
    placed[number] = true;
    if (number < settled.size()) {
      settledPlaced++;
      unlink(number);
      unlink(number + operations.length);
      while (firstUnplaced < settled.size() && placed[firstUnplaced]) {
        firstUnplaced++;
      }
    }
    return true;
  }

  private int takeBack(Trail stack) {
    int number = stack.pop();
    state = stack.state();
    highest = stack.highest();
    placed[number] = false;
    if (number < settled.size()) {
      settledPlaced--;
      relink(number + operations.length);
      relink(number);
      firstUnplaced = Math.min(firstUnplaced, number);
    }
    return number;
  }

  /** The state after an operation: the number of the write that is seen, or {@link #ABSENT}. */
  private int apply(int number) {
    var operation = operations[number];
    return switch (operation.kind()) {
      case GET -> sees(operation) ? state : IMPOSSIBLE;
      case PUT -> write(number);
      case DELETE -> {
        boolean told = operation.outcome() == Outcome.DONE;
        yield told && (operation.value() != 0) != (state != ABSENT) ? IMPOSSIBLE : ABSENT;
      }
      case CAS -> {
        boolean matches = matches(operation.expected(), operation.outcome() != Outcome.CONFLICT);
        if (operation.outcome() == Outcome.CONFLICT) {
          yield matches ? IMPOSSIBLE : state;
        }
        yield matches ? write(number) : IMPOSSIBLE;
      }
    };
  }

  private boolean sees(Operation read) {
    return state == ABSENT ? read.value() == 0 : operations[state].value() == read.value();
  }

  private int write(int number) {
    return versions[number] != UNTOLD && versions[number] <= highest ? IMPOSSIBLE : number;
  }

  /** Whether the present version is, or may be if it was never told, {@code expected}. */
  private boolean matches(long expected, boolean ifUntold) {
    if (state == ABSENT) {
      return expected == 0;
    }
    if (versions[state] == UNTOLD) {
      return ifUntold && expected != 0 && !toldVersions.contains(expected);
    }
    return versions[state] == expected;
  }

  /** Results and reads tell the versions of writes; they must agree. */
  private void learnVersions() throws Contradiction {
    Arrays.fill(versions, UNTOLD);
    for (int i = 0; i < operations.length; i++) {
      if (operations[i].isWrite() && writers.putIfAbsent(operations[i].value(), i) != null) {
        throw new IllegalArgumentException("written twice: " + operations[i].value());
      }
    }
    for (int i = 0; i < operations.length; i++) {
      var operation = operations[i];
      boolean known =
          operation.outcome() == Outcome.DONE || (operation.isWrite() && operation.version() != 0);
      if (!known || operation.kind() == Kind.DELETE) {
        continue;
      }
      if (operation.kind() == Kind.GET && operation.value() == 0) {
        continue;
      }
      Integer writer = writers.get(operation.value());
      if (writer == null) {
        throw new Contradiction("a value that nobody wrote was read: " + operation);
      }
      if (versions[writer] != UNTOLD && versions[writer] != operation.version()) {
        throw new Contradiction("one write, two versions: " + operation);
      }
      versions[writer] = operation.version();
      toldVersions.add(operation.version());
    }
  }

  private void link(int size) {
    List<Integer> entries = new ArrayList<>();
    for (int i = 0; i < settled.size(); i++) {
      entries.add(i);
      entries.add(i + size);
    }
    entries.sort((one, other) -> Long.compare(time(one, size), time(other, size)));
    int last = head;
    for (int entry : entries) {
      next[last] = entry;
      previous[entry] = last;
      last = entry;
    }
    next[last] = head;
    previous[head] = last;
  }

  private long time(int entry, int size) {
    return entry < size ? operations[entry].begin() : operations[entry - size].end();
  }

  private void unlink(int entry) {
    next[previous[entry]] = next[entry];
    previous[next[entry]] = previous[entry];
  }

  private void relink(int entry) {
    next[previous[entry]] = entry;
    previous[next[entry]] = entry;
  }

  /** What the future depends on: which operations have their place, and the state. */
  private Situation situation() {
    int ahead = settledPlaced - firstUnplaced;
    int last = firstUnplaced;
    for (int found = 0; found < ahead; last++) {
      found += placed[last] ? 1 : 0;
    }
    long[] words = new long[2 + (last - firstUnplaced + 63) / 64 + (open.size() + 63) / 64];
    words[0] = firstUnplaced;
    words[1] = state;
    for (int i = firstUnplaced; i < last; i++) {
      if (placed[i]) {
        words[2 + (i - firstUnplaced) / 64] |= 1L << (i - firstUnplaced);
      }
    }
    int base = words.length - (open.size() + 63) / 64;
    for (int i = 0; i < open.size(); i++) {
      if (placed[settled.size() + i]) {
        words[base + i / 64] |= 1L << i;
      }
    }
    return new Situation(words);
  }

  private static final class Situation {
    private final long[] words;
    private final int hash;

    Situation(long[] words) {
      this.words = words;
      this.hash = Arrays.hashCode(words);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Situation that && Arrays.equals(words, that.words);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /** The way to the present situation, to be taken back. */
  private static final class Trail {
    private final int[] numbers;
    private final int[] states;
    private final long[] highest;
    private int size;

    Trail(int capacity) {
      numbers = new int[capacity];
      states = new int[capacity];
      highest = new long[capacity];
    }

    boolean isEmpty() {
      return size == 0;
    }

    void push(int number, int state, long high) {
      numbers[size] = number;
      states[size] = state;
      highest[size++] = high;
    }

    int pop() {
      return numbers[--size];
    }

    int state() {
      return states[size];
    }

    long highest() {
      return highest[size];
    }
  }
}
