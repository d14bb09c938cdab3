// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The curves of all our estimators on one trace, each swept over its own parameter.
 *
 * @param phi over Φ; window 1,000 as in the paper, least deviation a millisecond
 * @param chen over α; window 1,000
 * @param fixed over the time-out
 * @param adaptive over the threshold; without the limits that a goal sets
 */
record Curves(
    List<Replay.Point> phi,
    List<Replay.Point> chen,
    List<Replay.Point> fixed,
    List<Replay.Point> adaptive) {
  private static final int WINDOW = 1_000;
  private static final long FAR = Long.MAX_VALUE / 4;
  private static final double[] PHI = {
    0.3, 0.5, 1, 2, 4, 6, 8, 12, 16, 24, 36, 50, 75, 100, 150, 200, 300, 450, 700, 1000, 1500, 2500,
    4000
  };
  private static final double[] MARGIN = {
    0, 0.002, 0.005, 0.01, 0.015, 0.025, 0.035, 0.055, 0.08, 0.1, 0.15, 0.2, 0.25, 0.35, 0.45, 0.6,
    0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5
  };
  private static final double[] THRESHOLD =
      IntStream.rangeClosed(-6, 22).mapToDouble(i -> i / 4.0).toArray();

  static Curves of(Trace trace) {
    double interval = trace.intervalNanos() / 1e9;
    return new Curves(
        Replay.curve(trace, PHI, phi -> new PhiEstimator(phi, WINDOW, 1_000_000, 1_000_000_000)),
        Replay.curve(trace, MARGIN, margin -> ChenEstimator.withMargin(WINDOW, 1e9 * margin)),
        Replay.curve(trace, MARGIN, m -> new FixedEstimator((long) (1e9 * (interval + 0.001 + m)))),
        Replay.curve(trace, THRESHOLD, t -> new AdaptiveEstimator(Math.pow(10, -t), -FAR, FAR)));
  }

  /** The mistakes at a detection time: logarithms between two points; NaN off the ends. */
  static double at(List<Replay.Point> curve, double detection) {
    for (int i = 1; i < curve.size(); i++) {
      Replay.Point a = curve.get(i - 1);
      Replay.Point b = curve.get(i);
      if (a.detection() <= detection && detection <= b.detection()) {
        double part = (detection - a.detection()) / (b.detection() - a.detection());
        return Math.exp((1 - part) * Math.log(a.mistakes()) + part * Math.log(b.mistakes()));
      }
    }
    return Double.NaN;
  }

  /** The lower one of φ and Chen. */
  double envelope(double detection) {
    double phiAt = at(phi, detection);
    double chenAt = at(chen, detection);
    return Double.isNaN(phiAt) ? chenAt : Double.isNaN(chenAt) ? phiAt : Math.min(phiAt, chenAt);
  }
}
