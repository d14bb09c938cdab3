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

/** Doubts a peer that is silent for a fixed time. */
@Component(
    property = DetectionAlgorithm.ALGORITHM + "=fixed",
    configurationPid = FixedDetection.PID)
@Designate(ocd = FixedDetection.Config.class)
public final class FixedDetection implements DetectionAlgorithm {
  static final String PID = "io.clowder.fd.fixed";

  /** Its parameters; a change of any key has it learn anew. */
  @ObjectClassDefinition(
      name = "Clowder failure detector: fixed",
      description = "A time-out: who is silent for so long is doubted")
  public @interface Config {
    /** How long a peer may be silent, in milliseconds. */
    @AttributeDefinition(
        name = "Time-out",
        description =
            "How long a peer may be silent, in milliseconds, 10 to 600000, at most what the goal"
                + " allows; 0 for that",
        min = "0",
        max = "600000")
    int timeout_millis() default 0;
  }

  private final long timeoutNanos;

  /** The component; refuses a configuration by the key's name. */
  @Activate
  public FixedDetection(Config config) {
    int millis = config.timeout_millis();
    if (millis != 0) {
      Range.checked(PID + ": timeout.millis", millis, 10, 600_000);
    }
    timeoutNanos = millis * 1_000_000L;
  }

  @Override
  public Detector open(NodeId self, long incarnation, DetectionGoal goal, RandomGenerator random) {
    long most = Budget.of(goal).silenceNanos();
    long silence = timeoutNanos == 0 ? most : Math.min(timeoutNanos, most);
    return new Heartbeats(goal, () -> new FixedEstimator(silence));
  }
}
