// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;

/** What goes wrong at the command line gets one clear line, the right status, and costs nothing. */
public class BadInputIT {
  private static final Duration WAIT = Duration.ofSeconds(30);

  private static @Nullable LocalCluster shared;

  @BeforeClass
  public static void up() throws Exception {
    shared = LocalCluster.up("bad");
  }

  @AfterClass
  public static void down() throws Exception {
    LocalCluster cluster = cluster();
    try {
      Distribution.done("down", "--wipe", "--dir", dir());
      assertEquals(List.of(), cluster.running());
      assertTrue("not wiped", !Files.exists(cluster.dir()));
    } finally {
      cluster.killAll();
    }
  }

  @Test
  public void unknownOption() throws Exception {
    refused(2, "--nodez", "up", "--nodez", "3");
  }

  @Test
  public void missingValue() throws Exception {
    refused(2, "--dir", "up", "--dir");
  }

  @Test
  public void unknownNode() throws Exception {
    refused(2, "n9", "stop", "n9", "--dir", dir());
    refused(2, "n9", "sh", "--node", "n9", "--dir", dir(), "kv:get", "a");
  }

  @Test
  public void swapsAndMembersThatMakeNoSense() throws Exception {
    refused(2, "use 1 to 3600", "swap", "--timeout", "0", "--dir", dir());
    refused(2, "write NAME=VALUE", "swap", "paxos", "-p", "x", "--dir", dir());
    refused(1, "'nonsense'", "swap", "nonsense", "--dir", dir());
    refused(1, "no group 'side'", "swap", "--group", "side", "--dir", dir());
    refused(2, "write NODE=HOST:PORT", "add", "n4", "--dir", dir());
    refused(1, "n9 is not a member", "remove", "n9", "--dir", dir());
  }

  @Test
  public void settingsOfAClusterThatIsThere() throws Exception {
    Path file = Files.writeString(Files.createTempFile("settings", ".properties"), "cluster=x\n");
    refused(2, "edit", "up", "--detach", "--dir", dir(), "--config", file.toString());
  }

  @Test
  public void settingsThatNoBundleHas() throws Exception {
    Path file = Files.createTempFile("settings", ".properties");
    Files.writeString(file, "io.clowder.consensus.group~main.jion=true\n");
    Path dir = Files.createTempDirectory("x").resolve("c");
    refused(
        2,
        "group~main.join?",
        "up",
        "--detach",
        "--dir",
        dir.toString(),
        "--config",
        file.toString());
    assertTrue("made all the same", !Files.exists(dir.resolve("cluster.properties")));
  }

  @Test
  public void settingsOutOfRange() throws Exception {
    settingsRefused(
        "io.clowder.fd.detection.millis.max=1",
        "io.clowder.fd: detection.millis.max is 1: use 500 to 600000");
  }

  @Test
  public void storesThatMakeNoSense() throws Exception {
    settingsRefused(
        "io.clowder.replication~orders.min.insync=4",
        "io.clowder.replication~orders: min.insync is 4: use 1 to 3");
    settingsRefused("io.clowder.replication~Orders.replicas=3", "the store's name is 'Orders'");
  }

  @Test
  public void ringsThatMakeNoSense() throws Exception {
    settingsRefused(
        "io.clowder.dht~orders.write.quorum=4",
        "io.clowder.dht~orders: write.quorum is 4: use 1 to 3");
  }

  @Test
  public void tasksThatMakeNoSense() throws Exception {
    settingsRefused(
        "io.clowder.scheduler.slots=-1", "io.clowder.scheduler: slots is -1: use 0 to 10000");
    settingsRefused(
        "io.clowder.scheduler.labels=here", "io.clowder.scheduler: labels has 'here': use NAME=");
    refused(1, "priority 11: use 0 to 9", sh("n1", "task:submit", "try/echo", "--priority", "11"));
    refused(1, "task 77 is not known", sh("n1", "task:result", "77"));
    refused(
        1,
        "Mars/Base",
        sh("n1", "task:schedule", "a", "b", "--cron", "0 3 * * *", "--zone", "Mars/Base"));
  }

  @Test
  public void ordersToRingsThatMakeNoSense() throws Exception {
    refused(
        1,
        "no ring 'orders' on this node; there are: main",
        sh("n1", "dht:get", "a", "--ring", "orders"));
    refused(1, "no such key: nobody", sh("n1", "dht:get", "nobody"));
    refused(1, "n9 is not on ring main", sh("n1", "dht:safe", "n9"));
    refused(1, "VALUE", sh("n1", "dht:put", "alone"));
  }

  private static void settingsRefused(String setting, String part) throws Exception {
    Path file = Files.createTempFile("settings", ".properties");
    Files.writeString(file, setting + "\n");
    refused(
        2,
        part,
        "up",
        "--detach",
        "--nodes",
        "1",
        "--dir",
        Files.createTempDirectory("x").resolve("c").toString(),
        "--config",
        file.toString());
  }

  @Test
  public void ordersToStoresThatMakeNoSense() throws Exception {
    refused(
        1,
        "no store 'orders' here; there are: main",
        sh("n1", "store:get", "a", "--store", "orders"));
    refused(1, "no such key: nobody", sh("n1", "store:get", "nobody"));
    refused(1, "n9 is not in sync", sh("n1", "store:switchover", "n9"));
    refused(1, "n9 has no copy", sh("n1", "store:remove", "n9"));
    refused(1, "NODE", sh("n1", "store:force-promote"));
  }

  @Test
  public void otherSize() throws Exception {
    refused(2, "--nodes 5", "up", "--detach", "--nodes", "5", "--dir", dir());
  }

  @Test
  public void ownIdNotAmongTheMembers() throws Exception {
    node("not among", Files.createTempDirectory("x"), "n2", port(), "n1=%s");
  }

  @Test
  public void idTwice() throws Exception {
    node("twice", Files.createTempDirectory("x"), "n1", port(), "n1=%s,n1=127.0.0.1:9");
  }

  @Test
  public void addressTwice() throws Exception {
    node("twice", Files.createTempDirectory("x"), "n1", port(), "n1=%s,n2=%1$s");
  }

  @Test
  public void portInUse() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      node(address, Files.createTempDirectory("x"), "n1", address, "n1=%s");
    }
  }

  @Test
  public void openToTheWorldWithoutTls() throws Exception {
    String address = "0.0.0.0:" + Ports.free();
    node("TLS", Files.createTempDirectory("x"), "n1", address, "n1=%s");
  }

  @Test
  public void directoryInUse() throws Exception {
    node("in use", cluster().dir("n1"), "n1", port(), "n1=%s");
  }

  @Test
  public void directoryOfAnotherNode() throws Exception {
    Path dir = Files.createTempDirectory("x");
    List<Integer> ports = Ports.free(2);
    String one = "127.0.0.1:" + ports.get(0);
    String other = "127.0.0.1:" + ports.get(1);
    String members = "a=" + one + ",b=" + other;
    Distribution.Running first =
        Distribution.start(
            "node", "--dir", dir.toString(), "--id", "a", "--listen", one, "--members", members);
    try {
      assertTrue("no shell", answers(new Shell(dir), "lb", "Clowder"));
      first.process().destroy();
      assertEquals("stopped by a signal, in order", 0, first.end().status());
    } finally {
      first.process().destroyForcibly();
    }
    node("belongs to node 'a'", dir, "b", other, members);
  }

  @Test
  public void lockReleasedWithAWrongToken() throws Exception {
    Distribution.done(sh("n1", "lock:acquire", "job"));
    refused(1, "job", sh("n1", "lock:release", "job", "1"));
    refused(1, "never", sh("n1", "lock:release", "never", "1"));
    assertTrue("not held any more", answers(cluster().shell("n2"), "lock:list", "job"));
  }

  @Test
  public void commandOfTheShell() throws Exception {
    refused(1, "no:such", sh("n1", "no:such"));
    refused(1, "nobody", sh("n1", "kv:get", "nobody"));
    refused(1, "VALUE", sh("n1", "kv:put", "alone"));
  }

  @Test
  public void tooFewNodesForAQuorum() throws Exception {
    cluster().order("stop", "n2");
    cluster().order("stop", "n3");
    try {
      long start = System.nanoTime();
      refused(1, "quorum", sh("n1", "kv:put", "a", "1"));
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertTrue("took " + took, took.compareTo(WAIT) < 0);
      assertTrue("no reason", answers(cluster().shell("n1"), "clowder:why", "quorum"));
    } finally {
      cluster().order("start", "n2");
      cluster().order("start", "n3");
    }
    assertTrue("serves again", answers(cluster().shell("n1"), "kv:put a 2", "a = 2"));
  }

  @Test
  public void journalDamagedInTheMiddle() throws Exception {
    for (int i = 0; i < 50; i++) {
      assertTrue(answers(cluster().shell("n1"), "kv:put key" + i + " value" + i, "key"));
    }
    cluster().order("stop", "n3");
    JournalFile file = JournalFile.in(cluster().dir("n3").resolve("data/journals/main"));
    int at = file.flipInTheMiddle();
    try {
      Distribution.Running damaged = cluster().foreground("n3");
      try {
        Shell shell = cluster().shell("n3");
        assertTrue("no reason", answers(shell, "clowder:why", file.name()));
        assertTrue(shell.run("clowder:why").out().matches("(?s).*offset \\d+.*"));
        assertEquals("value49", cluster().shell("n2").run("kv:get key49").out());
        assertTrue("shown", cluster().status().contains("\"role\": \"down\""));
      } finally {
        damaged.process().destroy();
        damaged.end();
      }
    } finally {
      file.flip(at);
      cluster().order("start", "n3");
    }
    assertEquals("value49", cluster().shell("n3").run("kv:get key49").out());
  }

  /** A node in the foreground that must refuse to start; {@code %s} in members is its address. */
  private static void node(String part, Path dir, String id, String address, String members)
      throws Exception {
    refused(
        2,
        part,
        "node",
        "--dir",
        dir.toString(),
        "--id",
        id,
        "--listen",
        address,
        "--members",
        members.formatted(address));
  }

  private static void refused(int status, String part, String... words) throws Exception {
    Distribution.Result result = Distribution.run(words);
    assertEquals(result.toString(), status, result.status());
    assertEquals(result.toString(), 1, result.err().lines().count());
    assertTrue(result.toString(), result.err().contains(part));
  }

  /** Whether a command succeeds and its output has a part, before long. */
  private static boolean answers(Shell shell, String line, String part) throws Exception {
    return Deadline.in(WAIT)
        .until(
            () -> {
              try {
                Shell.Answer answer = shell.run(line);
                return answer.status() == 0 && answer.out().contains(part);
              } catch (IOException e) {
                // It is not there yet.
                return false;
              }
            });
  }

  private static String[] sh(String node, String... command) {
    List<String> words = new ArrayList<>(List.of("sh", "--dir", dir(), "--node", node));
    words.addAll(List.of(command));
    return words.toArray(String[]::new);
  }

  private static String port() throws IOException {
    return "127.0.0.1:" + Ports.free();
  }

  private static String dir() {
    return cluster().dir().toString();
  }

  private static LocalCluster cluster() {
    assertNotNull("no cluster", shared);
    return shared;
  }
}
