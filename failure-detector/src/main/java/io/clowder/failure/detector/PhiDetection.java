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

/** The φ accrual detector, see {@link PhiEstimator}. */
@Component(property = DetectionAlgorithm.ALGORITHM + "=phi", configurationPid = PhiDetection.PID)
@Designate(ocd = PhiDetection.Config.class)
public final class PhiDetection implements DetectionAlgorithm {
  static final String PID = "io.clowder.fd.phi";

  /** Its parameters; a change of any key has it learn anew. */
  @ObjectClassDefinition(
      name = "Clowder failure detector: phi",
      description =
          "Accrual: who is silent for longer than a normal distribution explains is doubted")
  public @interface Config {
    /** The level Φ at which a peer is doubted. */
    @AttributeDefinition(
        name = "Threshold",
        description =
            "The level at which a peer is doubted: minus the decimal logarithm of the chance of a"
                + " mistake with each heartbeat, 0.1 to 300",
        min = "0.1",
        max = "300")
    double threshold() default 8;

    /** How many times between heartbeats are looked at. */
    @AttributeDefinition(
        name = "Window",
        description = "How many of the last times between heartbeats are looked at, 10 to 100000",
        min = "10",
        max = "100000")
    int window() default 1_000;

    /** The least standard deviation, in milliseconds. */
    @AttributeDefinition(
        name = "Least deviation",
        description =
            "The standard deviation that is assumed at least, in milliseconds, 1 to 60000",
        min = "1",
        max = "60000")
    int min_stddev_millis() default 100;
  }

  private final double threshold;
  private final int window;
  private final long deviationNanosMin;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public PhiDetection(Config config) {
    threshold = Range.checked(PID + ": threshold", config.threshold(), 0.1, 300);
    window = Range.checked(PID + ": window", config.window(), 10, 100_000);
    deviationNanosMin =
        Range.checked(PID + ": min.stddev.millis", config.min_stddev_millis(), 1, 60_000)
            * 1_000_000L;
  }

  @Override
  public Detector open(NodeId self, long incarnation, DetectionGoal goal, RandomGenerator random) {
    long most = Budget.of(goal).silenceNanos();
    return new Heartbeats(goal, () -> new PhiEstimator(threshold, window, deviationNanosMin, most));
  }
}
