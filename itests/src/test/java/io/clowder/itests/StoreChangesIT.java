// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static io.clowder.itests.StoreCluster.BUNDLE;
import static io.clowder.itests.StoreCluster.within;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Store;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;
import org.osgi.framework.Bundle;

/**
 * A store of three containers under load, in which one thing after the other is changed: who is the
 * primary, its bundle, consensus below it. Of what is served, nothing fails and nothing is lost.
 */
public class StoreChangesIT {
  private static final String MAIN = "main";

  private static @Nullable StoreCluster shared;

  private FelixNode primary = cluster().nodes().get(0);

  @BeforeClass
  public static void start() throws Exception {
    shared = StoreCluster.start(MAIN);
  }

  @AfterClass
  public static void stop() throws Exception {
    cluster().stop();
  }

  private static StoreCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }

  @Before
  public void allCopiesAreInSync() throws Exception {
    primary = cluster().awaitInSync(MAIN);
  }

  @After
  public void nobodyWritesAnyMore() throws Exception {
    cluster().dropLoads();
  }

  @Test
  public void aSwitchoverFailsNothing() throws Exception {
    cluster().load(MAIN, cluster().nodes());
    for (int i = 0; i < 2; i++) {
      for (FelixNode next : cluster().nodes()) {
        if (next != cluster().awaitInSync(MAIN)) {
          String said = primary.probe().shell("store:switchover " + next.id());
          assertTrue(said, said.contains("primary " + next.id()));
          cluster().awaitProgress();
        }
      }
    }
    cluster().endLoads(MAIN);
  }

  @Test
  public void thePrimarysBundleIsStoppedAndStarted() throws Exception {
    change(primary, StoreChangesIT::stopAndStart);
  }

  @Test
  public void thePrimarysBundleIsUpdated() throws Exception {
    change(primary, node -> node.bundle(BUNDLE).update());
  }

  @Test
  public void thePrimarysBundleIsRefreshed() throws Exception {
    change(primary, node -> node.refresh(node.bundle(BUNDLE)));
  }

  @Test
  public void aBackupsBundleIsStoppedAndStarted() throws Exception {
    change(cluster().others(primary).get(0), StoreChangesIT::stopAndStart);
  }

  @Test
  public void aBackupsBundleIsUpdated() throws Exception {
    change(cluster().others(primary).get(1), node -> node.bundle(BUNDLE).update());
  }

  @Test
  public void aBackupsBundleIsRefreshed() throws Exception {
    change(cluster().others(primary).get(0), node -> node.refresh(node.bundle(BUNDLE)));
  }

  private static void stopAndStart(FelixNode node) throws Exception {
    Bundle stopped = node.bundle(BUNDLE);
    stopped.stop();
    assertEquals(Bundle.RESOLVED, stopped.getState());
    cluster().awaitProgress();
    stopped.start();
  }

  /** Something is done to the bundle of a node, while the others serve. */
  private static void change(FelixNode victim, Change change) throws Exception {
    Store store = StoreCluster.store(victim, MAIN);
    Store.Ear ear = store.watch("own", store.put("own", "before") + 1);
    cluster().load(MAIN, cluster().others(victim));
    change.to(victim);
    cluster().awaitProgress();
    cluster().awaitInSync(MAIN);
    assertTrue(ear.ended(), within(() -> ear.ended().startsWith("UNAVAILABLE")));
    assertEquals(List.of(), ear.changes());
    long version = store.put("own", "after");
    assertEquals(new Store.Entry("own", "after", version), store.get("own", "linearizable"));
    cluster().endLoads(MAIN);
  }

  @Test
  public void thePrimarysNodeStopsAndComesBack() throws Exception {
    cluster().load(MAIN, cluster().others(primary));
    cluster().stop(primary);
    cluster().awaitProgress();
    cluster().startAgain(primary);
    cluster().awaitInSync(MAIN);
    cluster().awaitProgress();
    cluster().endLoads(MAIN);
  }

  @Test
  public void withoutConsensusOnThePrimarysNodeItGoesOn() throws Exception {
    cluster().load(MAIN, cluster().nodes());
    Bundle consensus = primary.bundle("io.clowder.consensus");
    consensus.stop();
    for (int i = 0; i < 5; i++) {
      cluster().awaitProgress();
    }
    consensus.start();
    for (FelixNode node : cluster().nodes()) {
      node.awaitServing();
    }
    cluster().awaitProgress();
    assertEquals("nobody had a reason to take over", primary, cluster().awaitInSync(MAIN));
    cluster().endLoads(MAIN);
  }

  @Test
  public void withoutConsensusAnywhereItGoesOn() throws Exception {
    cluster().load(MAIN, cluster().nodes());
    for (FelixNode node : cluster().nodes()) {
      node.bundle("io.clowder.consensus").stop();
    }
    for (int i = 0; i < 3; i++) {
      cluster().awaitProgress();
    }
    for (FelixNode node : cluster().nodes()) {
      node.bundle("io.clowder.consensus").start();
    }
    for (FelixNode node : cluster().nodes()) {
      node.awaitServing();
    }
    cluster().awaitProgress();
    cluster().awaitInSync(MAIN);
    cluster().endLoads(MAIN);
  }

  @Test
  public void consensusIsSwapped() throws Exception {
    cluster().load(MAIN, cluster().nodes());
    for (String protocol : List.of("paxos", "raft")) {
      String said = cluster().nodes().get(0).probe().shell("clowder:swap " + protocol);
      assertTrue(said, said.contains("serving, gap "));
      cluster().awaitProgress();
      // And it decides on stores under the next one.
      cluster().failOver(MAIN);
      cluster().awaitProgress();
    }
    cluster().endLoads(MAIN);
  }

  /** What is done to a node. */
  private interface Change {
    void to(FelixNode node) throws Exception;
  }
}
