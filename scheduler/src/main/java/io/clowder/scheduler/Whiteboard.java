// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.runtime.StringPlus;
import io.clowder.api.task.TaskHandler;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What handlers say of themselves by the properties of their service. */
final class Whiteboard {
  private static final Logger LOG = LoggerFactory.getLogger(Whiteboard.class);

  private Whiteboard() {}

  /** Gets the service; null, and said so, if its properties make no sense. */
  static Roster.@Nullable Entry entry(
      BundleContext context, ServiceReference<TaskHandler> reference) {
    List<String> patterns;
    Skill skill;
    try {
      patterns = patterns(reference.getProperty(TaskHandler.TYPE));
      skill =
          new Skill(
              (int) number(reference, TaskHandler.CONCURRENCY, SchedulerSetting.SLOTS_MAX),
              number(reference, TaskHandler.TIMEOUT, Long.MAX_VALUE / 4));
    } catch (IllegalArgumentException e) {
      LOG.warn("a task handler of {} is not used: {}", reference.getBundle(), e.getMessage());
      return null;
    }
    TaskHandler handler = context.getService(reference);
    if (handler == null) {
      return null;
    }
    Object ranking = reference.getProperty(Constants.SERVICE_RANKING);
    return new Roster.Entry(
        handler,
        patterns,
        skill,
        ranking instanceof Integer its ? its : 0,
        (long) reference.getProperty(Constants.SERVICE_ID));
  }

  private static List<String> patterns(@Nullable Object property) {
    List<String> patterns = StringPlus.of(property).stream().map(Pattern::checked).toList();
    if (patterns.isEmpty()) {
      throw new IllegalArgumentException("it has no " + TaskHandler.TYPE);
    }
    return patterns;
  }

  private static long number(ServiceReference<?> reference, String property, long max) {
    Object value = reference.getProperty(property);
    if (value == null) {
      return 0;
    }
    long number = -1;
    try {
      number = value instanceof Number its ? its.longValue() : Long.parseLong(value.toString());
    } catch (NumberFormatException e) {
      // Refused below, with the property's name.
    }
    if (number < 1 || number > max) {
      throw new IllegalArgumentException("%s is '%s': use 1 to %d".formatted(property, value, max));
    }
    return number;
  }
}
