// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.Test;

/** Three processes on this machine: leaders are killed under load. */
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

  /** Every writer gets on, but for the one whose node is away. */
  private static void awaitProgress(List<Writer> writers, String away) throws Exception {
    for (Writer writer : writers) {
      if (!writer.node.equals(away)) {
        int before = writer.acknowledged.size();
        boolean getsOn = Deadline.in(WAIT).until(() -> writer.acknowledged.size() >= before + SOME);
        assertTrue(writer.node + " does not get on: " + writer.last, getsOn);
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
