// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TypeLimits;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tasks of one type that are not over, and what is allowed them. */
final class Type {
  private static final long SECOND_NANOS = 1_000_000_000;
  private static final long MILLI_NANOS = 1_000_000;

  final String name;
  private final int[] waiting = new int[TaskRequest.PRIORITY_MAX + 1];
  private final int[] ready = new int[TaskRequest.PRIORITY_MAX + 1];
  private final int[] inFlight = new int[TaskRequest.PRIORITY_MAX + 1];
  private final Map<Lane.Key, Lane> lanes = new LinkedHashMap<>();
  private int tasks;
  private int flying;
  private @Nullable Terms lastTerms;
  private TypeLimits limits = TypeLimits.NONE;
  boolean isPaused;

  /** When the next one would begin if they came evenly, in nanoseconds: a virtual queue's end. */
  long nextNanos;

  Type(String name) {
    this.name = name;
  }

  /** The same terms as one object, if the last ones were equal. */
  Terms shared(Terms terms) {
    if (!terms.equals(lastTerms)) {
      lastTerms = terms;
    }
    return lastTerms;
  }

  void count(Task task, int by) {
    if (task.state().isEnd()) {
      return;
    }
    int priority = task.work().priority();
    tasks += by;
    switch (task.state()) {
      case SUBMITTED -> waiting[priority] += by;
      case READY -> ready[priority] += by;
      default -> {
        inFlight[priority] += by;
        flying += by;
      }
    }
  }

  int tasks() {
    return tasks;
  }

  int waiting(int priority) {
    return waiting[priority];
  }

  int ready(int priority) {
    return ready[priority];
  }

  int inFlight(int priority) {
    return inFlight[priority];
  }

  Map<Lane.Key, Lane> lanes() {
    return lanes;
  }

  /** Whether it need not be remembered. */
  boolean isIdle() {
    return tasks == 0 && !isPaused && limits.equals(TypeLimits.NONE);
  }

  TypeLimits limits() {
    return limits;
  }

  boolean isFull() {
    return limits.queue() > 0 && tasks >= limits.queue();
  }

  boolean isAtItsLimit() {
    return limits.concurrency() > 0 && flying >= limits.concurrency();
  }

  /**
   * From when on the next one may begin, in milliseconds: the generic cell rate algorithm, with a
   * second's worth at once.
   */
  long mayBeginAt() {
    if (limits.perSecond() == 0) {
      return Long.MIN_VALUE;
    }
    long slack = (limits.perSecond() - 1) * interval();
    return Math.floorDiv(nextNanos - slack + MILLI_NANOS - 1, MILLI_NANOS);
  }

  /** Rounded up: the rate is a promise, and short intervals would add up to more. */
  private long interval() {
    return (SECOND_NANOS + limits.perSecond() - 1) / limits.perSecond();
  }

  void limit(TypeLimits its) {
    limits = its;
    nextNanos = 0;
  }

  /** One begins. */
  void begin(long nowMillis) {
    if (limits.perSecond() > 0) {
      nextNanos = Math.max(nextNanos, nowMillis * MILLI_NANOS) + interval();
    }
  }
}
