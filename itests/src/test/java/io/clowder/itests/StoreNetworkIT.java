// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.StoreLoads.WAIT;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.After;
import org.junit.Test;

/**
 * A store of three processes with TLS, each in a network namespace of its own, whose primary's link
 * is cut under load by the kernel, {@code -Dstore.cuts=N} times: in both directions and in either.
 * Where {@link StoreLinksIT} has a proxy that drops messages, here TCP itself gets no answers. It
 * does nothing unless it is asked for, since it needs root.
 *
 * <p>Of each cut it prints how long it took. Nothing hangs on that.
 *
 * <pre>
 *   mvn verify -pl itests -am -Dtest=none -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Dit.test=StoreNetworkIT -Dfailsafe.failIfNoSpecifiedTests=false -Dstore.cuts=9
 * </pre>
 */
public class StoreNetworkIT {
  private static final int CUTS = Integer.getInteger("store.cuts", 0);
  private static final String NAME = "network";

  /** So many calls take so long to fail that by then connections have been given up. */
  private static final int MANY = 12;

  private final StoreLoads loads = new StoreLoads();

  /** What the primary cannot do any more. */
  private enum Cut {
    FROM_ALL,
    DEAF,
    UNHEARD;

    void make(Network network, String node) throws IOException, InterruptedException {
      if (this != UNHEARD) {
        network.deafen(node);
      }
      if (this != DEAF) {
        network.muffle(node);
      }
    }
  }

  @After
  public void nobodyWritesAnyMore() throws Exception {
    loads.end();
  }

  @Test
  public void theHistoryChecksOverCutsInTheNetwork() throws Exception {
    assumeTrue("asked for by -Dstore.cuts=N", CUTS > 0);
    assertEquals("needs root, for network namespaces of its own", "0", Tool.run("id", "-u"));
    Tool.require("ip", "-V");
    Tool.require("tc", "-V");
    Tool.require("openssl", "version");
    LocalCluster cluster = LocalCluster.at(Files.createTempDirectory(NAME), 3);
    try (Network network = Network.join(cluster.nodes())) {
      start(cluster, network);
      cluster.primary(WAIT);
      loads.begin(cluster);
      for (int i = 0; i < CUTS; i++) {
        String primary = cluster.primary(WAIT);
        loads.awaitProgress("");
        Cut cut = Cut.values()[i % Cut.values().length];
        cut(cut, i % 2 == 0 ? 1 : MANY, cluster, network, primary);
      }
      loads.assertNothingLost(cluster);
    } finally {
      cluster.killAll();
    }
  }

  /** Starts the nodes as README's "Real machines" says. */
  private static void start(LocalCluster cluster, Network network) throws Exception {
    Authority authority = Authority.make(cluster.dir(), NAME);
    String members =
        cluster.nodes().stream()
            .map(it -> it + "=" + network.address(it))
            .collect(Collectors.joining(","));
    for (String node : cluster.nodes()) {
      // The store is the one that clowder up makes.
      Path config = cluster.dir().resolve(node + ".properties");
      Files.writeString(
          config,
          authority.certify(node)
              + "io.clowder.replication~main.replicas=3\n"
              + "io.clowder.replication~main.min.insync=2\n");
      Distribution.startBy(
          network.at(node),
          "node",
          "--dir",
          cluster.dir(node).toString(),
          "--id",
          node,
          "--listen",
          network.address(node),
          "--members",
          members,
          "--config",
          config.toString());
    }
  }

  /** Until another is the primary, and then until the one that was cut off is in sync again. */
  private void cut(Cut cut, int calls, LocalCluster cluster, Network network, String primary)
      throws Exception {
    MapLoad.Witness witness = loads.witness();
    long begin = System.nanoTime();
    cut.make(network, primary);
    StoreLoads.awaitAnother(cluster, primary);
    long replaced = System.nanoTime();
    assertTrue(
        "nobody writes without " + primary,
        Deadline.in(WAIT).until(() -> witness.firstWriteNanos(replaced) != 0));
    loads.awaitProgress(primary);
    long pauseMillis = witness.longestPauseMillis(begin);
    // Who asks the one that is cut off cannot be told anything, and some still ask when it is not.
    MapLoad late = loads.one(cluster, primary);
    try {
      assertTrue(late.problem(), Deadline.in(WAIT).until(() -> late.failed() >= calls));
      assertEquals(primary + " answers", 0, late.done());
      long healed = System.nanoTime();
      network.heal(primary);
      cluster.primary(WAIT);
      long inSync = System.nanoTime();
      loads.awaitProgress("");
      System.out.printf(
          "store: %s %s, another primary after %d ms, no write acknowledged for %d ms; healed"
              + " after %d ms, in sync %d ms later, no write acknowledged for %d ms%n",
          primary,
          cut,
          (replaced - begin) / 1_000_000,
          pauseMillis,
          (healed - begin) / 1_000_000,
          (inSync - healed) / 1_000_000,
          witness.longestPauseMillis(healed));
    } finally {
      late.end();
    }
  }
}
