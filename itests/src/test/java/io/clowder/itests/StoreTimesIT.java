// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import io.clowder.itests.filler.Filler;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.Test;

/**
 * No test but a measurement, which does nothing unless it is asked for by {@code
 * -Dstore.entries=N}: a store of three processes is filled with so many small entries, then its
 * primary is killed, three times. It prints how long it takes from the first suspicion of another
 * node to the first write that the next primary acknowledges, and until the one that was killed is
 * in sync again.
 *
 * <pre>
 *   mvn verify -pl itests -am -Dtest=none -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Dit.test=StoreTimesIT -Dfailsafe.failIfNoSpecifiedTests=false -Dstore.entries=1000000
 * </pre>
 */
public class StoreTimesIT {
  private static final int ENTRIES = Integer.getInteger("store.entries", 0);
  private static final int KILLS = 3;
  private static final int SOME = 10;
  private static final Duration WAIT = Duration.ofMinutes(5);

  private final MapLoad.Witness witness = new MapLoad.Witness();

  @Test
  public void untilTheNextPrimaryServes() throws Exception {
    assumeTrue("asked for by -Dstore.entries=N", ENTRIES > 0);
    LocalCluster cluster = LocalCluster.up("large");
    try {
      cluster.primary(WAIT);
      fill(cluster);
      for (int i = 0; i < KILLS; i++) {
        measure(cluster, cluster.primary(WAIT));
      }
      for (String node : cluster.nodes()) {
        Map<String, String> status = Rows.one(cluster.shell(node).done("store:status -o json"));
        assertTrue(status.toString(), Long.parseLong(status.get("entries")) >= ENTRIES);
      }
      List<Map<String, String>> copies = Rows.of(cluster.shell("n1").done("store:verify -o json"));
      assertEquals(
          copies.toString(), 1, copies.stream().map(it -> it.get("digest")).distinct().count());
      assertTrue(witness.check() > 0);
    } finally {
      cluster.killAll();
    }
  }

  private static void fill(LocalCluster cluster) throws Exception {
    Path jar = cluster.dir().resolve("filler.jar");
    ProbeBundle.write(jar, Filler.class, List.of("io.clowder.api.store", "org.osgi.framework"));
    String said = cluster.shell("n1").done("felix:install '" + jar.toUri() + "'");
    cluster
        .shell("n1")
        .done("felix:start " + said.replaceFirst("(?s).*Bundle IDs?: (\\d+).*", "$1"));
    Instant begin = Instant.now();
    cluster.shell("n1").done("fill:store main " + ENTRIES);
    System.out.printf("store: %d entries in %s%n", ENTRIES, Duration.between(begin, Instant.now()));
  }

  private void measure(LocalCluster cluster, String victim) throws Exception {
    List<String> others = cluster.nodes().stream().filter(it -> !it.equals(victim)).toList();
    List<MapLoad> loads = new ArrayList<>();
    for (String node : others) {
      loads.add(new MapLoad(cluster.shell(node)::run, node, "store", witness));
    }
    try {
      for (MapLoad load : loads) {
        load.awaitProgress(SOME, WAIT);
      }
      long killedNanos = System.nanoTime();
      Instant killed = Instant.now();
      cluster.kill(victim);
      List<Instant> suspected = new ArrayList<>();
      for (String node : others) {
        suspected.add(suspected(cluster, node, victim));
      }
      Instant first = suspected.stream().min(Instant::compareTo).orElseThrow();
      Instant last = suspected.stream().max(Instant::compareTo).orElseThrow();
      // Who is suspected, by a connection that is refused, is dead: this is not its last word.
      long nanos = killedNanos + Duration.between(killed, first).toNanos();
      assertTrue("nobody writes", within(() -> witness.firstWriteNanos(nanos) != 0));
      Instant served = killed.plusNanos(witness.firstWriteNanos(nanos) - killedNanos);
      System.out.printf(
          "store: %s killed; suspected by one after %d ms and by both after %d ms; the next primary"
              + " acknowledged %d ms and %d ms after that%n",
          victim,
          Duration.between(killed, first).toMillis(),
          Duration.between(killed, last).toMillis(),
          Duration.between(first, served).toMillis(),
          Duration.between(last, served).toMillis());
    } finally {
      for (MapLoad load : loads) {
        load.end();
      }
    }
    Instant begin = Instant.now();
    cluster.start(victim);
    cluster.primary(WAIT);
    System.out.printf(
        "store: %s in sync again %s after its start%n",
        victim, Duration.between(begin, Instant.now()));
  }

  private static Instant suspected(LocalCluster cluster, String node, String victim)
      throws Exception {
    List<Instant> last = new ArrayList<>();
    assertTrue(
        node + " suspects nobody",
        within(
            () -> {
              last.clear();
              Rows.of(cluster.shell(node).done("fd:history " + victim + " -o json")).stream()
                  .filter(it -> "suspect".equals(it.get("event")))
                  .forEach(it -> last.add(Instant.parse(it.get("time"))));
              return cluster.shell(node).done("fd:suspects -o json").contains('"' + victim + '"');
            }));
    return last.get(last.size() - 1);
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
