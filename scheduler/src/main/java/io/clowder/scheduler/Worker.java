// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.NodeId;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A node that runs tasks, from one start of its scheduler to the next. What it was given stays its
 * own until it says that it is through, so that a slot is free only when it is.
 */
final class Worker {
  /** How much of what it did failed, of so much, the last attempts counting most. */
  static final int FAILING_MAX = 1024;

  private static final int WEIGHT = 8;

  final long number;
  final NodeId node;
  final long client;
  long session;
  private long announced;
  private int slots;
  private SortedMap<String, Skill> skills = new TreeMap<>();
  private SortedMap<String, String> labels = new TreeMap<>();
  private final TreeMap<Long, Attempt> given = new TreeMap<>();
  private final Map<String, Integer> byPattern = new HashMap<>();
  private final Map<Long, Report.Progress> progress = new HashMap<>();
  private int suspects;
  long done;
  long failed;
  int failing;
  long lastGiven;

  Worker(long number, NodeId node, long client, long session) {
    this.number = number;
    this.node = node;
    this.client = client;
    this.session = session;
  }

  void announce(
      long count, int itsSlots, SortedMap<String, Skill> itsSkills, SortedMap<String, String> its) {
    announced = count;
    slots = itsSlots;
    skills = Collections.unmodifiableSortedMap(new TreeMap<>(itsSkills));
    labels = Collections.unmodifiableSortedMap(new TreeMap<>(its));
  }

  /** Which of its announcements counts. */
  long announced() {
    return announced;
  }

  int slots() {
    return slots;
  }

  SortedMap<String, Skill> skills() {
    return skills;
  }

  SortedMap<String, String> labels() {
    return labels;
  }

  SortedMap<Long, Attempt> given() {
    return given;
  }

  int free() {
    return Math.max(0, slots - given.size());
  }

  boolean hasLabels(Map<String, String> wanted) {
    return wanted.isEmpty() || labels.entrySet().containsAll(wanted.entrySet());
  }

  /** Whether it can begin one more for this handler. */
  boolean hasRoomFor(String pattern, boolean isSuspect) {
    Skill skill = skills.get(pattern);
    if (skill == null || given.size() >= slots || (isSuspect && suspects > 0)) {
      return false;
    }
    return skill.concurrency() == 0 || byPattern.getOrDefault(pattern, 0) < skill.concurrency();
  }

  void give(Attempt attempt) {
    given.put(attempt.token(), attempt);
    byPattern.merge(attempt.pattern(), 1, Integer::sum);
    suspects += attempt.isSuspect() ? 1 : 0;
  }

  void through(Attempt attempt) {
    given.remove(attempt.token());
    progress.remove(attempt.token());
    byPattern.computeIfPresent(attempt.pattern(), (pattern, n) -> n > 1 ? n - 1 : null);
    suspects -= attempt.isSuspect() ? 1 : 0;
  }

  /** What a handler last said of an attempt that it has. */
  void says(Report.Progress its) {
    progress.put(its.token(), its);
  }

  Report.@Nullable Progress progress(long token) {
    return progress.get(token);
  }

  /** Counts what it brought to an end itself. */
  void count(boolean hasFailed) {
    done++;
    failed += hasFailed ? 1 : 0;
    failing += ((hasFailed ? FAILING_MAX : 0) - failing) / WEIGHT;
  }

  /**
   * Whether one task more is better given to this one: its share of slots in use is smaller, where
   * one whose attempts keep failing seems up to five times as busy, lest it draws them all because
   * it is so soon through with them; if equal, who has waited longer.
   */
  boolean isBetterThan(Worker other) {
    long mine = burden() * other.slots;
    long its = other.burden() * slots;
    return mine != its ? mine < its : lastGiven < other.lastGiven;
  }

  private long burden() {
    return (given.size() + 1L) * (FAILING_MAX + 4L * failing);
  }
}
