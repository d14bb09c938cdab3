// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.DhtProcesses.WAIT;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;

/**
 * A ring of eight processes with large values, of which one is killed, one frozen, one leaves and
 * joins, and one more is killed while another hands over, {@code -Ddht.rounds=N} times, under load;
 * {@code -Ddht.mode=peer} has it of that mode. Nothing that was acknowledged is lost, nor is any
 * copy, and what clients saw has an order that explains it; in mode {@code peer} but for reads that
 * are stale while an owner changes.
 *
 * <p>It prints how long no write of a key succeeded, how many copies moved, and how long reads took
 * meanwhile. Nothing hangs on that.
 */
public class DhtProcessIT {
  private static final int ROUNDS = Integer.getInteger("dht.rounds", 0);
  private static final String MODE = System.getProperty("dht.mode", "consistent");
  private static final boolean IS_PEER = MODE.equals("peer");
  private static final int NODES = 8;
  private static final int REPLICAS = 3;
  private static final int VALUES = 600;
  private static final int SOME = 10;

  /** Reads while nothing happens. */
  private static final int CALM = 200;

  private static final String SETTINGS =
      """
      io.clowder.dht~main.mode=%s
      io.clowder.dht~main.successors=%d
      io.clowder.dht~main.anti.entropy.seconds=%d
      io.clowder.dht~main.replicas=3
      io.clowder.dht~main.partitions=256
      io.clowder.dht~main.transfer.mebibytes=1
      io.clowder.replication~main.replicas=1
      io.clowder.replication~main.min.insync=1
      """
          // In mode peer it takes a few of these times until nobody keeps what is not for it.
          .formatted(MODE, IS_PEER ? 4 : 0, IS_PEER ? 5 : 60);

  private final MapLoad.Witness witness = new MapLoad.Witness();
  private final List<MapLoad> loads = new ArrayList<>();
  private LocalCluster cluster = LocalCluster.at(Path.of("none"), NODES);
  private DhtProcesses ring = new DhtProcesses(cluster);

  @BeforeClass
  public static void onlyIfAskedFor() {
    assumeTrue("asked for by -Ddht.rounds=N: eight processes are much for a build", ROUNDS > 0);
  }

  @Before
  public void up() throws Exception {
    cluster = LocalCluster.upMany("rings", NODES, SETTINGS);
    ring = new DhtProcesses(cluster);
  }

  @After
  public void down() throws Exception {
    endLoads();
    cluster.killAll();
  }

  @Test
  public void nothingIsLostWhateverHappensToNodes() throws Exception {
    ring.awaitIdeal(cluster.nodes());
    ring.fill(VALUES);
    loads.add(load("n2"));
    for (int i = 0; i < ROUNDS; i++) {
      List<String> left = without(cluster.nodes(), "n8");
      killed("n8", left);
      frozen("n7", left);
      leavesAndJoins("n6", left);
      killedDuringAHandOver("n5", "n4");
      // Both that were killed are there again.
      cluster.start("n8");
      cluster.start("n5");
      cluster.shell("n4").done("dht:join");
      ring.awaitIdeal(cluster.nodes());
    }
    endLoads();
    ring.awaitIdeal(cluster.nodes());
    ring.assertNothingLost();
    List<String> stale = witness.stale();
    if (!IS_PEER) {
      assertEquals("stale", List.of(), stale);
    }
    for (String node : cluster.nodes()) {
      MapLoad last = load(node);
      last.end();
      last.readAll();
    }
    assertEquals("stale in the end", stale, witness.stale());
    int checked = witness.done();
    assertTrue("only " + checked + " operations", checked > NODES * SOME);
    long values = ring.awaitCopies(REPLICAS);
    assertEquals("ok", cluster.shell("n3").done("dht:check"));
    assertEquals("all copies agree", cluster.shell("n3").done("dht:repair"));
    System.out.printf(
        "dht: %d operations checked, %d stale reads, %d values kept%n",
        checked, stale.size(), values);
  }

  private void killed(String victim, List<String> left) throws Exception {
    try (Hand hand = new Hand(cluster.shell("n1"), "put " + ring.ownedBy(victim) + " a")) {
      hand.awaitProgress();
      final long begin = System.nanoTime();
      cluster.kill(victim);
      hand.awaitProgress();
      System.out.printf(
          "dht: %s killed, no write of a key of its acknowledged for %d ms%n",
          victim, hand.longestPauseMillis(begin));
    }
    awaitProgress();
    ring.awaitIdeal(left);
  }

  /** Who asks the frozen one is told no old news when it goes on. */
  private void frozen(String victim, List<String> there) throws Exception {
    MapLoad late;
    cluster.signal("STOP", victim);
    try {
      ring.awaitIdeal(without(there, victim));
      late = load(victim);
      awaitProgress();
    } finally {
      cluster.signal("CONT", victim);
    }
    ring.awaitIdeal(there);
    late.end();
  }

  private void leavesAndJoins(String node, List<String> there) throws Exception {
    Shell shell = cluster.shell(node);
    try (Hand reads = new Hand(cluster.shell("n3"), "get " + DhtProcesses.key(1))) {
      reads.awaitProgress();
      long calm = reads.during(() -> reads.awaitProgress(CALM));
      List<DhtProcesses.Part> before = ring.parts();
      final long left = reads.during(() -> shell.done("dht:leave"));
      ring.awaitIdeal(without(there, node));
      List<DhtProcesses.Part> without = ring.parts();
      final long joined =
          reads.during(
              () -> {
                shell.done("dht:join");
                ring.awaitIdeal(there);
              });
      List<DhtProcesses.Part> after = ring.parts();
      double ideal = (double) ring.count() * REPLICAS / there.size();
      System.out.printf(
          "dht: %s left, %d copies moved; it joined, %d moved, of %d values: %.2f K R/(N+1);"
              + " reads at 99%%: %.1f ms before, %.1f ms when it left, %.1f ms when it joined%n",
          node,
          ring.moved(before, without),
          ring.moved(without, after),
          ring.count(),
          ring.moved(without, after) / ideal,
          calm / 1e6,
          left / 1e6,
          joined / 1e6);
    }
  }

  private void killedDuringAHandOver(String victim, String leaving) throws Exception {
    CompletableFuture<Shell.Answer> left =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return cluster.shell(leaving).run("dht:leave");
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    boolean isMoving = Deadline.in(WAIT).until(() -> ring.isHandingOver(leaving));
    assertTrue("it has handed over at once", isMoving && !left.isDone());
    cluster.kill(victim);
    Shell.Answer answer = left.get(WAIT.toSeconds(), TimeUnit.SECONDS);
    assertEquals(answer.toString(), 0, answer.status());
    awaitProgress();
  }

  private static List<String> without(List<String> nodes, String node) {
    return nodes.stream().filter(it -> !it.equals(node)).toList();
  }

  // ---- load ----------------------------------------------------------------------------------

  private MapLoad load(String node) {
    return new MapLoad(cluster.shell(node)::run, node, "dht", witness);
  }

  private void awaitProgress() throws Exception {
    for (MapLoad load : loads) {
      load.awaitProgress(SOME, WAIT);
    }
  }

  private void endLoads() throws InterruptedException {
    for (MapLoad load : loads) {
      load.end();
    }
    loads.clear();
  }
}
