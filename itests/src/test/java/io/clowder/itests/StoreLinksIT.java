// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Probe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/**
 * A store of three containers whose links fail: under load the primary is cut off from all others,
 * from one, in both directions or in one, {@code -Dstore.cuts=N} times. It cannot know whether it
 * is still the primary, nor the others whether it still reads; what clients saw must have an order
 * that explains it all the same.
 */
public class StoreLinksIT {
  private static final int CUTS = Integer.getInteger("store.cuts", 5);
  private static final int SOME = 10;
  private static final String MAIN = "main";
  private static final List<String> NODES = List.of("n1", "n2", "n3");

  private final MapLoad.Witness witness = new MapLoad.Witness();
  private final List<MapLoad> loads = new ArrayList<>();

  /** What is cut, and which nodes get on all the same. */
  private enum Cut {
    FROM_ALL {
      @Override
      List<String> make(Links links, String primary, List<String> others, String leader) {
        for (String other : others) {
          links.cut(primary, other);
          links.cut(other, primary);
        }
        return others;
      }
    },
    FROM_ONE {
      @Override
      List<String> make(Links links, String primary, List<String> others, String leader) {
        List<String> rest = new ArrayList<>(others);
        String one = rest.remove(others.get(0).equals(leader) ? 1 : 0);
        links.cut(primary, one);
        links.cut(one, primary);
        return List.of(primary, rest.get(0));
      }
    },
    /** Who does not reach the leader of the group loses its session, and then what it is. */
    FROM_LEADER {
      @Override
      List<String> make(Links links, String primary, List<String> others, String leader) {
        assertNotEquals(primary, leader);
        links.cut(primary, leader);
        links.cut(leader, primary);
        return others;
      }
    },
    UNHEARD {
      @Override
      List<String> make(Links links, String primary, List<String> others, String leader) {
        others.forEach(it -> links.cut(primary, it));
        return others;
      }
    },
    DEAF {
      @Override
      List<String> make(Links links, String primary, List<String> others, String leader) {
        others.forEach(it -> links.cut(it, primary));
        return others;
      }
    };

    abstract List<String> make(Links links, String primary, List<String> others, String leader);
  }

  @Test
  public void theHistoryChecksOverCutLinks() throws Exception {
    try (Links links = new Links(NODES)) {
      StoreCluster cluster = StoreCluster.start(links::members, MAIN);
      try {
        for (FelixNode node : cluster.nodes()) {
          loads.add(load(node));
        }
        for (int i = 0; i < CUTS; i++) {
          Cut cut = Cut.values()[i % Cut.values().length];
          FelixNode primary = cluster.awaitInSync(MAIN);
          String leader = leader(cluster);
          if (cut == Cut.FROM_LEADER && primary.id().equals(leader)) {
            primary = cluster.failOver(MAIN);
          }
          awaitProgress(NODES);
          long begin = System.nanoTime();
          List<String> others = cluster.others(primary).stream().map(FelixNode::id).toList();
          awaitProgress(cut.make(links, primary.id(), others, leader));
          // Who is cut off and is asked now must not answer as if it was not.
          MapLoad late = load(primary);
          links.heal();
          awaitProgress(NODES);
          late.end();
          System.out.printf(
              "store: %s %s, no write acknowledged for %d ms%n",
              primary.id(), cut, witness.longestPauseMillis(begin));
        }
        cluster.awaitInSync(MAIN);
        endLoads();
        for (FelixNode node : cluster.nodes()) {
          MapLoad last = load(node);
          last.end();
          last.readAll();
        }
        int completed = witness.check();
        assertTrue("only " + completed + " operations", completed > CUTS * SOME);
        assertEqualCopies(cluster.nodes().get(0));
      } finally {
        links.heal();
        endLoads();
        cluster.stop();
      }
    }
  }

  private static String leader(StoreCluster cluster) throws Exception {
    String leader = cluster.nodes().get(0).probe().view().leader();
    assertNotNull(leader);
    return leader;
  }

  private MapLoad load(FelixNode node) throws Exception {
    Probe probe = node.probe();
    return new MapLoad(line -> run(probe, line), node.id(), "store", witness);
  }

  private static Shell.Answer run(Probe probe, String line) throws IOException {
    try {
      return new Shell.Answer(0, probe.shell(line), "");
    } catch (IllegalStateException e) {
      return new Shell.Answer(1, "", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private void awaitProgress(List<String> nodes) throws Exception {
    for (MapLoad load : loads) {
      if (nodes.contains(load.node())) {
        load.awaitProgress(SOME, StoreCluster.WAIT);
      }
    }
  }

  private void endLoads() throws InterruptedException {
    for (MapLoad load : loads) {
      load.end();
    }
    loads.clear();
  }

  private static void assertEqualCopies(FelixNode node) throws Exception {
    List<Map<String, String>> copies = Rows.of(node.probe().shell("store:verify -o json"));
    assertEquals(copies.toString(), 3, copies.size());
    assertEquals(
        copies.toString(), 1, copies.stream().map(it -> it.get("digest")).distinct().count());
  }
}
