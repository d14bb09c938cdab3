// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.task;

import io.clowder.api.Limits;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done. Begin with {@link #of}, and say more with the {@code with} methods; what
 * makes no sense is refused at once.
 *
 * @param type what kind of task: names of 1 to 64 of {@code A-Z a-z 0-9 . _ -}, with {@code /}
 *     between them, 200 characters at most; finds the handler
 * @param payload for the handler, up to {@link Limits#TASK_BYTES}; must not be changed any more
 * @param priority 0 to 9, 9 first; one that waits rises, see {@link #withPriority}
 * @param dedupeKey while a task of this type with this key is known, over or not, another one is
 *     not taken: its id is given instead; 1 to 256 characters, null for none
 * @param orderingKey tasks with the same type and key run one at a time, in the order in which they
 *     were submitted; one that was called off or is over time makes way for the next though its
 *     handler may not have noticed yet; 1 to 256 characters, null for none
 * @param notBefore not run before, by the cluster's clock; null for at once
 * @param deadline if it is not done by then it is {@link TaskState#EXPIRED}; null for never
 * @param retry how it is tried again
 * @param labels what a node must have to run it; up to 16, 1 to 64 characters each
 * @param mode how often it may run
 * @param keep how long its result is kept when it is over, up to 30 days; {@link
 *     Limits#TASK_RESULTS} are at most
 */
public record TaskRequest(
    String type,
    byte[] payload,
    int priority,
    @Nullable String dedupeKey,
    @Nullable String orderingKey,
    @Nullable Instant notBefore,
    @Nullable Instant deadline,
    Retry retry,
    SortedMap<String, String> labels,
    TaskMode mode,
    Duration keep) {
  /** The highest priority. */
  public static final int PRIORITY_MAX = 9;

  /** The priority of who does not say. */
  public static final int PRIORITY_USUAL = 4;

  private static final Duration KEEP_MAX = Duration.ofDays(30);
  private static final int TYPE_MAX = 200;
  private static final int KEY_MAX = 256;
  private static final int LABELS_MAX = 16;
  private static final int LABEL_MAX = 64;
  private static final String TYPE = "[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64})*";

  /** Refuses what makes no sense, with an {@link IllegalArgumentException}. */
  public TaskRequest {
    checkType(type);
    if (payload.length > Limits.TASK_BYTES) {
      throw new IllegalArgumentException(
          "a payload of %d bytes: use up to %d, and put more elsewhere"
              .formatted(payload.length, Limits.TASK_BYTES));
    }
    if (priority < 0 || priority > PRIORITY_MAX) {
      throw new IllegalArgumentException("priority " + priority + ": use 0 to " + PRIORITY_MAX);
    }
    checkKey("dedupe key", dedupeKey);
    checkKey("ordering key", orderingKey);
    if (notBefore != null && deadline != null && !notBefore.isBefore(deadline)) {
      throw new IllegalArgumentException(
          "not before " + notBefore + ", though its deadline is " + deadline);
    }
    labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
    if (labels.size() > LABELS_MAX) {
      throw new IllegalArgumentException(labels.size() + " labels: use up to " + LABELS_MAX);
    }
    labels.forEach(
        (name, value) -> {
          checkText("label", name, LABEL_MAX);
          checkText("label " + name, value, LABEL_MAX);
        });
    if (keep.isNegative() || keep.compareTo(KEEP_MAX) > 0) {
      throw new IllegalArgumentException("kept for " + keep + ": use 0 to " + KEEP_MAX);
    }
  }

  /** Refuses what is no type of a task. */
  public static String checkType(String type) {
    if (type.length() > TYPE_MAX || !type.matches(TYPE)) {
      throw new IllegalArgumentException(
          "type '%s': use names of 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-' with '/' between"
                  .formatted(type)
              + " them, 200 characters at most");
    }
    return type;
  }

  private static void checkKey(String what, @Nullable String key) {
    if (key != null) {
      checkText(what, key, KEY_MAX);
    }
  }

  private static void checkText(String what, String text, int max) {
    if (text.isEmpty() || text.length() > max) {
      throw new IllegalArgumentException(
          "%s of %d characters: use 1 to %d".formatted(what, text.length(), max));
    }
  }

  /** A task of the usual priority that is tried again as usual, and its result kept for an hour. */
  public static TaskRequest of(String type, byte[] payload) {
    return new TaskRequest(
        type,
        payload,
        PRIORITY_USUAL,
        null,
        null,
        null,
        null,
        Retry.USUAL,
        new TreeMap<>(),
        TaskMode.AT_LEAST_ONCE,
        Duration.ofHours(1));
  }

  /**
   * The same with a priority. One that has waited for {@code aging.seconds} goes before all of the
   * next higher priority that came since: no task waits for ever behind others.
   */
  public TaskRequest withPriority(int its) {
    return new TaskRequest(
        type, payload, its, dedupeKey, orderingKey, notBefore, deadline, retry, labels, mode, keep);
  }

  /** The same, once only. */
  public TaskRequest withDedupeKey(String key) {
    return new TaskRequest(
        type, payload, priority, key, orderingKey, notBefore, deadline, retry, labels, mode, keep);
  }

  /** The same, after those with the same key. */
  public TaskRequest withOrderingKey(String key) {
    return new TaskRequest(
        type, payload, priority, dedupeKey, key, notBefore, deadline, retry, labels, mode, keep);
  }

  /** The same, not before a time. */
  public TaskRequest withNotBefore(Instant time) {
    return new TaskRequest(
        type, payload, priority, dedupeKey, orderingKey, time, deadline, retry, labels, mode, keep);
  }

  /** The same, done by a time or not at all. */
  public TaskRequest withDeadline(Instant time) {
    return new TaskRequest(
        type,
        payload,
        priority,
        dedupeKey,
        orderingKey,
        notBefore,
        time,
        retry,
        labels,
        mode,
        keep);
  }

  /** The same, tried again so. */
  public TaskRequest withRetry(Retry its) {
    return new TaskRequest(
        type,
        payload,
        priority,
        dedupeKey,
        orderingKey,
        notBefore,
        deadline,
        its,
        labels,
        mode,
        keep);
  }

  /** The same, on nodes with this label. */
  public TaskRequest withLabel(String name, String value) {
    SortedMap<String, String> more = new TreeMap<>(labels);
    more.put(name, value);
    return new TaskRequest(
        type,
        payload,
        priority,
        dedupeKey,
        orderingKey,
        notBefore,
        deadline,
        retry,
        more,
        mode,
        keep);
  }

  /** The same in another mode. */
  public TaskRequest withMode(TaskMode its) {
    return new TaskRequest(
        type,
        payload,
        priority,
        dedupeKey,
        orderingKey,
        notBefore,
        deadline,
        retry,
        labels,
        its,
        keep);
  }

  /** The same, its result kept for another time. */
  public TaskRequest withKeep(Duration time) {
    return new TaskRequest(
        type,
        payload,
        priority,
        dedupeKey,
        orderingKey,
        notBefore,
        deadline,
        retry,
        labels,
        mode,
        time);
  }
}
