// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.Instant;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.Map;

/** The instants of cron expressions. Thread-safe; a few that were used last are kept parsed. */
final class CronTimes {
  private static final int KEPT = 1_000;

  private static final Map<String, ExecutionTime> PARSED =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, ExecutionTime> eldest) {
          return size() > KEPT;
        }
      };

  private CronTimes() {}

  /** The first instant after {@code afterMillis}; {@link Plan#NEVER} if there is none. */
  static long next(String expression, ZoneId zone, long afterMillis) {
    return parsed(expression)
        .nextExecution(Instant.ofEpochMilli(afterMillis).atZone(zone))
        .map(time -> time.toInstant().toEpochMilli())
        .orElse(Plan.NEVER);
  }

  /** Refuses what is no expression with an {@link IllegalArgumentException}. */
  static ExecutionTime parsed(String expression) {
    synchronized (PARSED) {
      ExecutionTime known = PARSED.get(expression);
      if (known != null) {
        return known;
      }
    }
    ExecutionTime parsed = parse(expression);
    synchronized (PARSED) {
      PARSED.put(expression, parsed);
    }
    return parsed;
  }

  private static ExecutionTime parse(String expression) {
    int fields = expression.strip().split("\\s+").length;
    CronType type;
    if (fields == 5) {
      type = CronType.UNIX;
    } else if ((fields == 6 || fields == 7) && expression.contains("?")) {
      type = CronType.QUARTZ;
    } else if (fields == 6) {
      type = CronType.SPRING53;
    } else {
      throw new IllegalArgumentException(
          "cron expression '%s' has %d fields: use five (minute, hour, day of month, month, day of"
                  .formatted(expression, fields)
              + " week) or six, with the second before them");
    }
    try {
      CronParser parser = new CronParser(CronDefinitionBuilder.instanceDefinitionFor(type));
      return ExecutionTime.forCron(parser.parse(expression.strip()).validate());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "cron expression '%s': %s".formatted(expression, e.getMessage()), e);
    }
  }
}
