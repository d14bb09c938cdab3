// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;

/** When a schedule makes a task. */
public sealed interface Trigger {
  /** The shortest period and delay. */
  Duration SHORTEST = Duration.ofMillis(100);

  /**
   * At the instants of a cron expression in a time zone.
   *
   * <p>Where clocks are put forward an instant that falls into the gap is passed over; where they
   * are put back one that comes twice fires at the first of both, unless the expression has
   * instants in every hour: then it goes on in both.
   *
   * <p>If neither day is {@code *}, five fields mean days that are one or the other, six those that
   * are both. Sunday is 0 and 7; in Quartz's form, of six or seven fields with a {@code ?}, it is
   * 1.
   *
   * @param expression five fields (minute, hour, day of month, month, day of week), or six, with
   *     the second before them, or Quartz's seven with the year at the end; checked when the
   *     schedule is made
   * @param zone whose clock it is, such as {@code Europe/Berlin}: nodes whose rules of time zones
   *     do not know it leave it to others; checked when the schedule is made
   */
  record Cron(String expression, String zone) implements Trigger {
    /** In a zone that is known here. */
    public Cron(String expression, ZoneId zone) {
      this(expression, zone.getId());
    }
  }

  /**
   * At {@code first} and every {@code period} after it, however long tasks take.
   *
   * @param first the first instant
   * @param period at least {@link #SHORTEST}
   */
  record FixedRate(Instant first, Duration period) implements Trigger {
    /** Refuses a period that is too short. */
    public FixedRate {
      check("period", period);
    }
  }

  /**
   * At {@code first}, and each time {@code delay} after the last task was over.
   *
   * @param first the first instant
   * @param delay at least {@link #SHORTEST}
   */
  record FixedDelay(Instant first, Duration delay) implements Trigger {
    /** Refuses a delay that is too short. */
    public FixedDelay {
      check("delay", delay);
    }
  }

  /**
   * Once.
   *
   * @param instant when; in the past means at once
   */
  record At(Instant instant) implements Trigger {}

  private static void check(String what, Duration duration) {
    if (duration.compareTo(SHORTEST) < 0 || duration.compareTo(Duration.ofDays(3650)) > 0) {
      throw new IllegalArgumentException(
          "a %s of %s: use %s to 3650 days".formatted(what, duration, SHORTEST));
    }
  }
}
