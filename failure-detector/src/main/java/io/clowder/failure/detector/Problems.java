// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import io.clowder.api.failure.ClusterView;
import io.clowder.api.failure.FailureDetector;
import io.clowder.api.failure.SelfReport;
import io.clowder.api.failure.Suspicion;
import io.clowder.api.failure.Suspicion.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a failure detector has to say about why something does not work, in sentences. */
final class Problems {
  private Problems() {}

  static List<String> of(FailureDetector detector, long nowMillis) {
    List<String> problems = new ArrayList<>();
    for (Suspicion it : detector.suspicions().values()) {
      String since = age(nowMillis - it.sinceMillis());
      if (it.state() == State.LEFT) {
        problems.add("peer: " + it.node() + " stopped its failure detector " + since + " ago");
      } else if (it.state() == State.SUSPECT) {
        problems.add("peer: " + it.node() + " is suspected since " + since + ": " + it.detail());
      } else if (it.state() == State.UNREACHABLE) {
        problems.add("link: " + it.node() + ": " + it.detail() + ", since " + since);
      } else if (!it.detail().isEmpty()) {
        problems.add("peer: " + it.node() + ": " + it.detail());
      }
    }
    ClusterView view = detector.view();
    if (!view.removed().isEmpty()) {
      problems.add(
          "view: " + view.removed() + " are out of view " + view.number() + ", two suspect them");
    }
    ofSelf(problems, detector.self(), nowMillis);
    return problems;
  }

  private static void ofSelf(List<String> problems, SelfReport self, long nowMillis) {
    if (self.isDegraded()) {
      problems.add(
          "self: this node did not run for a while, until %s ago (longest: %d ms): collection of"
                  .formatted(age(nowMillis - self.lastStallMillis()), self.longestStallMillis())
              + " garbage, too little CPU, or a suspended machine");
    }
    for (String part : self.unwell()) {
      problems.add("self: " + part + " says that it is not alive; the others suspect this node");
    }
    if (self.algorithm().contains("(")) {
      problems.add("bundle: algorithm: " + self.algorithm());
    }
  }

  /** A time for people. */
  static String age(long millis) {
    Duration age = Duration.ofMillis(Math.max(0, millis));
    return age.toMinutes() == 0
        ? age.toSeconds() + " s"
        : age.toHours() == 0
            ? age.toMinutes() + " min"
            : age.toDays() == 0 ? age.toHours() + " h" : age.toDays() + " d";
  }
}
