// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.failure.DetectionAlgorithm;
import io.clowder.api.failure.DetectionGoal;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The services with their configuration. */
final class AlgorithmsTest {
  private static final NodeId PEER = new NodeId("peer");
  private static final DetectionGoal GOAL =
      new DetectionGoal(Duration.ofSeconds(3), Duration.ofHours(24), Duration.ofMinutes(1));

  /** A configuration with its defaults, but for what is given by the method's name. */
  static <T> T config(Class<T> type, Map<String, Object> values) {
    Object proxy =
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) ->
                values.getOrDefault(method.getName(), method.getDefaultValue()));
    return type.cast(proxy);
  }

  @Test
  void eachIsThereWithoutConfiguration() {
    List<DetectionAlgorithm> algorithms =
        List.of(
            new FixedDetection(config(FixedDetection.Config.class, Map.of())),
            new PhiDetection(config(PhiDetection.Config.class, Map.of())),
            new ChenDetection(config(ChenDetection.Config.class, Map.of())),
            new AdaptiveDetection(config(AdaptiveDetection.Config.class, Map.of())));
    for (DetectionAlgorithm algorithm : algorithms) {
      var detector = algorithm.open(new NodeId("self"), 1, GOAL, WeekTrace.random(1));
      detector.peers(new TreeSet<>(List.of(PEER)), 0);
      long now = 0;
      for (int i = 1; i <= 1_000; i++) {
        now += detector.intervalNanos(PEER);
        detector.heartbeat(PEER, i, detector.intervalNanos(PEER), now);
      }
      long silence = detector.doubtAt(PEER) - now;
      assertTrue(silence > 1_000_000_000L && silence <= 2_400_000_000L, "silence " + silence);
    }
  }

  @Test
  void theTimeOutIsTheConfiguredOne() {
    var fixed =
        new FixedDetection(config(FixedDetection.Config.class, Map.of("timeout_millis", 700)));
    var detector = fixed.open(new NodeId("self"), 1, GOAL, WeekTrace.random(1));
    detector.peers(new TreeSet<>(List.of(PEER)), 0);
    detector.heartbeat(PEER, 1, 500_000_000, 0);
    assertEquals(700_000_000, detector.doubtAt(PEER));
  }

  @Test
  void badValuesAreRefusedByTheNameOfTheKey() {
    refused("io.clowder.fd.fixed: timeout.millis", () -> fixed(-1));
    refused("io.clowder.fd.fixed: timeout.millis", () -> fixed(9));
    refused("io.clowder.fd.fixed: timeout.millis", () -> fixed(600_001));
    refused("io.clowder.fd.phi: threshold", () -> phi("threshold", 0.0));
    refused("io.clowder.fd.phi: threshold", () -> phi("threshold", Double.NaN));
    refused("io.clowder.fd.phi: window", () -> phi("window", 9));
    refused("io.clowder.fd.phi: min.stddev.millis", () -> phi("min_stddev_millis", 0));
    refused(
        "io.clowder.fd.chen: window",
        () -> new ChenDetection(config(ChenDetection.Config.class, Map.of("window", 1))));
    refused(
        "io.clowder.fd.adaptive: threshold",
        () ->
            new AdaptiveDetection(
                config(AdaptiveDetection.Config.class, Map.of("threshold", 13.0))));
  }

  private static FixedDetection fixed(int millis) {
    return new FixedDetection(
        config(FixedDetection.Config.class, Map.of("timeout_millis", millis)));
  }

  private static PhiDetection phi(String key, Object value) {
    return new PhiDetection(config(PhiDetection.Config.class, Map.of(key, value)));
  }

  private static void refused(String key, Executable opening) {
    var refusal = assertThrows(IllegalArgumentException.class, opening);
    assertTrue(refusal.getMessage().startsWith(key + " is "), refusal.getMessage());
  }
}
