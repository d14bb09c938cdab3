// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import org.jspecify.annotations.Nullable;

/**
 * What was submitted; it never changes. Times are milliseconds since 1970, 0 for none.
 *
 * @param type its type
 * @param payload for the handler
 * @param priority 0 to 9
 * @param dedupeKey of the request
 * @param orderingKey of the request
 * @param notBefore of the request; of a schedule's task the instant
 * @param deadline of the request
 * @param terms what it shares with others
 * @param schedule which schedule has made it
 */
record Work(
    String type,
    byte[] payload,
    byte priority,
    @Nullable String dedupeKey,
    @Nullable String orderingKey,
    long notBefore,
    long deadline,
    Terms terms,
    @Nullable String schedule) {
  /** The same as a task of a schedule, for one instant. */
  Work at(long instant, String itsSchedule, @Nullable String ordering) {
    return new Work(type, payload, priority, null, ordering, instant, deadline, terms, itsSchedule);
  }

  /** The same with a type and terms that others have too. */
  Work sharing(String itsType, Terms itsTerms) {
    return new Work(
        itsType,
        payload,
        priority,
        dedupeKey,
        orderingKey,
        notBefore,
        deadline,
        itsTerms,
        schedule);
  }
}
