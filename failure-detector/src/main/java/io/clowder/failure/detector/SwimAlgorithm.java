// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionAlgorithm;
import io.clowder.api.failure.DetectionGoal;
import io.clowder.api.failure.Detector;
import java.util.random.RandomGenerator;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * SWIM with Lifeguard as a service: see {@link Swim}. For large clusters; its cost for a node does
 * not grow with their size.
 */
@Component(property = DetectionAlgorithm.ALGORITHM + "=swim", configurationPid = SwimAlgorithm.PID)
@Designate(ocd = SwimAlgorithm.Config.class)
public final class SwimAlgorithm implements DetectionAlgorithm {
  static final String PID = "io.clowder.fd.swim";

  /** How SWIM runs on this node; nodes need not agree. */
  @ObjectClassDefinition(
      name = "Clowder failure detector: SWIM",
      description = "SWIM with Lifeguard; in use where algorithm = swim in io.clowder.fd")
  public @interface Config {
    /** Milliseconds between two probes; 0 for a fifteenth of the detection time. */
    @AttributeDefinition(
        name = "Period",
        description =
            "Milliseconds between two probes that this node makes, 5 to 60000; 0 for a fifteenth of"
                + " the detection time that is wanted",
        min = "0",
        max = "60000")
    int period_millis() default 0;

    /** Milliseconds until relays are asked; 0 for one period. */
    @AttributeDefinition(
        name = "Probe time-out",
        description =
            "Milliseconds until others are asked to probe a member that does not answer, 1 to"
                + " 60000: more than a round trip takes; a probe has failed after twice that time."
                + " 0 for one period",
        min = "0",
        max = "60000")
    int probe_timeout_millis() default 0;

    /** Relays that are asked. */
    @AttributeDefinition(
        name = "Indirect probes",
        description = "Others that are asked to probe a member that does not answer, 0 to 16",
        min = "0",
        max = "16")
    int indirect_probes() default 3;

    /** The shortest suspicion, in periods. */
    @AttributeDefinition(
        name = "Suspicion, shortest",
        description =
            "A suspicion that three others confirm lasts so many periods, times log10 of the"
                + " members where these are more than ten, 1 to 20: the time that the member has"
                + " to refute it",
        min = "1",
        max = "20")
    int suspicion_min() default 3;

    /** The longest suspicion, in shortest ones. */
    @AttributeDefinition(
        name = "Suspicion, longest",
        description =
            "A suspicion that nobody confirms lasts so many times the shortest, 1 to 20; less where"
                + " there are few to confirm it",
        min = "1",
        max = "20")
    int suspicion_max() default 6;

    /** To how many rumours are told at once. */
    @AttributeDefinition(
        name = "Gossip fan-out",
        description = "To how many members rumours are told at once, 1 to 16",
        min = "1",
        max = "16")
    int gossip_fanout() default 3;

    /** Milliseconds between two times of telling; 0 for half a period. */
    @AttributeDefinition(
        name = "Gossip interval",
        description =
            "Milliseconds between two times of telling while there are rumours, 1 to 60000; 0 for"
                + " half a period",
        min = "0",
        max = "60000")
    int gossip_interval_millis() default 0;
  }

  private static final int MILLIS_MAX = 60_000;
  private static final long NANOS = 1_000_000;

  private final Config config;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public SwimAlgorithm(Config config) {
    this.config = config;
    checkTime("period.millis", config.period_millis(), 5);
    checkTime("probe.timeout.millis", config.probe_timeout_millis(), 1);
    Range.checked(PID + ": indirect.probes", config.indirect_probes(), 0, 16);
    Range.checked(PID + ": suspicion.min", config.suspicion_min(), 1, 20);
    Range.checked(PID + ": suspicion.max", config.suspicion_max(), 1, 20);
    Range.checked(PID + ": gossip.fanout", config.gossip_fanout(), 1, 16);
    checkTime("gossip.interval.millis", config.gossip_interval_millis(), 1);
  }

  @Override
  public Detector open(NodeId self, long incarnation, DetectionGoal goal, RandomGenerator random) {
    return new Swim(self, incarnation, settings(goal), random);
  }

  /** The figures for a goal. */
  SwimSettings settings(DetectionGoal goal) {
    return SwimSettings.forGoal(
        goal,
        config.period_millis() * NANOS,
        config.probe_timeout_millis() * NANOS,
        config.indirect_probes(),
        config.suspicion_min(),
        config.suspicion_max(),
        config.gossip_fanout(),
        config.gossip_interval_millis() * NANOS);
  }

  private static void checkTime(String key, int value, int min) {
    if (value != 0) {
      Range.checked(PID + ": " + key, value, min, MILLIS_MAX);
    }
  }
}
