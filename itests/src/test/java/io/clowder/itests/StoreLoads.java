// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A load on the store of each node of a cluster, and what clients saw of it: that must have an
 * order that explains it, and all copies must be the same in the end.
 */
final class StoreLoads {
  /** Longer than anything takes. */
  static final Duration WAIT = Duration.ofSeconds(90);

  private static final int SOME = 10;

  private final List<MapLoad> loads = new ArrayList<>();
  private final MapLoad.Witness witness = new MapLoad.Witness();

  MapLoad.Witness witness() {
    return witness;
  }

  /** Begins one on every node. */
  void begin(LocalCluster cluster) {
    for (String node : cluster.nodes()) {
      loads.add(one(cluster, node));
    }
  }

  /** One more, which is the caller's to end. */
  MapLoad one(LocalCluster cluster, String node) {
    return new MapLoad(cluster.shell(node)::run, node, "store", witness);
  }

  void end() throws InterruptedException {
    for (MapLoad load : loads) {
      load.end();
    }
    loads.clear();
  }

  /** All get on, but for the one whose node is away. */
  void awaitProgress(String away) throws Exception {
    for (MapLoad load : loads) {
      if (!load.node().equals(away)) {
        load.awaitProgress(SOME, WAIT);
      }
    }
  }

  /** Waits until others than this one say that one of them is the primary. */
  static void awaitAnother(LocalCluster cluster, String primary) throws Exception {
    String other = cluster.other(primary);
    assertTrue(
        "nobody takes over from " + primary + ": " + cluster.storeStatus(other),
        Deadline.in(WAIT)
            .until(
                () -> {
                  String now = cluster.storeStatus(other).getOrDefault("primary", "null");
                  return !List.of(primary, "null").contains(now);
                }));
  }

  /** Every node reads the newest of all that anybody was told of, and all copies are the same. */
  void assertNothingLost(LocalCluster cluster) throws Exception {
    cluster.primary(WAIT);
    end();
    for (String node : cluster.nodes()) {
      MapLoad last = one(cluster, node);
      last.end();
      last.readAll();
    }
    int completed = witness.check();
    int least = SOME * cluster.nodes().size();
    assertTrue("only " + completed + " operations", completed > least);
    List<Map<String, String>> copies = Rows.of(cluster.shell("n1").done("store:verify -o json"));
    assertEquals(3, copies.size());
    assertEquals(
        copies.toString(), 1, copies.stream().map(it -> it.get("digest")).distinct().count());
    assertTrue(copies.toString(), copies.stream().allMatch(it -> "".equals(it.get("problem"))));
  }
}
