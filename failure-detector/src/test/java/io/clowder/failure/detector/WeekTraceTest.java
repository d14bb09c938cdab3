// SPDX-License-Identifier: Apache-2.0
package io.clowder.failure.detector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Holds {@link WeekTrace} against what IS-RR-2004-010 publishes in section 5.1. */
final class WeekTraceTest {
  /** Mean, deviation and ends of what is added, in milliseconds. */
  private static final class Sum {
    private long count;
    private double sum;
    private double squares;
    private double min = Double.POSITIVE_INFINITY;
    private double max = Double.NEGATIVE_INFINITY;

    void add(double value) {
      count++;
      sum += value;
      squares += value * value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }

    double mean() {
      return sum / count;
    }

    double deviation() {
      return Math.sqrt(squares / count - mean() * mean());
    }
  }

  @Test
  void heartbeatsAreAsPublished() {
    Sum sending = new Sum();
    Sum arriving = new Sum();
    Sum delay = new Sum();
    List<Integer> bursts = new ArrayList<>();
    long[] last = new long[3];
    new WeekTrace(7, WeekTrace.HEARTBEATS)
        .replay(
            (sequence, sent, nanos) -> {
              if (sequence == last[0] + 1 && last[0] > 0) {
                sending.add((sent - last[1]) / 1e6);
              } else if (sequence > last[0] + 1) {
                bursts.add((int) (sequence - last[0] - 1));
              }
              if (last[0] > 0) {
                arriving.add((nanos - last[2]) / 1e6);
              }
              delay.add((nanos - sent) / 1e6);
              last[0] = sequence;
              last[1] = sent;
              last[2] = nanos;
            });
    assertEquals(5_822_521, delay.count);
    assertEquals(814, bursts.size());
    Collections.sort(bursts);
    assertArrayEquals(
        WeekTrace.LONGEST, bursts.subList(809, 814).stream().mapToInt(Integer::intValue).toArray());
    assertEquals(103.5, sending.mean(), 0.05);
    assertEquals(0.19, sending.deviation(), 0.02);
    assertEquals(234.3, sending.max, 1);
    assertEquals(103.9, arriving.mean(), 0.1);
    assertEquals(104.1, arriving.deviation(), 3);
    assertEquals(283.3 / 2, delay.mean(), 3);
  }

  /** As a ping that is sent once in a hundred heartbeats would see it. */
  @Test
  void roundTripsAreAsPublished() {
    Path there = new Path(WeekTrace.random(3), 0.1035);
    Path back = new Path(WeekTrace.random(4), 0.1035);
    Sum trip = new Sum();
    for (int i = 0; i < WeekTrace.HEARTBEATS; i++) {
      double excess = there.step() + back.step();
      if (i % 100 == 0) {
        trip.add(270.2 + excess);
      }
    }
    assertEquals(283.3, trip.mean(), 3);
    assertEquals(27.3, trip.deviation(), 4);
    assertEquals(270.2, trip.min, 1);
    assertTrue(trip.max > 600 && trip.max < 800, () -> "longest " + trip.max);
  }
}
