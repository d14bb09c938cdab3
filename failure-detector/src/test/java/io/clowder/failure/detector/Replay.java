// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleFunction;

/**
 * Plays a trace to estimators and measures each by two figures, as the φ paper does (section 5.2).
 *
 * <p>Mistakes by second: how often a peer that was trusted, and lives, was doubted. One that is
 * doubted still when a late heartbeat comes, because the next one is overdue too, makes no second
 * one.
 *
 * <p>Detection time: for each heartbeat that came in, the time from when it was sent to the doubt,
 * if the peer crashed right after it had sent it; the mean over all of them. If the peer is doubted
 * in the moment of the arrival already, it is the time to the arrival.
 */
final class Replay implements Trace.Observer {
  private static final int WARM_UP = 2_000;

  private final long intervalNanos;
  private final Estimator[] estimators;
  private final long[] mistakes;
  private final double[] detection;
  private long heartbeats;
  private long first;
  private long last;

  /** A point of a curve, for one value of an estimator's parameter. */
  record Point(double parameter, double detection, double mistakes) {}

  private Replay(long intervalNanos, List<Estimator> estimators) {
    this.intervalNanos = intervalNanos;
    this.estimators = estimators.toArray(Estimator[]::new);
    mistakes = new long[this.estimators.length];
    detection = new double[this.estimators.length];
  }

  /** The curve of one kind of estimator, by rising detection time. */
  static List<Point> curve(Trace trace, double[] parameters, DoubleFunction<Estimator> kind) {
    List<Estimator> estimators = new ArrayList<>();
    for (double parameter : parameters) {
      estimators.add(kind.apply(parameter));
    }
    Replay replay = new Replay(trace.intervalNanos(), estimators);
    trace.replay(replay);
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < parameters.length; i++) {
      points.add(replay.point(parameters[i], i));
    }
    points.sort(Comparator.comparingDouble(Point::detection));
    return points;
  }

  private Point point(double parameter, int i) {
    double seconds = (last - first) / 1e9;
    return new Point(parameter, detection[i] / (heartbeats - WARM_UP) / 1e9, mistakes[i] / seconds);
  }

  @Override
  public void arrived(long sequence, long sentNanos, long nanos) {
    boolean isCounted = ++heartbeats > WARM_UP;
    for (int i = 0; i < estimators.length; i++) {
      Estimator estimator = estimators[i];
      long doubtAt = estimator.doubtAt();
      estimator.heartbeat(sequence, intervalNanos, nanos);
      if (isCounted) {
        mistakes[i] += doubtAt < nanos && doubtAt > last ? 1 : 0;
        detection[i] += (double) (Math.max(estimator.doubtAt(), nanos) - sentNanos);
      }
    }
    first = isCounted && first == 0 ? nanos : first;
    last = nanos;
  }
}
