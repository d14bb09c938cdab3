// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * The last heartbeats of one peer, which a detector that takes over is told; and what their times
 * say by themselves. Grows as they come, up to {@link #MAX}.
 */
final class Arrivals {
  static final int MAX = 1_000;

  /** One of them. */
  record Arrival(long sequence, long intervalNanos, long nanos) {}

  private long[] sequences = new long[16];
  private long[] intervals = new long[16];
  private long[] times = new long[16];
  private int next;
  private int size;

  /** Adds one, in the place of the oldest if there are many. */
  void add(long sequence, long intervalNanos, long nanos) {
    if (size == sequences.length && size < MAX) {
      int capacity = Math.min(MAX, 2 * size);
      // Nothing was overwritten yet, so the oldest is at 0.
      sequences = Arrays.copyOf(sequences, capacity);
      intervals = Arrays.copyOf(intervals, capacity);
      times = Arrays.copyOf(times, capacity);
      next = size;
    }
    sequences[next] = sequence;
    intervals[next] = intervalNanos;
    times[next] = nanos;
    next = (next + 1) % sequences.length;
    size = Math.min(size + 1, sequences.length);
  }

  int size() {
    return size;
  }

  /** The {@code index}-th that is kept, from the oldest at 0. */
  Arrival get(int index) {
    int at = at(index);
    return new Arrival(sequences[at], intervals[at], times[at]);
  }

  private int at(int index) {
    return (next - size + index + sequences.length) % sequences.length;
  }

  void forEach(Consumer<Arrival> action) {
    for (int i = 0; i < size; i++) {
      action.accept(get(i));
    }
  }

  void clear() {
    next = 0;
    size = 0;
  }

  /** Standard deviation of the times between two, in nanoseconds; 0 with less than three. */
  double jitterNanos() {
    double mean = 0;
    double squares = 0;
    int count = 0;
    for (int i = 1; i < size; i++) {
      int before = at(i - 1);
      int after = at(i);
      if (sequences[after] == sequences[before] + 1) {
        double gap = times[after] - times[before];
        double delta = gap - mean;
        mean += delta / ++count;
        squares += delta * (gap - mean);
      }
    }
    return count < 2 ? 0 : Math.sqrt(squares / (count - 1));
  }
}
