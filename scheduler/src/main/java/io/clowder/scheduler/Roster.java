// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.task.TaskHandler;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The handlers of this node. Guarded by its owner. */
final class Roster {
  /**
   * A handler as it was registered.
   *
   * @param patterns the types it runs
   * @param skill what else it says
   * @param ranking of several with one pattern the largest runs it
   * @param order of several with one ranking the first
   */
  record Entry(TaskHandler handler, List<String> patterns, Skill skill, int ranking, long order) {}

  private final List<Entry> entries = new ArrayList<>();
  private SortedMap<String, Entry> byPattern = new TreeMap<>();

  void add(Entry entry) {
    entries.add(entry);
    sort();
  }

  void remove(Entry entry) {
    entries.remove(entry);
    sort();
  }

  private void sort() {
    SortedMap<String, Entry> best = new TreeMap<>();
    for (Entry entry : entries) {
      for (String pattern : entry.patterns) {
        best.merge(pattern, entry, Roster::better);
      }
    }
    byPattern = best;
  }

  private static Entry better(Entry one, Entry other) {
    if (one.ranking != other.ranking) {
      return one.ranking > other.ranking ? one : other;
    }
    return one.order <= other.order ? one : other;
  }

  /** Who runs what was given for a pattern; null if nobody does any more. */
  @Nullable Entry handler(String pattern) {
    return byPattern.get(pattern);
  }

  /** What is told to the cluster. */
  SortedMap<String, Skill> skills() {
    SortedMap<String, Skill> skills = new TreeMap<>();
    byPattern.forEach((pattern, entry) -> skills.put(pattern, entry.skill));
    return Collections.unmodifiableSortedMap(skills);
  }
}
