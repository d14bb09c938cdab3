// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import java.util.Comparator;

/**
 * Something that happens at a time, unless it is taken back before.
 *
 * @param atMillis when, by the log's clock
 * @param kind what
 * @param number of the task or the attempt; 0 for a type
 * @param type whose tasks may go on; empty for others
 */
record Alarm(long atMillis, Kind kind, long number, String type) implements Comparable<Alarm> {
  /** What happens. */
  enum Kind {
    /** A task has waited until its time. */
    WAKE,
    /** A task's deadline. */
    EXPIRE,
    /** An attempt has taken too long, and its worker has not said so. */
    OVERTIME,
    /** A result was kept long enough. */
    FORGET,
    /** A type's rate allows the next one. */
    RATE
  }

  private static final Comparator<Alarm> ORDER =
      Comparator.comparingLong(Alarm::atMillis)
          .thenComparing(Alarm::kind)
          .thenComparingLong(Alarm::number)
          .thenComparing(Alarm::type);

  static Alarm of(long atMillis, Kind kind, long number) {
    return new Alarm(atMillis, kind, number, "");
  }

  @Override
  public int compareTo(Alarm other) {
    return ORDER.compare(this, other);
  }
}
