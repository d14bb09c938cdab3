// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import com.cronutils.model.Cron;
import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.field.CronFieldName;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The instants of cron expressions. Thread-safe; a few that were used last are kept parsed. */
final class CronTimes {
  private static final int KEPT = 1_000;

  /** An hour field with all 24 of them. */
  private static final Set<String> EVERY_HOUR = Set.of("*", "*/1", "0/1", "0-23");

  /** An expression that was parsed; whether it has an instant in every hour. */
  record Parsed(ExecutionTime times, boolean isHourly) {}

  private static final Map<String, Parsed> PARSED =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Parsed> eldest) {
          return size() > KEPT;
        }
      };

  private CronTimes() {}

  /** The first instant after {@code afterMillis}; {@link Plan#NEVER} if there is none. */
  static long next(String expression, ZoneId zone, long afterMillis) {
    Parsed parsed = parsed(expression);
    ZonedDateTime time = Instant.ofEpochMilli(afterMillis).atZone(zone);
    do {
      time = parsed.times.nextExecution(time).orElse(null);
    } while (time != null && !parsed.isHourly && isSecondOfTwo(time));
    return time == null ? Plan.NEVER : time.toInstant().toEpochMilli();
  }

  /** Whether clocks showed this time once before, as they were put back. */
  private static boolean isSecondOfTwo(ZonedDateTime time) {
    return !time.equals(time.withEarlierOffsetAtOverlap());
  }

  /** Refuses what is no expression with an {@link IllegalArgumentException}. */
  static Parsed parsed(String expression) {
    synchronized (PARSED) {
      Parsed known = PARSED.get(expression);
      if (known != null) {
        return known;
      }
    }
    Parsed parsed = parse(expression);
    synchronized (PARSED) {
      PARSED.put(expression, parsed);
    }
    return parsed;
  }

  private static Parsed parse(String expression) {
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
      Cron cron = parser.parse(expression.strip()).validate();
      String hours = cron.retrieve(CronFieldName.HOUR).getExpression().asString();
      return new Parsed(ExecutionTime.forCron(cron), EVERY_HOUR.contains(hours));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "cron expression '%s': %s".formatted(expression, e.getMessage()), e);
    } catch (RuntimeException e) {
      // The parser falls over some of what is none.
      throw new IllegalArgumentException(
          "cron expression '%s' cannot be read".formatted(expression), e);
    }
  }
}
