// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Virtual time and the queue of what will happen. One thread; the same seed and the same calls give
 * the same run.
 */
public final class World {
  private final long seed;
  private final PriorityQueue<Appointment> queue = new PriorityQueue<>();
  private final List<Invariant> invariants = new ArrayList<>();
  private final SortedMap<String, Long> sightings = new TreeMap<>();
  private long now;
  private long made;
  private long steps;
  private long hash;
  private int processes;
  private String present = "world";

  /** A world at time 0 in which nothing is going to happen yet. */
  public World(long seed) {
    this.seed = seed;
    this.hash = scramble(seed);
  }

  /** What everything in this world follows from. */
  public long seed() {
    return seed;
  }

  /** True time, in nanoseconds from 0; no process can see it. */
  public long now() {
    return now;
  }

  /** Events that happened so far. */
  public long steps() {
    return steps;
  }

  /** A digest of all events so far: equal for equal runs. */
  public long eventHash() {
    return hash;
  }

  /** Makes {@code value} part of {@link #eventHash}. */
  public void witness(long value) {
    hash = scramble(hash * 31 + value);
  }

  /**
   * A source of chance for one concern, the same for the same seed and name, and independent of the
   * draws of all others: one more draw here changes nothing there.
   */
  public RandomGenerator random(String concern) {
    long name = 0;
    for (int i = 0; i < concern.length(); i++) {
      name = name * 1_000_003 + concern.charAt(i);
    }
    return new SplittableRandom(scramble(seed) ^ scramble(name));
  }

  /**
   * Has {@code action} happen {@code delayNanos} from now, whoever is up then.
   *
   * @param label what it is, part of {@link #eventHash}
   */
  public Appointment after(long delayNanos, String label, Runnable action) {
    return enqueue(null, 0, delayNanos, label, action);
  }

  /** Checks {@code invariant} after every event from now on. */
  public void always(Invariant invariant) {
    invariants.add(invariant);
  }

  /** Counts that a rare thing was seen, for {@link #sightings}. */
  public void sighted(String what) {
    sightings.merge(what, 1L, Long::sum);
  }

  /** How often each rare thing was seen. */
  public SortedMap<String, Long> sightings() {
    return new TreeMap<>(sightings);
  }

  /** Has the next event happen; false if there is none. */
  public boolean step() {
    if (peek() != null) {
      var next = queue.remove();
      now = Math.max(now, next.time());
      steps++;
      witness(now ^ next.label().hashCode() * 0x9E3779B97F4A7C15L + next.owner());
      present = next.ownerName();
      next.happen();
      for (int i = 0; i < invariants.size(); i++) {
        invariants.get(i).check();
      }
      return true;
    }
    return false;
  }

  /** Runs until {@code time}, or until nothing is left to happen. */
  public void runUntil(long time) {
    for (var next = peek(); next != null && next.time() <= time; next = peek()) {
      step();
    }
    now = Math.max(now, time);
  }

  /** Runs until {@code done}; false if that is not so by {@code time}. */
  public boolean runUntil(BooleanSupplier done, long time) {
    while (!done.getAsBoolean()) {
      var next = peek();
      if (next == null || next.time() > time) {
        return false;
      }
      step();
    }
    return true;
  }

  /** What will happen next; null if nothing will. */
  private @Nullable Appointment peek() {
    while (!queue.isEmpty() && queue.peek().isCancelled()) {
      queue.remove();
    }
    return queue.peek();
  }

  Appointment enqueue(
      @Nullable SimulatedProcess process,
      int incarnation,
      long delayNanos,
      String label,
      Runnable action) {
    if (delayNanos < 0) {
      throw new IllegalArgumentException("delay " + delayNanos + " ns");
    }
    // Times far beyond any run mean "never"; they must not wrap round.
    long time = delayNanos > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + delayNanos;
    var appointment = new Appointment(time, made++, process, incarnation, label, action);
    queue.add(appointment);
    return appointment;
  }

  /** Whose event is happening, for people. */
  String present() {
    return present;
  }

  int nextProcess() {
    return ++processes;
  }

  /** The finalizer of SplitMix64: every bit of the input moves every bit of the result. */
  private static long scramble(long value) {
    long z = value + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
