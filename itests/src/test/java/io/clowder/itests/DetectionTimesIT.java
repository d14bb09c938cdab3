// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

/**
 * No test but a measurement, which does nothing unless it is asked for: how long it takes until
 * processes that are killed ({@code -Ddetection.kills=N}, SIGKILL), frozen ({@code
 * -Ddetection.freezes=N}, SIGSTOP) or left without their failure detector ({@code
 * -Ddetection.stops=N}) are suspected by each of the others, in clusters of {@code
 * -Ddetection.nodes=3,5,7}; and whether anybody is suspected on a machine that has twice as much to
 * do as it can, for {@code -Ddetection.healthy.seconds=S}.
 *
 * <pre>
 *   mvn verify -pl itests -am -Dtest=none -Dsurefire.failIfNoSpecifiedTests=false \
 *       -Dit.test=DetectionTimesIT -Dfailsafe.failIfNoSpecifiedTests=false \
 *       -Ddetection.kills=30 -Ddetection.freezes=15 -Ddetection.stops=15 -Ddetection.nodes=3
 *   mvn verify … -Ddetection.healthy.seconds=120
 * </pre>
 *
 * <p>{@code -Ddetection.settings=KEY=VALUE,…} configures the detectors, such as {@code
 * algorithm=phi}. A time is that of the event, less that of this process's clock before it gives
 * the order; for what is frozen, that includes the start of the command {@code kill}.
 */
public class DetectionTimesIT {
  private static final Duration WAIT = Duration.ofSeconds(90);
  private static final Pattern DETECTOR =
      Pattern.compile("(\\d+)\\|[^|]*\\|[^|]*\\|io\\.clowder\\.failure-detector\\b");

  private final Random random = new Random();

  @Test
  public void untilAFailureIsSuspected() throws Exception {
    int kills = Integer.getInteger("detection.kills", 0);
    int freezes = Integer.getInteger("detection.freezes", 0);
    int stops = Integer.getInteger("detection.stops", 0);
    assumeTrue("asked for by -Ddetection.kills=N", kills + freezes + stops > 0);
    for (String nodes : System.getProperty("detection.nodes", "3,5,7").split(",")) {
      LocalCluster cluster = LocalCluster.up("times", Integer.parseInt(nodes.strip()), settings());
      try {
        awaitTrust(cluster);
        measure(cluster, "killed", kills, new Kill(cluster));
        measure(cluster, "frozen", freezes, new Freeze(cluster));
        measure(cluster, "stopped", stops, new Stop(cluster));
      } finally {
        cluster.killAll();
      }
    }
  }

  @Test
  public void nobodyIsSuspectedOnABusyMachine() throws Exception {
    int seconds = Integer.getInteger("detection.healthy.seconds", 0);
    assumeTrue("asked for by -Ddetection.healthy.seconds=S", seconds > 0);
    List<Process> busy = new ArrayList<>();
    LocalCluster cluster = LocalCluster.up("healthy", settings());
    try {
      awaitTrust(cluster);
      Instant begin = Instant.now();
      for (int i = 0; i < 2 * Runtime.getRuntime().availableProcessors(); i++) {
        busy.add(new ProcessBuilder("sh", "-c", "while :; do :; done").start());
      }
      Deadline end = Deadline.in(Duration.ofSeconds(seconds));
      assertTrue(Deadline.in(WAIT.plusSeconds(seconds)).until(end::isOver));
      int suspicions = 0;
      for (String node : cluster.nodes()) {
        List<Map<String, String>> rows = suspicions(cluster, node, begin);
        suspicions += rows.size();
        say("%s: suspicions %s%n%s", node, rows, answer(cluster, node, "fd:self"));
        say("%s", answer(cluster, node, "fd:qos"));
      }
      say("healthy for %d s, %d busy processes: %d SUSPECT", seconds, busy.size(), suspicions);
      assertEquals(0, suspicions);
    } finally {
      busy.forEach(Process::destroyForcibly);
      cluster.killAll();
    }
  }

  /** As a file of settings. */
  private static String settings() {
    StringBuilder lines = new StringBuilder();
    for (String setting : System.getProperty("detection.settings", "").split(",")) {
      if (!setting.isBlank()) {
        lines.append("io.clowder.fd.").append(setting.strip()).append('\n');
      }
    }
    return lines.toString();
  }

  private void measure(LocalCluster cluster, String what, int rounds, Failure failure)
      throws Exception {
    List<Long> millis = new ArrayList<>();
    Map<String, Integer> evidence = new TreeMap<>();
    int wrong = 0;
    for (int i = 0; i < rounds; i++) {
      String victim = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
      Instant before = Instant.ofEpochMilli(System.currentTimeMillis());
      failure.begin(victim);
      for (String node : cluster.nodes()) {
        if (!node.equals(victim)) {
          Map<String, String> event = awaitSuspicion(cluster, node, victim, before);
          millis.add(Duration.between(before, Instant.parse(event.get("time"))).toMillis());
          evidence.merge(event.get("evidence"), 1, Integer::sum);
        }
      }
      failure.end(victim);
      awaitTrust(cluster);
      for (String node : cluster.nodes()) {
        wrong +=
            (int)
                suspicions(cluster, node, before).stream()
                    .filter(it -> !it.get("node").equals(victim))
                    .count();
      }
    }
    millis.sort(null);
    if (rounds > 0) {
      say(
          "%d nodes, %d times %s: p50 %d ms, p99 %d ms, max %d ms; %s; %d others suspected",
          cluster.nodes().size(),
          rounds,
          what,
          percentile(millis, 50),
          percentile(millis, 99),
          percentile(millis, 100),
          evidence,
          wrong);
    }
  }

  private static long percentile(List<Long> sorted, int percent) {
    return sorted.get(Math.max(0, (sorted.size() * percent + 99) / 100 - 1));
  }

  private static Map<String, String> awaitSuspicion(
      LocalCluster cluster, String node, String victim, Instant since) throws Exception {
    List<Map<String, String>> found = new ArrayList<>();
    boolean suspected =
        within(
            () -> {
              suspicions(cluster, node, since).stream()
                  .filter(it -> it.get("node").equals(victim))
                  .forEach(found::add);
              return !found.isEmpty();
            });
    assertTrue(node + " suspects " + victim, suspected);
    return found.get(0);
  }

  private static List<Map<String, String>> suspicions(
      LocalCluster cluster, String node, Instant since) throws IOException {
    return Rows.of(answer(cluster, node, "fd:history -o json")).stream()
        .filter(it -> it.get("event").equals("suspect"))
        .filter(it -> !Instant.parse(it.get("time")).isBefore(since))
        .toList();
  }

  private static void awaitTrust(LocalCluster cluster) throws Exception {
    for (String node : cluster.nodes()) {
      boolean trusts =
          within(
              () ->
                  Rows.of(answer(cluster, node, "fd:status -o json")).stream()
                          .filter(it -> it.get("state").equals("alive"))
                          .count()
                      == cluster.nodes().size() - 1);
      assertTrue(node + " trusts all: " + answer(cluster, node, "fd:status"), trusts);
    }
  }

  /** What a node says; nothing while it cannot. */
  private static String answer(LocalCluster cluster, String node, String line) throws IOException {
    Shell.Answer answer = cluster.shell(node).run(line);
    return answer.status() == 0 ? answer.out() : "";
  }

  private static boolean within(Callable<Boolean> condition) throws Exception {
    return Deadline.in(WAIT).until(condition);
  }

  private static void say(String format, Object... values) {
    System.out.printf(format + "%n", values);
  }

  /** What is done to a node, and undone. */
  private interface Failure {
    void begin(String node) throws Exception;

    void end(String node) throws Exception;
  }

  private record Kill(LocalCluster cluster) implements Failure {
    @Override
    public void begin(String node) throws Exception {
      cluster.kill(node);
    }

    @Override
    public void end(String node) throws Exception {
      cluster.order("start", node);
    }
  }

  private record Freeze(LocalCluster cluster) implements Failure {
    @Override
    public void begin(String node) throws Exception {
      cluster.signal("STOP", node);
    }

    @Override
    public void end(String node) throws Exception {
      cluster.signal("CONT", node);
    }
  }

  private record Stop(LocalCluster cluster) implements Failure {
    @Override
    public void begin(String node) throws Exception {
      order("felix:stop", node);
    }

    @Override
    public void end(String node) throws Exception {
      order("felix:start", node);
    }

    private void order(String command, String node) throws IOException {
      Matcher bundle = DETECTOR.matcher(answer(cluster, node, "felix:lb -s"));
      assertTrue("no failure detector on " + node, bundle.find());
      Shell.Answer answer = cluster.shell(node).run(command + " " + bundle.group(1));
      assertEquals(answer.err(), 0, answer.status());
    }
  }
}
