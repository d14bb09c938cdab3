// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Probe.View;
import io.clowder.itests.probe.Ring;
import io.clowder.itests.probe.Store;
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

  /** The same of loads of a replicated store: every node reads a right value of every key. */
  static void checkStore(List<FelixNode> nodes, String store, List<Load.Outcome> outcomes)
      throws Exception {
    for (Load.Outcome outcome : outcomes) {
      assertEquals(List.of(), outcome.failures());
      assertTrue("nothing was written", outcome.values().size() > 1);
      for (Map.Entry<String, Set<String>> expected : outcome.values().entrySet()) {
        for (FelixNode node : nodes) {
          Store.Entry found = node.probe().store(store).get(expected.getKey(), "linearizable");
          assertTrue(
              "%s has %s, not one of %s".formatted(node.id(), found, expected),
              found != null && expected.getValue().contains(found.value()));
        }
      }
    }
  }

  /**
   * The same of loads of a ring, of which writes may have failed as nobody knows whether they
   * happened; how many did.
   */
  static int checkRing(List<FelixNode> nodes, String ring, List<Load.Outcome> outcomes)
      throws Exception {
    int failed = 0;
    for (Load.Outcome outcome : outcomes) {
      for (String failure : outcome.failures()) {
        assertTrue(failure, failure.contains("MAY_HAVE_HAPPENED"));
        failed++;
      }
      assertTrue("nothing was written", outcome.values().size() > 1);
      for (Map.Entry<String, Set<String>> expected : outcome.values().entrySet()) {
        for (FelixNode node : nodes) {
          Ring.Entry found = node.probe().ring(ring).get(expected.getKey());
          assertTrue(
              "%s has %s, not one of %s".formatted(node.id(), found, expected),
              found != null && expected.getValue().contains(found.value()));
        }
      }
    }
    return failed;
  }
}
