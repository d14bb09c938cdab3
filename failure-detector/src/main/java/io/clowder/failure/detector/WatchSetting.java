// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.DetectionGoal;
import java.time.Duration;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * What can be set about a node's watch.
 *
 * @param algorithm name of the algorithm that is wanted
 * @param goal what is wanted of it
 * @param stallMillis a time for which this node did not run counts if it is longer
 * @param reportMillis for how long a peer is suspected before the group is told
 * @param historySize how many events are kept
 */
public record WatchSetting(
    String algorithm, DetectionGoal goal, int stallMillis, int reportMillis, int historySize) {
  /** Where it is configured. */
  static final String PID = "io.clowder.fd";

  /** The configuration of the failure detector; every key can be changed while it runs. */
  @ObjectClassDefinition(
      name = "Clowder failure detector",
      description = "Who is alive, suspected, gone")
  public @interface Config {
    /** How the others are judged. */
    @AttributeDefinition(
        name = "Algorithm",
        description =
            "How the others are judged: adaptive, chen, phi, fixed or swim, or what another bundle"
                + " brings (service property fd.algorithm)")
    String algorithm() default "adaptive";

    /** The longest time from a crash to the suspicion, T_D, in milliseconds. */
    @AttributeDefinition(
        name = "Detection time",
        description =
            "The longest time from a crash that leaves no trace to the suspicion, in milliseconds,"
                + " 500 to 600000",
        min = "500",
        max = "600000")
    int detection_millis_max() default 3_000;

    /** The shortest mean time between two mistakes, T_MR, in milliseconds. */
    @AttributeDefinition(
        name = "Mistake recurrence",
        description =
            "The shortest mean time between two wrong suspicions of a node, in milliseconds, 1000"
                + " to 2000000000; chen works out its interval and margin from it",
        min = "1000",
        max = "2000000000")
    int mistake_recurrence_millis_min() default 86_400_000;

    /** The longest mean time that a mistake lasts, T_M, in milliseconds. */
    @AttributeDefinition(
        name = "Mistake duration",
        description =
            "The longest mean time that a wrong suspicion lasts, in milliseconds, 1 to 600000",
        min = "1",
        max = "600000")
    int mistake_millis_max() default 10_000;

    /** A time for which this node did not run counts if it is longer, in milliseconds. */
    @AttributeDefinition(
        name = "Stall",
        description =
            "A time for which this node itself did not run moves its deadlines if it is longer, in"
                + " milliseconds, 20 to 10000",
        min = "20",
        max = "10000")
    int stall_millis() default 100;

    /** For how long a node is suspected before the group is told, in milliseconds. */
    @AttributeDefinition(
        name = "Report",
        description =
            "For how long a node must be suspected before this one says so in the committed view,"
                + " in milliseconds, 0 to 600000; two who say so take it out of the view",
        min = "0",
        max = "600000")
    int report_millis() default 2_000;

    /** How many events are kept for {@code fd:history}. */
    @AttributeDefinition(
        name = "History",
        description = "How many of the latest events are kept for fd:history, 0 to 100000",
        min = "0",
        max = "100000")
    int history_size() default 1_000;
  }

  /**
   * What a configuration says; refuses values out of range with {@link IllegalArgumentException},
   * by the key.
   */
  static WatchSetting of(Config config) {
    if (config.algorithm().isBlank()) {
      throw new IllegalArgumentException(
          PID + ": algorithm is empty: use adaptive, chen, phi, fixed, swim or another bundle's");
    }
    return new WatchSetting(
        config.algorithm().strip(),
        new DetectionGoal(
            millis("detection.millis.max", config.detection_millis_max(), 500, 600_000),
            millis(
                "mistake.recurrence.millis.min",
                config.mistake_recurrence_millis_min(),
                1_000,
                2_000_000_000),
            millis("mistake.millis.max", config.mistake_millis_max(), 1, 600_000)),
        Range.checked(PID + ": stall.millis", config.stall_millis(), 20, 10_000),
        Range.checked(PID + ": report.millis", config.report_millis(), 0, 600_000),
        Range.checked(PID + ": history.size", config.history_size(), 0, 100_000));
  }

  private static Duration millis(String key, int value, int min, int max) {
    return Duration.ofMillis(Range.checked(PID + ": " + key, value, min, max));
  }
}
