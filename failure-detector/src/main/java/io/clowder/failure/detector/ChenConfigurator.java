// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

/**
 * From what is wanted and what was measured to the parameters of NFD-U and NFD-E (Chen, Toueg and
 * Aguilera, "On the Quality of Service of Failure Detectors", 2002, section 6.2 on the ground of
 * section 5): the longest interval η whose heartbeats meet the requirements whatever the
 * distribution of the delays is. All that is known of them is the variance; Cantelli's inequality
 * bounds the tail. Independent losses and delays are assumed.
 *
 * @param detection the longest silence T_D^u, the paper's detection time less the mean delay
 * @param recurrence T_MR^L
 * @param mistake T_M^U
 * @param intervalMin the shortest interval that the network is to bear
 */
record ChenConfigurator(double detection, double recurrence, double mistake, double intervalMin) {
  private static final double STEP = 0.998;

  /**
   * What to do.
   *
   * @param interval η
   * @param margin α; η + α is the longest silence
   * @param isFeasible whether this meets the requirements; if not, it is the best within the
   *     detection time
   */
  record Setting(double interval, double margin, boolean isFeasible) {}

  /**
   * Steps 1 to 3. All in one unit of time.
   *
   * @param loss p_L, the chance that a heartbeat gets lost
   * @param variance V(D) of the delay
   */
  Setting setting(double loss, double variance) {
    double square = detection * detection;
    double good = (1 - loss) * square / (variance + square);
    double intervalMax = Math.min(good * mistake, detection);
    double best = intervalMin;
    double bestRecurrence = Double.NEGATIVE_INFINITY;
    for (double interval = intervalMax; interval >= intervalMin; interval *= STEP) {
      double logRecurrence = logRecurrence(interval, loss, variance);
      if (logRecurrence >= Math.log(recurrence)) {
        return new Setting(interval, detection - interval, true);
      }
      if (logRecurrence > bestRecurrence) {
        bestRecurrence = logRecurrence;
        best = interval;
      }
    }
    return new Setting(best, detection - best, false);
  }

  /** The logarithm of f(η), a lower bound of T_MR: as a product it would overflow. */
  private double logRecurrence(double interval, double loss, double variance) {
    double sum = Math.log(interval);
    int last = (int) Math.ceil(detection / interval) - 1;
    for (int j = 1; j <= last; j++) {
      double slack = detection - j * interval;
      double square = slack * slack;
      sum += Math.log((variance + square) / (variance + loss * square));
    }
    return sum;
  }
}
