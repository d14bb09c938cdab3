// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
  private static final int SOME = 10;
  private static final Duration WAIT = Duration.ofSeconds(90);
  private static final Pattern DAMAGED =
      Pattern.compile("store main: the copy \\d+ on this node is damaged; another one is made");

  private final List<MapLoad> loads = new ArrayList<>();
  private final MapLoad.Witness witness = new MapLoad.Witness();

  @After
  public void nobodyWritesAnyMore() throws Exception {
    endLoads();
  }

  @Test
  public void theHistoryChecksOverFailOvers() throws Exception {
    LocalCluster cluster = LocalCluster.up("stores");
    try {
      load(cluster);
      for (int i = 0; i < FAILOVERS; i++) {
        String primary = cluster.primary(WAIT);
        awaitProgress("");
        long begin = System.nanoTime();
        String how = i % 2 == 0 ? "killed" : "frozen";
        if (i % 2 == 0) {
          kill(cluster, primary);
        } else {
          freeze(cluster, primary);
        }
        System.out.printf(
            "store: %s %s, no write acknowledged for %d ms%n",
            primary, how, witness.longestPauseMillis(begin));
      }
      assertNothingLost(cluster);
    } finally {
      cluster.killAll();
    }
  }

  private void kill(LocalCluster cluster, String primary) throws Exception {
    cluster.kill(primary);
    awaitProgress(primary);
    cluster.start(primary);
    awaitProgress("");
  }

  /** Until another is the primary; who has asked the frozen one meanwhile is told no old news. */
  private void freeze(LocalCluster cluster, String primary) throws Exception {
    MapLoad late;
    cluster.signal("STOP", primary);
    try {
      String other = other(cluster, primary);
      assertTrue(
          "nobody takes over from " + primary + ": " + cluster.storeStatus(other),
          within(
              () -> !List.of(primary, "null").contains(cluster.storeStatus(other).get("primary"))));
      awaitProgress(primary);
      late = new MapLoad(cluster.shell(primary)::run, primary, "store", witness);
      awaitProgress(primary);
    } finally {
      cluster.signal("CONT", primary);
    }
    awaitProgress("");
    late.end();
  }

  @Test
  public void whatIsOnDiskIsAllThereIs() throws Exception {
    LocalCluster cluster = LocalCluster.up("disks");
    try {
      load(cluster);
      awaitProgress("");
      cluster.killTogether();
      endLoads();
      cluster.upAgain();
      assertNothingLost(cluster);

      // Whose disk is damaged is no primary, though it was, and nobody suspects it.
      String primary = cluster.primary(WAIT);
      load(cluster);
      awaitProgress("");
      cluster.killTogether();
      endLoads();
      int bytes = JournalFile.in(journals(cluster, primary)).flipInTheMiddle();
      assertTrue(bytes > 0);
      cluster.upAgain();
      assertNotEquals(primary, cluster.primary(WAIT));
      assertLogged(cluster, primary);
      assertNothingLost(cluster);

      String backup = other(cluster, cluster.primary(WAIT));
      load(cluster);
      awaitProgress("");
      cluster.order("stop", backup);
      JournalFile.in(journals(cluster, backup)).flipInTheMiddle();
      cluster.start(backup);
      cluster.primary(WAIT);
      assertLogged(cluster, backup);
      awaitProgress("");

      cluster.order("stop", backup);
      wipe(journals(cluster, backup));
      wipe(cluster.dir(backup).resolve("data/snapshots/stores/main"));
      cluster.start(backup);
      cluster.primary(WAIT);
      awaitProgress("");

      // Without anything, it is another node for the group, and has to be let in as one.
      cluster.order("stop", backup);
      wipe(cluster.dir(backup).resolve("data"));
      cluster.start(backup);
      String other = other(cluster, backup);
      answer(cluster, other, "clowder:remove " + backup);
      answer(cluster, other, "clowder:add " + backup + "=" + cluster.address(backup));
      cluster.primary(WAIT);
      awaitProgress("");
      assertNothingLost(cluster);
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

  // ---- load ----------------------------------------------------------------------------------

  private void load(LocalCluster cluster) {
    for (String node : cluster.nodes()) {
      loads.add(new MapLoad(cluster.shell(node)::run, node, "store", witness));
    }
  }

  private void endLoads() throws InterruptedException {
    for (MapLoad load : loads) {
      load.end();
    }
    loads.clear();
  }

  /** All loads get on, but for the one whose node is away. */
  private void awaitProgress(String away) throws Exception {
    for (MapLoad load : loads) {
      if (!load.node().equals(away)) {
        int before = load.done();
        assertTrue(
            load.node() + " does not get on: " + load.problem(),
            within(() -> load.done() >= before + SOME));
      }
    }
  }

  /** Every node reads the newest of all that anybody was told of, and all copies are the same. */
  private void assertNothingLost(LocalCluster cluster) throws Exception {
    cluster.primary(WAIT);
    endLoads();
    for (String node : cluster.nodes()) {
      MapLoad last = new MapLoad(cluster.shell(node)::run, node, "store", witness);
      last.end();
      last.readAll();
    }
    int completed = witness.check();
    assertTrue("only " + completed + " operations", completed > SOME);
    List<Map<String, String>> copies = Rows.of(answer(cluster, "n1", "store:verify -o json"));
    assertEquals(3, copies.size());
    assertEquals(
        copies.toString(), 1, copies.stream().map(it -> it.get("digest")).distinct().count());
    assertTrue(copies.toString(), copies.stream().allMatch(it -> "".equals(it.get("problem"))));
  }

  // ---- who holds it --------------------------------------------------------------------------

  private static String other(LocalCluster cluster, String than) {
    return cluster.nodes().stream().filter(it -> !it.equals(than)).findFirst().orElseThrow();
  }

  private static String answer(LocalCluster cluster, String node, String line) throws IOException {
    Shell.Answer answer = cluster.shell(node).run(line);
    assertEquals(line + ": " + answer.err(), 0, answer.status());
    return answer.out();
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
