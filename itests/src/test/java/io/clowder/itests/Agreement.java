// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Probe.View;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What has to be true of nodes after they were under load, whatever was done to them. */
final class Agreement {
  private Agreement() {}

  /**
   * No request failed, tokens rose, every node has applied all that had been committed, and every
   * value is right on it.
   */
  static void check(List<FelixNode> nodes, List<Load.Outcome> outcomes) throws Exception {
    for (Load.Outcome outcome : outcomes) {
      assertEquals(List.of(), outcome.failures());
      assertEquals(outcome.tokens().stream().sorted().distinct().toList(), outcome.tokens());
    }
    long committed = 0;
    for (FelixNode node : nodes) {
      committed = Math.max(committed, node.probe().view().committed());
    }
    for (FelixNode node : nodes) {
      node.awaitServing();
      View view = node.probe().view();
      assertTrue(node.id() + " " + view + " of " + committed, view.applied() >= committed);
      for (Load.Outcome outcome : outcomes) {
        assertTrue("nothing was written", outcome.values().size() > 1);
        for (Map.Entry<String, Set<String>> expected : outcome.values().entrySet()) {
          String applied = node.probe().applied(expected.getKey());
          assertTrue(
              "%s has %s = %s, not one of %s"
                  .formatted(node.id(), expected.getKey(), applied, expected.getValue()),
              expected.getValue().contains(String.valueOf(applied)));
        }
      }
    }
  }
}
