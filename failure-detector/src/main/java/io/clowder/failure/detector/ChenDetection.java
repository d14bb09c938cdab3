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

/** The detector NFD-E that is configured by the goal, see {@link ChenEstimator}. */
@Component(property = DetectionAlgorithm.ALGORITHM + "=chen", configurationPid = ChenDetection.PID)
@Designate(ocd = ChenDetection.Config.class)
public final class ChenDetection implements DetectionAlgorithm {
  static final String PID = "io.clowder.fd.chen";

  /** Its parameters; a change of any key has it learn anew. */
  @ObjectClassDefinition(
      name = "Clowder failure detector: chen",
      description = "Freshness points: interval and margin follow from the goal and from the line")
  public @interface Config {
    /** How many heartbeats the expected arrival is the mean of. */
    @AttributeDefinition(
        name = "Window",
        description =
            "How many of the last heartbeats tell when the next one is expected, 10 to 100000. The"
                + " larger, the less a single one counts, and the longer a clock that runs wrong is"
                + " behind the schedule",
        min = "10",
        max = "100000")
    int window() default 100;
  }

  private final int window;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public ChenDetection(Config config) {
    window = Range.checked(PID + ": window", config.window(), 10, 100_000);
  }

  @Override
  public Detector open(NodeId self, long incarnation, DetectionGoal goal, RandomGenerator random) {
    return new Heartbeats(goal, () -> ChenEstimator.of(goal, window));
  }
}
