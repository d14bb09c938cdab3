// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.Test;

/**
 * A process that holds a lock is frozen for three times as long as its session lives, and goes on
 * to write: the classic accident of distributed locks, which a token has to prevent.
 */
public class LockProcessIT {
  private static final Duration LEASE = Duration.ofSeconds(2);
  private static final Duration WAIT = Duration.ofSeconds(40);
  private static final Pattern TOKEN = Pattern.compile("\"token\": (\\d+)");
  private static final String SETTINGS =
      "io.clowder.consensus.group~main.session.millis=" + LEASE.toMillis() + "\n";

  @Test
  public void aFrozenHoldersLateWriteIsRefused() throws Exception {
    LocalCluster cluster = LocalCluster.up("locks", SETTINGS);
    try {
      String leader = cluster.leader();
      String frozen =
          List.of("n1", "n2", "n3").stream().filter(it -> !it.equals(leader)).findFirst().get();
      Shell holder = cluster.shell(frozen);
      Shell next = cluster.shell(leader);
      long first = token(holder.done("lock:acquire account -o json"));
      holder.done("kv:put balance 1 --fence account:" + first);

      cluster.signal("STOP", frozen);
      Deadline threeLeases = Deadline.in(LEASE.multipliedBy(3));
      CompletableFuture<Shell.Answer> late;
      long second;
      try {
        second = token(next.done("lock:acquire account --wait 30s -o json"));
        assertTrue(second + " after " + first, second > first);
        next.done("kv:put balance 2 --fence account:" + second);
        assertTrue(Deadline.in(WAIT).until(threeLeases::isOver));
        // It lies in the frozen process's socket, and is the first that it does.
        late = run(holder, "kv:put balance 3 --fence account:" + first);
      } finally {
        cluster.signal("CONT", frozen);
      }
      Shell.Answer refused = late.join();
      assertNotEquals(refused.out(), 0, refused.status());
      assertTrue(
          refused.err(),
          refused.err().contains("token %d is stale".formatted(first))
              && refused.err().contains("account has seen " + second));
      assertEquals("2", holder.done("kv:get balance"));
      String info = holder.done("lock:info account -o json");
      assertEquals(info, second, token(info));
      assertTrue(next.done("lock:history account").contains("expired"));
      // The one that lost it goes on under a new session.
      next.done("lock:release account " + second);
      assertTrue(token(holder.done("lock:acquire account --wait 30s -o json")) > second);
    } finally {
      cluster.killAll();
    }
  }

  private static CompletableFuture<Shell.Answer> run(Shell shell, String line) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return shell.run(line);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private static long token(String json) {
    Matcher matcher = TOKEN.matcher(json);
    assertTrue("no token in " + json, matcher.find());
    return Long.parseLong(matcher.group(1));
  }
}
