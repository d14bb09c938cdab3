// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.Test;

/** Three processes on this machine: leaders killed under load, too few nodes, a damaged file. */
public class ProcessIT {
  private static final int KILLS = 3;
  private static final int SOME = 20;
  private static final Duration WAIT = Duration.ofSeconds(30);

  @Test
  public void nothingAcknowledgedIsLostWhenLeadersAreKilled() throws Exception {
    LocalCluster cluster = LocalCluster.up("kill");
    try {
      List<Writer> writers = new ArrayList<>();
      for (String node : List.of("n1", "n2", "n3")) {
        writers.add(new Writer(cluster.shell(node), node));
      }
      try {
        for (int i = 0; i < KILLS; i++) {
          String leader = cluster.leader();
          awaitProgress(writers, "");
          cluster.order("kill", leader);
          awaitProgress(writers, leader);
          cluster.order("start", leader);
          awaitProgress(writers, "");
        }
      } finally {
        for (Writer writer : writers) {
          writer.end();
        }
      }
      for (String node : List.of("n1", "n2", "n3")) {
        Map<String, String> entries = cluster.entries(node, "load-");
        for (Writer writer : writers) {
          assertTrue("too little load", writer.acknowledged.size() > KILLS * SOME);
          writer.acknowledged.forEach(
              (key, value) -> assertEquals(key + " on " + node, value, entries.get(key)));
        }
      }
      assertEquals(3, cluster.running().size());
      Distribution.done("down", "--dir", cluster.dir().toString());
      assertEquals(List.of(), cluster.running());
    } finally {
      cluster.killAll();
    }
  }

  @Test
  public void withoutAQuorumACommandSaysSoInTime() throws Exception {
    LocalCluster cluster = LocalCluster.up("quorum");
    try {
      cluster.order("stop", "n2");
      cluster.order("stop", "n3");
      long start = System.nanoTime();
      Distribution.Result put = Distribution.run(sh(cluster, "n1", "kv:put", "a", "1"));
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertEquals(put.toString(), 1, put.status());
      assertEquals(put.toString(), 1, put.err().lines().count());
      assertTrue(put.toString(), put.err().contains("quorum"));
      assertTrue("took " + took, took.compareTo(WAIT) < 0);
      Distribution.Result why = Distribution.run(sh(cluster, "n1", "clowder:why"));
      assertTrue(why.toString(), why.out().contains("quorum"));
      cluster.order("start", "n2");
      assertTrue(
          "two of three serve",
          Deadline.in(WAIT).until(() -> cluster.shell("n1").run("kv:put a 2").status() == 0));
      Distribution.done("down", "--wipe", "--dir", cluster.dir().toString());
      assertEquals(List.of(), cluster.running());
      assertTrue("wiped", !Files.exists(cluster.dir()));
    } finally {
      cluster.killAll();
    }
  }

  @Test
  public void aDamagedJournalIsNamedAndHurtsNobodyElse() throws Exception {
    LocalCluster cluster = LocalCluster.up("damage");
    try {
      for (int i = 0; i < 200; i++) {
        Shell.Answer put = cluster.shell("n1").run("kv:put key" + i + " value" + i);
        assertEquals(put.toString(), 0, put.status());
      }
      cluster.order("stop", "n3");
      Path damaged = damageMiddle(cluster.dir("n3").resolve("data").resolve("journals"));
      Distribution.Result start = Distribution.run("start", "n3", "--dir", dir(cluster));
      cluster.remember();
      String said = start.err();
      if (start.status() == 0) {
        said = cluster.shell("n3").run("clowder:why").out();
      }
      assertTrue(said, said.contains(damaged.getFileName().toString()));
      assertTrue(said, said.matches("(?s).*(offset|at) \\d+.*"));
      Shell.Answer get = cluster.shell("n2").run("kv:get key199");
      assertEquals(get.toString(), "value199", get.out());
    } finally {
      cluster.killAll();
    }
  }

  private static String dir(LocalCluster cluster) {
    return cluster.dir().toString();
  }

  private static String[] sh(LocalCluster cluster, String node, String... command) {
    return Stream.concat(Stream.of("sh", "--dir", dir(cluster), "--node", node), Stream.of(command))
        .toArray(String[]::new);
  }

  /** Flips a bit in the middle of what is written in the journal's first file. */
  private static Path damageMiddle(Path journals) throws IOException {
    Path file;
    try (Stream<Path> all = Files.walk(journals)) {
      file =
          all.filter(it -> it.getFileName().toString().endsWith(".journal"))
              .sorted()
              .findFirst()
              .orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(file);
    int end = bytes.length;
    while (bytes[end - 1] == 0) {
      end--;
    }
    int middle = end / 2;
    while (bytes[middle] == 0) {
      middle++;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[middle] ^ 0x10)}), middle);
    }
    return file;
  }

  /** Every writer gets on, but for the one whose node is away. */
  private static void awaitProgress(List<Writer> writers, String away) throws Exception {
    for (Writer writer : writers) {
      if (!writer.node.equals(away)) {
        int before = writer.acknowledged.size();
        assertTrue(
            writer.node + " does not get on: " + writer.last,
            Deadline.in(WAIT).until(() -> writer.acknowledged.size() >= before + SOME));
      }
    }
  }

  /** Writes by one node, each key once; what was not acknowledged may be there or not. */
  private static final class Writer {
    private final String node;
    private final Map<String, String> acknowledged = new ConcurrentHashMap<>();
    private final AtomicInteger next = new AtomicInteger();
    private final Thread thread;
    private volatile boolean ended;
    private volatile String last = "nothing failed";

    Writer(Shell shell, String node) {
      this.node = node;
      this.thread = new Thread(() -> write(shell), "writer-" + node);
      thread.start();
    }

    void end() throws InterruptedException {
      ended = true;
      thread.join();
    }

    private void write(Shell shell) {
      while (!ended) {
        int number = next.incrementAndGet();
        String key = "load-" + node + "-" + number;
        try {
          Shell.Answer answer = shell.run("kv:put " + key + " v" + number);
          if (answer.status() == 0) {
            acknowledged.put(key, "v" + number);
          } else {
            last = answer.err();
          }
        } catch (IOException e) {
          // The node is away: soon it is back, or this load ends.
          last = e.toString();
          LockSupport.parkNanos(20_000_000);
        }
      }
    }
  }
}
