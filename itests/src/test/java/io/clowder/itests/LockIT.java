// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.inside.Inside;
import io.clowder.itests.probe.Probe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.Bundle;

/** Locks and leaders of three containers, whose bundles come and go. */
public class LockIT {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final String LOCKS = "io.clowder.lock";
  private static final Pattern ROW = Pattern.compile("\"position\": (\\d+), \"event\": \"(\\w+)\"");

  private final List<FelixNode> cluster = new ArrayList<>();

  @Before
  public void start() throws Exception {
    Path dir = Files.createTempDirectory("locks");
    String members = Ports.members(3);
    for (int i = 1; i <= 3; i++) {
      cluster.add(
          FelixNode.start(
              dir,
              "n" + i,
              members,
              Map.of(
                  "io.clowder.consensus.group~main", Map.of(),
                  "io.clowder.election~billing", Map.of()),
              BundleFiles.OWN));
    }
    for (FelixNode node : cluster) {
      node.awaitServing();
    }
  }

  @After
  public void stop() throws Exception {
    for (FelixNode node : cluster) {
      node.stop();
    }
  }

  @Test
  public void whatABundleHoldsIsReleasedInOneEntryWhenItStops() throws Exception {
    FelixNode n1 = cluster.get(0);
    FelixNode n2 = cluster.get(1);
    long token = n2.probe().hold("job");
    n2.probe().hold("other");
    CompletableFuture<Long> next = lockOnce(n1, "job");
    assertTrue(within(() -> n1.probe().shell("lock:info job").contains("waits")));
    assertTrue(n1.probe().shell("lock:sessions").contains(Inside.class.getPackageName() + " "));
    Bundle holder = n2.bundle(Inside.class.getPackageName());
    holder.stop();
    assertTrue(next.get(WAIT.toSeconds(), TimeUnit.SECONDS) > token);
    assertEquals("other is free", n1.probe().shell("lock:info other"));
    Matcher row = ROW.matcher(n1.probe().shell("lock:history job -o json"));
    boolean found = row.find();
    while (found && !row.group(2).equals("closed")) {
      found = row.find();
    }
    assertTrue("closed", found);
    final String closedAt = row.group(1);
    assertTrue(row.find());
    assertEquals("granted by the entry that closed", "granted", row.group(2));
    assertEquals(closedAt, row.group(1));
    holder.start();
    assertTrue(n2.probe().lockOnce("job") > token);
  }

  @Test
  public void listenersOnEveryNodeHearTheSameInOneOrder() throws Exception {
    long first = cluster.get(0).probe().lockOnce("watched/one");
    cluster.get(1).probe().lockOnce("unwatched");
    long second = cluster.get(2).probe().lockOnce("watched/two");
    List<String> all =
        List.of(
            "GRANTED watched/one " + first,
            "RELEASED watched/one " + first,
            "GRANTED watched/two " + second,
            "RELEASED watched/two " + second);
    for (FelixNode node : cluster) {
      assertTrue(node.probe().heard().toString(), within(() -> node.probe().heard().equals(all)));
    }
  }

  @Test
  public void whatIsHeldAndWaitedForGoesThroughASwapOfTheProvider() throws Exception {
    FelixNode n1 = cluster.get(0);
    FelixNode n2 = cluster.get(1);
    long token = n2.probe().hold("job");
    CompletableFuture<Long> next = lockOnce(n1, "job");
    assertTrue(within(() -> n1.probe().shell("lock:info job").contains("waits")));
    cluster.get(2).probe().shell("clowder:swap paxos");
    for (FelixNode node : cluster) {
      Bundle raft = node.bundle("io.clowder.consensus-raft");
      raft.stop();
      raft.uninstall();
      node.awaitServing();
    }
    assertTrue(n2.probe().isHeld("job"));
    assertFalse(next.isDone());
    n2.probe().letGo("job");
    assertTrue(next.get(WAIT.toSeconds(), TimeUnit.SECONDS) > token);
  }

  @Test
  public void theLeadersConditionMoves() throws Exception {
    FelixNode first = leading(List.of());
    // A bundle is stopped: the condition goes, and comes elsewhere.
    first.bundle(LOCKS).stop();
    FelixNode second = leading(List.of(first));
    first.bundle(LOCKS).start();
    first.awaitServing();
    String elections = second.probe().shell("lock:elections");
    assertTrue(elections, elections.contains("billing") && elections.contains(second.id()));

    // An operator says who.
    FelixNode chosen =
        cluster.stream().filter(node -> node != first && node != second).findFirst().get();
    assertTrue(
        within(
            () -> {
              try {
                second.probe().shell("lock:promote election/billing " + chosen.id());
                return true;
              } catch (IllegalStateException e) {
                return false; // It does not stand yet.
              }
            }));
    assertEquals(chosen, leading(List.of(first, second)));

    // And the leader itself.
    chosen.probe().shell("lock:resign billing");
    assertTrue(leading(List.of(chosen)) != chosen);
  }

  /** The one node that has the condition, once one has that is none of these. */
  private FelixNode leading(List<FelixNode> not) throws Exception {
    List<FelixNode> found = new ArrayList<>();
    assertTrue(
        "nobody leads",
        within(
            () -> {
              found.clear();
              for (FelixNode node : cluster) {
                if (node.hasCondition("io.clowder.leader.billing")) {
                  found.add(node);
                }
              }
              assertTrue("two lead", found.size() <= 1);
              return found.size() == 1 && !not.contains(found.get(0));
            }));
    return found.get(0);
  }

  private static CompletableFuture<Long> lockOnce(FelixNode node, String name) throws Exception {
    Probe probe = node.probe();
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return probe.lockOnce(name);
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
