// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

/**
 * Three processes swap their protocol twenty times in both directions, with load from two of them;
 * inside five of the swaps one is killed. What clients saw must have an order that explains it, and
 * a lock must be held by one client through all of it.
 */
public class SwapProcessIT {
  private static final int SWAPS = 20;
  private static final int KILL_EVERY = 4;
  private static final int SOME = 10;
  private static final Duration WAIT = Duration.ofSeconds(40);
  private static final List<String> NODES = List.of("n1", "n2", "n3");
  private static final Pattern SEGMENT = Pattern.compile("\"segment\": (\\d+)");
  private static final Pattern PROTOCOL = Pattern.compile("\"protocol\": \"(\\w+)\"");
  private static final Pattern TOKEN = Pattern.compile("\"token\": (\\d+)");

  private final List<MapLoad> loads = new ArrayList<>();

  @Test
  public void theHistoryChecksOverSwapsAndKills() throws Exception {
    LocalCluster cluster = LocalCluster.up("swaps");
    try {
      Shell holder = cluster.shell("n3");
      String token = find(TOKEN, holder.done("lock:acquire job -o json"));
      MapLoad.Witness witness = new MapLoad.Witness();
      for (String node : List.of("n1", "n2")) {
        loads.add(new MapLoad(cluster.shell(node)::run, node, "kv", witness));
      }
      int kills = 0;
      try {
        awaitProgress("");
        for (int i = 0; i < SWAPS; i++) {
          String protocol = i % 2 == 0 ? "paxos" : "raft";
          boolean kill = i % KILL_EVERY == KILL_EVERY - 1;
          if (kill) {
            killInside(cluster, protocol, kills++ % 2 == 0 ? "n1" : "n2");
          } else {
            String said = holder.done("clowder:swap " + protocol);
            assertTrue(said, said.contains("serving, gap "));
          }
          assertEquals(protocol, find(PROTOCOL, holder.done("clowder:status -o json")));
          awaitProgress("");
        }
      } finally {
        for (MapLoad load : loads) {
          load.end();
        }
      }
      assertEquals(5, kills);
      int completed = witness.check();
      assertTrue("only " + completed + " operations", completed > SWAPS * SOME);
      assertEquals(token, find(TOKEN, holder.done("lock:info job -o json")));
      String next =
          holder.done("lock:release job " + token) + holder.done("lock:acquire job -o json");
      assertTrue(next, Long.parseLong(find(TOKEN, next)) > Long.parseLong(token));
      awaitSameSegment(cluster);
    } finally {
      cluster.killAll();
    }
  }

  /**
   * Kills a node while a swap is under way. That is finished or abandoned; abandoned, it is asked
   * for again.
   */
  private void killInside(LocalCluster cluster, String protocol, String victim) throws Exception {
    Shell shell = cluster.shell("n3");
    CompletableFuture<Shell.Answer> swap =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return shell.run("clowder:swap " + protocol + " --timeout 10");
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    while (!swap.isDone()
        && shell.run("clowder:status -o json").out().contains("\"transition\": \"\"")) {
      Thread.onSpinWait();
    }
    cluster.order("kill", victim);
    swap.join();
    awaitProgress(victim);
    cluster.order("start", victim);
    awaitProgress("");
    if (!protocol.equals(find(PROTOCOL, shell.done("clowder:status -o json")))) {
      boolean swapped =
          Deadline.in(WAIT).until(() -> shell.run("clowder:swap " + protocol).status() == 0);
      assertTrue("no swap after a kill", swapped);
    }
  }

  private void awaitProgress(String away) throws Exception {
    for (MapLoad load : loads) {
      if (!load.node().equals(away)) {
        load.awaitProgress(SOME, WAIT);
      }
    }
  }

  private static void awaitSameSegment(LocalCluster cluster) throws Exception {
    List<String> segments = new ArrayList<>();
    boolean same =
        Deadline.in(WAIT)
            .until(
                () -> {
                  segments.clear();
                  for (String node : NODES) {
                    segments.add(find(SEGMENT, cluster.shell(node).done("clowder:status -o json")));
                  }
                  return segments.stream().distinct().count() == 1;
                });
    assertTrue("segments " + segments, same);
    assertTrue(segments.toString(), Integer.parseInt(segments.get(0)) >= SWAPS);
  }

  private static String find(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    assertTrue(pattern + " in " + text, matcher.find());
    return matcher.group(1);
  }
}
