// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.failure.detector.SwimCluster.Member;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * What a node of a thousand pays: bytes in a second, with 32 for the frame of each message. When
 * ten crash at once the mean of the minute that follows keeps the limit; its first third does not.
 */
class SwimCostTest {
  private static final int MEMBERS = 1_000;
  private static final int FAILING = MEMBERS / 100;
  private static final double MEAN_MAX = 750;
  private static final double SECOND_MAX = 6_000;

  @Test
  void lessThanThreeQuartersOfAKilobyte() {
    SwimCluster cluster = new SwimCluster(MEMBERS, SwimPaperTest.PRODUCTION, 1);
    cluster.runUntil(5 * SwimCluster.SECONDS);
    assertTrue(measure("idle", cluster, 20) <= MEAN_MAX);
    List<Member> failing = cluster.members.subList(MEMBERS - FAILING, MEMBERS);
    long at = cluster.now;
    failing.forEach(member -> member.isCrashed = true);
    double first = measure("1 % crash", cluster, 20);
    double rest = measure("after that", cluster, 40);
    double mean = (20 * first + 40 * rest) / 60;
    System.out.printf(Locale.ROOT, "mean of the minute from the crash on: %.0f bytes/s%n", mean);
    assertTrue(mean <= MEAN_MAX, "mean of the minute " + mean);
    assertTrue(first <= 1_000, "mean of its first third " + first);
    long slowest = 0;
    for (Member member : failing) {
      long nanos = cluster.declaredNanos(member, at);
      assertTrue(nanos > 0, member + " is declared failed everywhere");
      slowest = Math.max(slowest, nanos);
    }
    System.out.printf(Locale.ROOT, "declared by all after at most %.2f s%n", slowest / 1e9);
    assertEquals(List.of(), cluster.mistakes());
  }

  /** The larger one of what is sent and received, in the mean. */
  private static double measure(String what, SwimCluster cluster, int seconds) {
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
    assertTrue(each[each.length - 1] <= SECOND_MAX, what + ": " + each[each.length - 1]);
    return Math.max(sent, received);
  }
}
