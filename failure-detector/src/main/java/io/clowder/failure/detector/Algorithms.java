// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.DetectionAlgorithm;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.ServiceReference;

/** The algorithms that are there, by their names; of two with one name the higher ranked. */
final class Algorithms {
  /** What stands in for an algorithm that is not there. */
  private static final String USUAL = "adaptive";

  /**
   * One that can be used.
   *
   * @param name for people
   */
  record Choice(String name, DetectionAlgorithm algorithm) {}

  private final Map<ServiceReference<?>, DetectionAlgorithm> all = new HashMap<>();

  void add(ServiceReference<?> reference, DetectionAlgorithm algorithm) {
    all.put(reference, algorithm);
  }

  void remove(ServiceReference<?> reference) {
    all.remove(reference);
  }

  /** The one of this name; until it comes, the usual one, which is part of this bundle. */
  Choice choose(String name) {
    DetectionAlgorithm wanted = find(name);
    if (wanted != null) {
      return new Choice(name, wanted);
    }
    DetectionAlgorithm usual = find(USUAL);
    return new Choice(
        name.equals(USUAL) ? USUAL : USUAL + " (" + name + " is not there)",
        usual != null ? usual : new AdaptiveDetection());
  }

  private @Nullable DetectionAlgorithm find(String name) {
    // Looked up each time: a service's ranking can change.
    return all.keySet().stream()
        .filter(reference -> name(reference).equals(name))
        .max(Comparator.naturalOrder())
        .map(all::get)
        .orElse(null);
  }

  private static String name(ServiceReference<?> reference) {
    return String.valueOf(reference.getProperty(DetectionAlgorithm.ALGORITHM));
  }
}
