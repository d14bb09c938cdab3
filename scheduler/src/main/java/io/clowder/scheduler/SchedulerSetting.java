// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.task.TaskRequest;
import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a node's configuration says of tasks.
 *
 * @param slots how many tasks run on this node at a time, 0 to 10000; 0 for none
 * @param labels what this node has
 * @param timeout for answers of the group, 1 ms to 10 minutes
 * @param queueMax how many tasks that are not over there may be when this node submits one
 * @param aging how long a task waits until it goes before those with one priority more, 1 s to a
 *     day
 * @param drain how long running tasks are let end when what runs them stops, 0 to 10 minutes
 */
record SchedulerSetting(
    int slots,
    SortedMap<String, String> labels,
    Duration timeout,
    int queueMax,
    Duration aging,
    Duration drain) {
  static final String PID = "io.clowder.scheduler";

  static final int SLOTS_MAX = 10_000;
  private static final long MINUTES_10 = 600_000;
  private static final long DAY = 86_400_000;

  /** Refuses what is out of range by the key's name. */
  SchedulerSetting {
    check("slots", slots, 0, SLOTS_MAX);
    check("timeout.millis", timeout.toMillis(), 1, MINUTES_10);
    check("queue.max", queueMax, 1, Limits.TASKS);
    check("aging.seconds", aging.toMillis() / 1000, 1, DAY / 1000);
    check("drain.seconds", drain.toSeconds(), 0, MINUTES_10 / 1000);
  }

  private static void check(String key, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s: %s is %d: use %d to %d".formatted(PID, key, value, min, max));
    }
  }

  /** Reads {@code name=value} pairs; refuses what is none. */
  static SortedMap<String, String> labels(String[] pairs) {
    SortedMap<String, String> labels = new TreeMap<>();
    for (String pair : pairs) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? "" : pair.substring(0, equals).strip();
      String value = pair.substring(equals + 1).strip();
      if (name.isEmpty() || value.isEmpty() || name.length() > 64 || value.length() > 64) {
        throw new IllegalArgumentException(
            PID + ": labels has '" + pair + "': use NAME=VALUE of 1 to 64 characters each");
      }
      labels.put(name, value);
    }
    return labels;
  }

  /** For the log. */
  Work work(TaskRequest request) {
    return Shows.work(request, (int) aging.toMillis());
  }
}
