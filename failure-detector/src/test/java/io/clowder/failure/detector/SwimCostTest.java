// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.failure.detector.SwimCluster.Member;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What a node of a thousand pays: bytes in a second, with 32 for the frame of each message. */
class SwimCostTest {
  private static final int MEMBERS = 1_000;
  private static final int FAILING = MEMBERS / 100;
  private static final double MEAN_MAX = 750;
  private static final double P99_MAX = 4_000;

  @Test
  void lessThanThreeQuartersOfAKilobyte() {
    SwimCluster cluster = new SwimCluster(MEMBERS, SwimPaperTest.PRODUCTION, 1);
    cluster.runUntil(5 * SwimCluster.SECONDS);
    measure("idle", cluster, 20);
    List<Member> failing = cluster.members.subList(MEMBERS - FAILING, MEMBERS);
    long at = cluster.now;
    failing.forEach(member -> member.isCrashed = true);
    measure("1 % crash", cluster, 60);
    long slowest = 0;
    for (Member member : failing) {
      long nanos = cluster.declaredNanos(member, at);
      assertTrue(nanos > 0, member + " is declared failed everywhere");
      slowest = Math.max(slowest, nanos);
    }
    System.out.printf(Locale.ROOT, "declared by all after at most %.2f s%n", slowest / 1e9);
    assertEquals(List.of(), cluster.mistakes());
  }

  private static void measure(String what, SwimCluster cluster, int seconds) {
    List<Member> living = cluster.members.stream().filter(m -> !m.isCrashed).toList();
    for (Member member : living) {
      member.sentBytes = 0;
      member.receivedBytes = 0;
    }
    int from = (int) (cluster.now / SwimCluster.SECONDS);
    cluster.run(seconds * SwimCluster.SECONDS);
    double sent = living.stream().mapToLong(m -> m.sentBytes).average().orElseThrow() / seconds;
    double received =
        living.stream().mapToLong(m -> m.receivedBytes).average().orElseThrow() / seconds;
    long[] each =
        living.stream()
            .flatMapToLong(m -> Arrays.stream(m.sentInSecond, from, from + seconds))
            .sorted()
            .toArray();
    long p99 = each[each.length * 99 / 100];
    System.out.printf(
        Locale.ROOT,
        "%d members, %s, %d s: bytes/s sent mean %.0f, p99 of seconds %d, max %d; received mean %.0f%n",
        MEMBERS,
        what,
        seconds,
        sent,
        p99,
        each[each.length - 1],
        received);
    assertTrue(sent <= MEAN_MAX, what + ": sent " + sent);
    assertTrue(received <= MEAN_MAX, what + ": received " + received);
    assertTrue(p99 <= P99_MAX, what + ": p99 " + p99);
  }
}
