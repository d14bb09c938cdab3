// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Heartbeats made up after the published statistics of the week between Switzerland and Japan
 * (Hayashibara, Défago, Yared and Katayama, "The φ Accrual Failure Detector", IS-RR-2004-010,
 * section 5); the trace itself is not public. {@code WeekTraceTest} holds it against them.
 *
 * <p>Not all of what is published fits together, or fits a simple model. The curves of Chen's
 * detector show about 3,000 silences longer than 0.45 s in the week and 700 longer than 2.5 s; the
 * losses are in 814 bursts, most of them short, and the round trips leave no delay above 0.45 s. So
 * there are stalls of the receiving process here, up to 4 s, which no ping sees. They make the mean
 * delay of a heartbeat half of the round trip only if the way there is 11 ms shorter than the way
 * back. The published φ curve bends at Φ = 9 in a way that a mean and a multiple of a standard
 * deviation cannot; about there 1 - F(t) leaves the range of a simple computation. And with losses
 * in the window its deviations were smaller than any spreading of 814 bursts made them here: our φ
 * is about 0.05 s slower up to Φ = 8, with fewer mistakes. From 0.35 s on Chen's curve is met
 * within a quarter; below, ours has up to twice the mistakes.
 */
final class WeekTrace implements Trace {
  static final int HEARTBEATS = 5_845_712;
  static final int BURSTS = 814;
  static final int LOST = HEARTBEATS - 5_822_521;
  static final int[] LONGEST = {495, 503, 621, 819, 1093};
  private static final int OTHERS_MAX = 330;
  private static final double INTERVAL_MILLIS = 103.5;
  private static final double INTERVAL_MILLIS_MAX = 234.3;
  private static final double SENDER_JITTER_MILLIS = 0.131;
  private static final double DELAY_MILLIS_MIN = 129.5;

  private final long seed;
  private final int heartbeats;

  /** The first {@code heartbeats} of a week, with their share of the bursts. */
  WeekTrace(long seed, int heartbeats) {
    this.seed = seed;
    this.heartbeats = heartbeats;
  }

  static RandomGenerator random(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  @Override
  public long intervalNanos() {
    return (long) (INTERVAL_MILLIS * 1e6);
  }

  /** The lengths of the bursts, in any order. */
  int[] lengths(RandomGenerator random) {
    int others = BURSTS - LONGEST.length;
    int sum = LOST - Arrays.stream(LONGEST).sum();
    int[] all = new int[BURSTS];
    double low = 0.01;
    double high = 300;
    while (high - low > 1e-9) {
      double scale = 0.5 * (low + high);
      if (fill(all, others, scale) > sum) {
        high = scale;
      } else {
        low = scale;
      }
    }
    int missing = sum - fill(all, others, low);
    for (int i = 0; i < missing; i++) {
      all[others / 2 + i % (others / 2)]++;
    }
    System.arraycopy(LONGEST, 0, all, others, LONGEST.length);
    for (int i = all.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int length = all[i];
      all[i] = all[j];
      all[j] = length;
    }
    return all;
  }

  private int fill(int[] all, int others, double scale) {
    int total = 0;
    for (int i = 0; i < others; i++) {
      double quantile = (i + 0.5) / others;
      all[i] = (int) Math.max(1, Math.min(OTHERS_MAX, scale * Math.pow(quantile, -1)));
      total += all[i];
    }
    return total;
  }

  /** Where bursts begin, in order: where the line is twice as bad, four times as many. */
  private int[] starts(int count, RandomGenerator random) {
    Path path = path();
    double[] sums = new double[heartbeats - 2_500];
    double sum = 0;
    for (int i = 0; i < sums.length; i++) {
      path.step();
      sum += path.badness() * path.badness();
      sums[i] = sum;
    }
    int[] starts = new int[count];
    for (int i = 0; i < count; i++) {
      int at = Arrays.binarySearch(sums, random.nextDouble() * sum);
      starts[i] = at < 0 ? -at : at + 1;
    }
    Arrays.sort(starts);
    return starts;
  }

  private Path path() {
    return new Path(random(seed + 1), INTERVAL_MILLIS / 1000);
  }

  @Override
  public void replay(Observer observer) {
    RandomGenerator random = random(seed);
    int[] lengths = lengths(random);
    int[] starts = starts((int) Math.round((double) BURSTS * heartbeats / HEARTBEATS), random);
    Path path = path();
    double late = 0;
    double last = 0;
    int burst = 0;
    int losing = 0;
    for (int i = 1; i <= heartbeats; i++) {
      if (i == heartbeats / 5) {
        late = INTERVAL_MILLIS_MAX - INTERVAL_MILLIS;
      }
      double sent = i * INTERVAL_MILLIS + SENDER_JITTER_MILLIS * random.nextGaussian() + late;
      double excess = Math.max(path.step(), path.stalled());
      if (losing == 0 && burst < starts.length && i >= starts[burst]) {
        // One more, for between two bursts something has to come in.
        losing = lengths[burst++] + 1;
      }
      if (losing > 1) {
        losing--;
        continue;
      }
      losing = 0;
      last = Math.max(last, sent + DELAY_MILLIS_MIN + excess);
      observer.arrived(i, (long) (sent * 1e6), (long) (last * 1e6));
    }
  }
}
