// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.DetectionGoal;

/**
 * The figures that SWIM runs by.
 *
 * @param periodNanos between two probes of a node
 * @param probeNanos until the relays are asked
 * @param roundNanos until a probe has failed; may be longer than the period
 * @param relays that are asked
 * @param suspicionMin α of Lifeguard: the shortest suspicion lasts so many periods, times log10 of
 *     the members
 * @param suspicionMax β of Lifeguard: the longest lasts so many times the shortest; 1 for plain
 *     SWIM
 * @param confirmations K of Lifeguard: with so many the suspicion is at its shortest; 0 for plain
 *     SWIM
 * @param smallNanosMax the longest suspicion where there are few to confirm it
 * @param fanOut to how many rumours are told at once
 * @param gossipNanos between two times of telling
 * @param retransmissions λ of SWIM: a rumour is passed on so often, times log10 of the members
 * @param healthMax of Lifeguard's local health; 0 for plain SWIM
 * @param isBuddy whether who is probed hears first that it is suspected
 * @param isTrusting whether a sign of life ends a suspicion, as it does everywhere in this runtime;
 *     in the papers only a refutation does
 */
record SwimSettings(
    long periodNanos,
    long probeNanos,
    long roundNanos,
    int relays,
    double suspicionMin,
    double suspicionMax,
    int confirmations,
    long smallNanosMax,
    int fanOut,
    long gossipNanos,
    int retransmissions,
    int healthMax,
    boolean isBuddy,
    boolean isTrusting) {
  /** K of Lifeguard. */
  static final int CONFIRMATIONS = 3;

  /** S of Lifeguard. */
  static final int HEALTH_MAX = 8;

  /** λ, as memberlist has it. */
  static final int RETRANSMISSIONS = 4;

  private static final int SMALL_HEALTH_MAX = 2;

  /** A fifteenth of the goal: see {@link #forGoal}. */
  private static final int PERIODS_IN_GOAL = 15;

  /**
   * What keeps the goal. With 15 periods in it, in a cluster of seven: within 6 somebody probes the
   * node that failed, all but surely (the chance that nobody does is 2e-5; up to five nodes a pass
   * is shorter anyway), 2 more until that probe has failed, 6 for a suspicion that nobody confirms,
   * which leaves one for the rumour. In large clusters, where confirmations come, the suspicion
   * lasts α log10(n) periods, 9 of 1,000 members: the median keeps the goal, the tail does not.
   *
   * @param periodNanos 0 to have it follow from the goal
   * @param probeNanos 0 for one period
   * @param gossipNanos 0 for half a period
   */
  static SwimSettings forGoal(
      DetectionGoal goal,
      long periodNanos,
      long probeNanos,
      int relays,
      double suspicionMin,
      double suspicionMax,
      int fanOut,
      long gossipNanos) {
    long period = periodNanos > 0 ? periodNanos : goal.detection().toNanos() / PERIODS_IN_GOAL;
    long probe = probeNanos > 0 ? probeNanos : period;
    return new SwimSettings(
        period,
        probe,
        2 * probe,
        relays,
        suspicionMin,
        suspicionMax,
        CONFIRMATIONS,
        goal.detection().toNanos() * 2 / 5,
        fanOut,
        gossipNanos > 0 ? gossipNanos : period / 2,
        RETRANSMISSIONS,
        HEALTH_MAX,
        true,
        true);
  }

  /** Lifeguard's Min, for so many members with this node and the suspect. */
  long suspicionNanosMin(int members) {
    double scale = Math.max(1, Math.log10(Math.max(1, members)));
    return Math.round(suspicionMin * scale * periodNanos);
  }

  /**
   * Lifeguard's Max. In a small cluster it is luck if confirmations come in time, so the goal
   * limits it.
   */
  long suspicionNanosMax(int members) {
    long min = suspicionNanosMin(members);
    long max = Math.round(min * suspicionMax);
    return isSmall(members) ? Math.max(min, Math.min(max, smallNanosMax)) : max;
  }

  /**
   * How far the local health may go: in a small cluster not far, for there a member that probes
   * rarely may be the only one to do it.
   */
  int healthMax(int members) {
    return isSmall(members) ? Math.min(SMALL_HEALTH_MAX, healthMax) : healthMax;
  }

  /** Whether there are less than two others for each confirmation that is wanted. */
  private boolean isSmall(int members) {
    return members - 2 < 2 * confirmations;
  }

  /** Confirmations that are waited for: never more than there are others to give them. */
  int confirmationsWanted(int members) {
    return Math.max(0, Math.min(confirmations, members - 2));
  }

  /**
   * How often a rumour is passed on: in a cluster of seven as if it were of a hundred, for with
   * half as many every 70th would not reach everybody.
   */
  int retransmissions(int members) {
    return retransmissions * Math.max(2, (int) Math.ceil(Math.log10(members)));
  }
}
