// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.Arrays;

/**
 * How late heartbeats were, and how long to wait for the next one by that. Counts in bins that grow
 * with the lateness, eight to a factor of two, one row of them for each state of the line; rows
 * that know little lean on a row for the better part of the state, that one on all there is, and
 * all on a few made-up heartbeats whose tail falls with the root of the lateness.
 *
 * <p>A longer margin costs detection time with every heartbeat and saves a mistake now and then. So
 * it is worth its time as long as the chance that the next heartbeat comes within the next second
 * of waiting, and not before, is above a <em>price</em>: the margin is the one with the smallest
 * chance of a mistake plus price times margin. Among all ways to choose margins by the state, with
 * the same mean of them, this is the one with the fewest mistakes (it is Lagrange's condition); to
 * bear the same chance of a mistake in each state, as accrual detectors do, is not.
 */
final class Lateness {
  private static final int PARTS = 8;
  private static final int OCTAVES = 20;
  private static final int BINS = 1 + PARTS * OCTAVES;
  private static final double FIRST_NANOS = 100_000;
  private static final double NANOS = 1e9;

  /** So many heartbeats weighs the opinion of the row behind. */
  private static final double BACKING = 1_000;

  /** At so many in a row all its counts are halved. */
  private static final double FULL = 1 << 17;

  private static final double MADE_UP = 100;
  private static final double MADE_UP_LATE = 0.125;
  private static final int MARGIN_KEPT_MAX = 64;

  private final int states;
  private final double price;
  private final double[][] counts;
  private final double[] totals;
  private final double[] margins;
  private final int[] uses;
  private final int all;
  private int row;
  private int behind;

  /**
   * An empty table.
   *
   * @param states of each of both parts of the line's state
   * @param price of a second of waiting, in mistakes
   */
  Lateness(int states, double price) {
    this.states = states;
    this.price = price;
    all = states * states + states;
    counts = new double[all + 1][BINS];
    totals = new double[all + 1];
    margins = new double[states * states];
    uses = new int[states * states];
    clear();
  }

  /** Forgets all. */
  void clear() {
    for (double[] bins : counts) {
      Arrays.fill(bins, 0);
    }
    Arrays.fill(totals, 0);
    Arrays.fill(uses, 0);
    counts[all][0] = MADE_UP;
    totals[all] = MADE_UP;
    for (int bin = 1; bin < BINS; bin++) {
      counts[all][bin] = MADE_UP_LATE * Math.pow(2, -0.5 * bin / PARTS);
      totals[all] += counts[all][bin];
    }
    state(0, 0);
  }

  /** The line is in this state now. */
  void state(int better, int other) {
    row = better * states + other;
    behind = states * states + better;
    if (uses[row] == 0) {
      uses[row] = 1;
      margins[row] = best();
    }
  }

  /** In this state a heartbeat was so late. */
  void add(double nanos) {
    int bin = bin(nanos);
    count(row, bin);
    count(behind, bin);
    count(all, bin);
    if (++uses[row] > Math.min(MARGIN_KEPT_MAX, 1 + totals[row] / 16) || nanos > margins[row]) {
      uses[row] = 1;
      margins[row] = best();
    }
  }

  private void count(int row, int bin) {
    counts[row][bin]++;
    totals[row]++;
    if (totals[row] >= FULL) {
      totals[row] = 0;
      for (int i = 0; i < BINS; i++) {
        counts[row][i] /= 2;
        totals[row] += counts[row][i];
      }
    }
  }

  /** How long to wait in this state. */
  double margin() {
    return margins[row];
  }

  private double best() {
    double own = 0;
    double backing = 0;
    double any = 0;
    double best = 0;
    double costMin = Double.POSITIVE_INFINITY;
    for (int bin = BINS - 1; bin >= 0; bin--) {
      double cost = chance(own, backing, any) + price * edge(bin) / NANOS;
      if (cost < costMin) {
        costMin = cost;
        best = edge(bin);
      }
      own += counts[row][bin];
      backing += counts[behind][bin];
      any += counts[all][bin];
    }
    return best;
  }

  private double chance(double own, double backing, double any) {
    double chance = any / totals[all];
    chance = (backing + BACKING * chance) / (totals[behind] + BACKING);
    return (own + BACKING * chance) / (totals[row] + BACKING);
  }

  /** Minus the decimal logarithm of the chance that a heartbeat is later than this. */
  double level(double nanos) {
    if (nanos <= 0) {
      return 0;
    }
    int bin = bin(nanos);
    double own = 0;
    double backing = 0;
    double any = 0;
    for (int i = BINS - 1; i > bin; i--) {
      own += counts[row][i];
      backing += counts[behind][i];
      any += counts[all][i];
    }
    double after = chance(own, backing, any);
    double before =
        chance(own + counts[row][bin], backing + counts[behind][bin], any + counts[all][bin]);
    if (bin == BINS - 1) {
      return -Math.log10(before) + 0.5 * Math.log10(Math.max(1, nanos / edge(bin - 1)));
    }
    double low = bin == 0 ? 0 : edge(bin - 1);
    double part = Math.min(1, (nanos - low) / (edge(bin) - low));
    return Math.max(0, -(1 - part) * Math.log10(before) - part * Math.log10(after));
  }

  private static int bin(double nanos) {
    if (nanos < FIRST_NANOS) {
      return 0;
    }
    double scaled = nanos / FIRST_NANOS;
    int octave = Math.getExponent(scaled);
    int part = (int) ((Math.scalb(scaled, -octave) - 1) * PARTS);
    return Math.min(BINS - 1, 1 + octave * PARTS + part);
  }

  /** The upper end of a bin. */
  private static double edge(int bin) {
    int octave = bin / PARTS;
    return FIRST_NANOS * (1L << octave) * (1 + (double) (bin % PARTS) / PARTS);
  }
}
