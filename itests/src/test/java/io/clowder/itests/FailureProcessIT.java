// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.Test;

/**
 * Of three processes one is killed, and another one frozen: two ways to fall silent. The others
 * suspect it; one that was frozen blames nobody but itself.
 */
public class FailureProcessIT {
  private static final Duration WAIT = Duration.ofSeconds(30);

  /** Much longer than the detectors are configured for, on whatever machine. */
  private static final Duration DETECTION_MAX = Duration.ofSeconds(10);

  @Test
  public void whoFallsSilentIsSuspected() throws Exception {
    LocalCluster cluster = LocalCluster.up("failures");
    try {
      for (String node : cluster.nodes()) {
        awaitTrust(cluster, node);
      }
      killed(cluster, "n2");
      frozen(cluster, "n3");
    } finally {
      cluster.killAll();
    }
  }

  private static void killed(LocalCluster cluster, String victim) throws Exception {
    final long life = incarnation(cluster, "n1", victim);
    final Instant before = Instant.now();
    cluster.order("kill", victim);
    for (String node : List.of("n1", "n3")) {
      assertTrue(node, within(() -> isSuspectedBy(cluster, node, victim)));
      assertDetected(last(cluster, node, victim), before);
    }
    assertShown(cluster, victim, "n1,n3");
    cluster.order("start", victim);
    for (String node : cluster.nodes()) {
      awaitTrust(cluster, node);
    }
    Map<String, String> event = last(cluster, "n1", victim);
    assertEquals(event.toString(), "trust", event.get("event"));
    assertTrue(event.toString(), Long.parseLong(event.get("incarnation")) > life);
  }

  private static void frozen(LocalCluster cluster, String victim) throws Exception {
    final long stalls = stalls(cluster, victim);
    final int events = history(cluster, victim).size();
    final Instant before = Instant.now();
    cluster.signal("STOP", victim);
    try {
      for (String node : List.of("n1", "n2")) {
        assertTrue(node, within(() -> isSuspectedBy(cluster, node, victim)));
        Map<String, String> event = last(cluster, node, victim);
        assertEquals(event.toString(), "silence", event.get("evidence"));
        assertDetected(event, before);
      }
      assertShown(cluster, victim, "n1,n2");
    } finally {
      cluster.signal("CONT", victim);
    }
    long frozenMillis = Duration.between(before, Instant.now()).toMillis();
    for (String node : cluster.nodes()) {
      awaitTrust(cluster, node);
    }
    assertTrue(cluster.shell(victim).run("fd:self").out(), stalls(cluster, victim) > stalls);
    Map<String, String> self = Rows.one(answer(cluster, victim, "fd:self -o json"));
    long longest = Long.parseLong(self.get("longest_ms"));
    assertTrue(
        longest + " of " + frozenMillis, longest >= 1_000 && longest <= frozenMillis + 1_000);
    // A deadline that it did not live to see is none, nor is one soon after.
    long heard = heartbeats(cluster, victim);
    assertTrue(within(() -> heartbeats(cluster, victim) >= heard + 10));
    assertEquals(answer(cluster, victim, "fd:history"), events, history(cluster, victim).size());
  }

  private static void assertDetected(Map<String, String> event, Instant before) {
    assertEquals(event.toString(), "suspect", event.get("event"));
    Duration took = Duration.between(before, Instant.parse(event.get("time")));
    // Of the clocks of one machine, one may be cut to milliseconds.
    assertTrue(event + " after " + took, took.toMillis() >= -1);
    assertTrue(event + " after " + took, took.compareTo(DETECTION_MAX) < 0);
  }

  private static void assertShown(LocalCluster cluster, String victim, String observers)
      throws Exception {
    String status = Distribution.done("status", "--dir", cluster.dir().toString());
    assertTrue(status, status.contains("SUSPECTED BY"));
    String row = status.lines().filter(it -> it.startsWith(victim)).findFirst().orElseThrow();
    assertTrue(status, row.contains(observers));
    String why = answer(cluster, "n1", "clowder:why");
    assertTrue(why, why.contains("peer: " + victim + " is suspected since"));
  }

  private static void awaitTrust(LocalCluster cluster, String node) throws Exception {
    assertTrue(
        node + " trusts all",
        within(
            () ->
                Rows.of(answer(cluster, node, "fd:status -o json")).stream()
                        .filter(it -> it.get("state").equals("alive"))
                        .count()
                    == 2));
  }

  private static boolean isSuspectedBy(LocalCluster cluster, String node, String victim)
      throws IOException {
    return Rows.of(answer(cluster, node, "fd:suspects -o json")).stream()
        .anyMatch(it -> it.get("node").equals(victim));
  }

  private static long incarnation(LocalCluster cluster, String node, String peer)
      throws IOException {
    return Rows.of(answer(cluster, node, "fd:status -o json")).stream()
        .filter(it -> it.get("node").equals(peer))
        .mapToLong(it -> Long.parseLong(it.get("incarnation")))
        .findFirst()
        .orElseThrow();
  }

  private static long stalls(LocalCluster cluster, String node) throws IOException {
    return Long.parseLong(Rows.one(answer(cluster, node, "fd:self -o json")).get("stalls"));
  }

  private static long heartbeats(LocalCluster cluster, String node) throws IOException {
    return Rows.of(answer(cluster, node, "fd:qos -o json")).stream()
        .mapToLong(it -> Long.parseLong(it.get("heartbeats")))
        .sum();
  }

  private static List<Map<String, String>> history(LocalCluster cluster, String node)
      throws IOException {
    return Rows.of(answer(cluster, node, "fd:history -o json"));
  }

  private static Map<String, String> last(LocalCluster cluster, String node, String about)
      throws IOException {
    List<Map<String, String>> rows =
        Rows.of(answer(cluster, node, "fd:history " + about + " -o json"));
    return rows.get(rows.size() - 1);
  }

  /** What a node says; nothing while it is not there. */
  private static String answer(LocalCluster cluster, String node, String line) throws IOException {
    Shell.Answer answer = cluster.shell(node).run(line);
    return answer.status() == 0 ? answer.out() : "";
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
