// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.Test;

/**
 * Three processes that run tasks, of which one is frozen and others are killed in the middle of
 * them, leaders and followers in turn, {@code -Dtask.kills=N} times: each task goes on elsewhere,
 * and what the frozen one says and writes when it wakes up is refused.
 *
 * <p>Prints the time from a kill until the task was given to another node. Nothing hangs on that.
 */
public class TaskProcessIT {
  private static final int KILLS = Integer.getInteger("task.kills", 1);
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final Pattern FAILED =
      Pattern.compile("\"node\": \"(\\w+)\", \"token\": (\\d+), .*?\"ended\": \"([^\"]+)\"");

  @Test
  public void whatNodesLeaveUndoneIsDoneElsewhereOnce() throws Exception {
    LocalCluster cluster = LocalCluster.up("tasks");
    try {
      String observer = cluster.leader();
      frozen(cluster, cluster.other(observer), observer);
      for (int i = 0; i < KILLS; i++) {
        String leader = cluster.leader();
        String follower = cluster.other(leader);
        if (i % 2 == 0) {
          killed(cluster, leader, follower, "leader");
        } else {
          killed(cluster, follower, leader, "follower");
        }
        if (i < KILLS - 1) {
          cluster.start(i % 2 == 0 ? leader : follower);
          awaitIdleWorkers(cluster.shell(i % 2 == 0 ? follower : leader), cluster.nodes());
        } else {
          observer = i % 2 == 0 ? follower : leader;
        }
      }
      awaitIdleWorkers(cluster.shell(observer), alive(cluster));
      String status = cluster.shell(observer).done("task:status");
      assertTrue(status, status.matches("(?s)0 tasks not over, 0 of \\d+ slots taken, 0 dead,.*"));
      String all = "%d submitted, 1 succeeded, %1$d attempts failed".formatted(KILLS + 1);
      assertTrue(status, status.contains(all));
    } finally {
      cluster.killAll();
    }
  }

  private static List<String> alive(LocalCluster cluster) throws IOException {
    List<String> alive = new ArrayList<>();
    for (String node : cluster.nodes()) {
      try {
        cluster.shell(node).run("clowder:status");
        alive.add(node);
      } catch (ConnectException e) {
        // That is the one that was killed last.
      }
    }
    return alive;
  }

  /** Its task is begun elsewhere, and called off there. */
  private static void killed(LocalCluster cluster, String victim, String observer, String who)
      throws Exception {
    Shell shell = cluster.shell(observer);
    long task = runs(cluster, shell, victim, 600_000);
    final Instant before = Instant.now();
    cluster.kill(victim);
    awaitElsewhere(shell, task, victim);
    Matcher failed = failed(shell, task);
    assertEquals(victim, failed.group(1));
    System.out.printf(
        "task: a %s killed, its task was given to another node after %d ms%n",
        who, Duration.between(before, Instant.parse(failed.group(3))).toMillis());
    Map<String, String> info = info(shell, task);
    assertEquals("2", info.get("attempts"));
    assertEquals("1", info.get("lost nodes"));
    assertTrue(Long.parseLong(info.get("token")) > Long.parseLong(failed.group(2)));
    shell.done("task:cancel " + task);
  }

  /** Its task is done elsewhere before it goes on. */
  private static void frozen(LocalCluster cluster, String victim, String observer)
      throws Exception {
    Shell shell = cluster.shell(observer);
    long task = runs(cluster, shell, victim, 1_500);
    String fence = " --fence task/" + task + ":";
    final long first = Long.parseLong(info(shell, task).get("token"));
    shell.done("kv:put balance 1" + fence + first);
    cluster.signal("STOP", victim);
    long second;
    try {
      awaitElsewhere(shell, task, victim);
      second = Long.parseLong(info(shell, task).get("token"));
      assertTrue(second + " after " + first, second > first);
      shell.done("kv:put balance 2" + fence + second);
      shell.done("task:result " + task + " --wait 20s");
    } finally {
      cluster.signal("CONT", victim);
    }
    awaitIdleWorkers(shell, cluster.nodes());
    Map<String, String> info = info(shell, task);
    assertEquals("SUCCEEDED", info.get("state"));
    assertEquals("2", info.get("attempts"));
    Shell.Answer late = cluster.shell(victim).run("kv:put balance 3" + fence + first);
    assertEquals(late.toString(), 1, late.status());
    assertTrue(late.err(), late.err().contains("token " + first + " is stale"));
    assertEquals("2", cluster.shell(victim).done("kv:get balance"));
  }

  /** A task that runs on a node, which the cluster knows; others may have it afterwards. */
  private static long runs(LocalCluster cluster, Shell shell, String node, int millis)
      throws Exception {
    List<String> others = cluster.nodes().stream().filter(it -> !it.equals(node)).toList();
    for (String other : others) {
      shell.done("task:drain " + other);
    }
    long task = Long.parseLong(shell.done("task:submit try/sleep " + millis));
    for (String other : others) {
      shell.done("task:drain --end " + other);
    }
    assertTrue(
        shell.done("task:info " + task),
        within(
            () -> {
              Map<String, String> info = info(shell, task);
              return "RUNNING".equals(info.get("state")) && node.equals(info.get("node"));
            }));
    return task;
  }

  private static void awaitElsewhere(Shell shell, long task, String than) throws Exception {
    assertTrue(
        than,
        within(
            () -> {
              String node = info(shell, task).get("node");
              return node != null && !node.equals(than);
            }));
  }

  /** These work, and none of them has a slot that is taken. */
  private static void awaitIdleWorkers(Shell shell, List<String> nodes) throws Exception {
    assertTrue(
        shell.run("task:nodes").toString(),
        within(
            () -> {
              Shell.Answer answer = shell.run("task:nodes -o json");
              return answer.status() == 0
                  && Rows.of(answer.out()).stream()
                      .filter(it -> it.get("in flight").equals("0"))
                      .map(it -> it.get("node"))
                      .toList()
                      .equals(nodes);
            }));
  }

  /** What the cluster knows of a task; nothing while it has no leader. */
  private static Map<String, String> info(Shell shell, long task) throws IOException {
    Shell.Answer answer = shell.run("task:info " + task + " -o json");
    return answer.status() != 0
        ? Map.of()
        : Rows.of(answer.out()).stream()
            .filter(it -> it.containsKey("what") && it.containsKey("value"))
            .collect(Collectors.toMap(it -> it.get("what"), it -> it.get("value")));
  }

  private static Matcher failed(Shell shell, long task) throws IOException {
    String info = shell.done("task:info " + task + " -o json");
    Matcher failed = FAILED.matcher(info);
    assertTrue(info, failed.find());
    return failed;
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }
}
