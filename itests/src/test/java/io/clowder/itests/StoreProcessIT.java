// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.StoreLoads.WAIT;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.After;
import org.junit.Test;

/**
 * A store of three processes, whose primaries are killed and frozen in turn under load, {@code
 * -Dstore.failovers=N} times; which lose their power together, and whose disks are damaged. What
 * clients saw must have an order that explains it, and all copies must be the same in the end.
 *
 * <p>Of each fail-over it prints how long no write was acknowledged. Nothing hangs on that.
 */
public class StoreProcessIT {
  private static final int FAILOVERS = Integer.getInteger("store.failovers", 3);
  private static final Pattern DAMAGED =
      Pattern.compile("store main: the copy \\d+ on this node is damaged; another one is made");

  private final StoreLoads loads = new StoreLoads();

  @After
  public void nobodyWritesAnyMore() throws Exception {
    loads.end();
  }

  @Test
  public void theHistoryChecksOverFailOvers() throws Exception {
    LocalCluster cluster = LocalCluster.up("stores");
    try {
      loads.begin(cluster);
      for (int i = 0; i < FAILOVERS; i++) {
        String primary = cluster.primary(WAIT);
        loads.awaitProgress("");
        long begin = System.nanoTime();
        String how = i % 2 == 0 ? "killed" : "frozen";
        if (i % 2 == 0) {
          kill(cluster, primary);
        } else {
          freeze(cluster, primary);
        }
        System.out.printf(
            "store: %s %s, no write acknowledged for %d ms%n",
            primary, how, loads.witness().longestPauseMillis(begin));
      }
      loads.assertNothingLost(cluster);
    } finally {
      cluster.killAll();
    }
  }

  private void kill(LocalCluster cluster, String primary) throws Exception {
    cluster.kill(primary);
    loads.awaitProgress(primary);
    cluster.start(primary);
    loads.awaitProgress("");
  }

  /** Until another is the primary; who has asked the frozen one meanwhile is told no old news. */
  private void freeze(LocalCluster cluster, String primary) throws Exception {
    MapLoad late;
    cluster.signal("STOP", primary);
    try {
      StoreLoads.awaitAnother(cluster, primary);
      loads.awaitProgress(primary);
      late = loads.one(cluster, primary);
      loads.awaitProgress(primary);
    } finally {
      cluster.signal("CONT", primary);
    }
    loads.awaitProgress("");
    late.end();
  }

  @Test
  public void whatIsOnDiskIsAllThereIs() throws Exception {
    LocalCluster cluster = LocalCluster.up("disks");
    try {
      loads.begin(cluster);
      loads.awaitProgress("");
      cluster.killTogether();
      loads.end();
      cluster.upAgain();
      loads.assertNothingLost(cluster);

      // Whose disk is damaged is no primary, though it was, and nobody suspects it.
      String primary = cluster.primary(WAIT);
      loads.begin(cluster);
      loads.awaitProgress("");
      cluster.killTogether();
      loads.end();
      int bytes = JournalFile.in(journals(cluster, primary)).flipInTheMiddle();
      assertTrue(bytes > 0);
      cluster.upAgain();
      assertNotEquals(primary, cluster.primary(WAIT));
      assertLogged(cluster, primary);
      loads.assertNothingLost(cluster);

      String backup = cluster.other(cluster.primary(WAIT));
      loads.begin(cluster);
      loads.awaitProgress("");
      cluster.order("stop", backup);
      JournalFile.in(journals(cluster, backup)).flipInTheMiddle();
      cluster.start(backup);
      cluster.primary(WAIT);
      assertLogged(cluster, backup);
      loads.awaitProgress("");

      cluster.order("stop", backup);
      wipe(journals(cluster, backup));
      wipe(cluster.dir(backup).resolve("data/snapshots/stores/main"));
      cluster.start(backup);
      cluster.primary(WAIT);
      loads.awaitProgress("");

      // Without anything, it is another node for the group, and has to be let in as one.
      cluster.order("stop", backup);
      wipe(cluster.dir(backup).resolve("data"));
      cluster.start(backup);
      Shell other = cluster.shell(cluster.other(backup));
      other.done("clowder:remove " + backup);
      other.done("clowder:add " + backup + "=" + cluster.address(backup));
      cluster.primary(WAIT);
      loads.awaitProgress("");
      loads.assertNothingLost(cluster);
    } finally {
      cluster.killAll();
    }
  }

  private static Path journals(LocalCluster cluster, String node) {
    return cluster.dir(node).resolve("data/journals/stores/main");
  }

  private static void assertLogged(LocalCluster cluster, String node) throws IOException {
    String log = Files.readString(cluster.dir(node).resolve("log/node.log"));
    assertTrue(log, DAMAGED.matcher(log).find());
  }

  private static void wipe(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted((one, other) -> other.compareTo(one)).toList()) {
        Files.delete(path);
      }
    }
    assertFalse(Files.exists(folder));
  }
}
