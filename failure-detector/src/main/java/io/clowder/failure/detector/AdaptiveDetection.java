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
 * What is used unless another one is asked for, see {@link AdaptiveEstimator}. It never waits for
 * less than half of what the goal allows.
 */
@Component(
    property = DetectionAlgorithm.ALGORITHM + "=adaptive",
    configurationPid = AdaptiveDetection.PID)
@Designate(ocd = AdaptiveDetection.Config.class)
public final class AdaptiveDetection implements DetectionAlgorithm {
  static final String PID = "io.clowder.fd.adaptive";

  /** Its parameters; a change of any key has it learn anew. */
  @ObjectClassDefinition(
      name = "Clowder failure detector: adaptive",
      description = "Waits as long as the line deserves at the moment, within the goal")
  public @interface Config {
    /** What a second of waiting is worth. */
    @AttributeDefinition(
        name = "Threshold",
        description =
            "What a second of waiting is worth, as minus the decimal logarithm of the chance of a"
                + " mistake, -2 to 12: the larger, the longer it waits and the fewer its mistakes",
        min = "-2",
        max = "12")
    double threshold() default USUAL_THRESHOLD;
  }

  private static final double USUAL_THRESHOLD = 5;

  private final double price;

  /** With the usual parameters. */
  AdaptiveDetection() {
    price = Math.pow(10, -USUAL_THRESHOLD);
  }

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public AdaptiveDetection(Config config) {
    price = Math.pow(10, -Range.checked(PID + ": threshold", config.threshold(), -2, 12));
  }

  @Override
  public Detector open(NodeId self, long incarnation, DetectionGoal goal, RandomGenerator random) {
    long most = Budget.of(goal).silenceNanos();
    return new Heartbeats(goal, () -> new AdaptiveEstimator(price, most / 2, most));
  }
}
