// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.Limits;
import io.clowder.api.task.TaskHandler;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static final Logger LOG = LoggerFactory.getLogger(Roster.class);

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

  /** What is told to the cluster: of more than it takes, the first. */
  SortedMap<String, Skill> skills() {
    SortedMap<String, Skill> skills = new TreeMap<>();
    // What is this process's own is no user's, and comes first.
    SortedMap<String, Entry> own = byPattern.subMap(LocalTasks.TYPE, LocalTasks.TYPE + '\uffff');
    own.forEach((pattern, entry) -> skills.put(pattern, entry.skill));
    for (Map.Entry<String, Entry> its : byPattern.entrySet()) {
      if (skills.size() == Limits.TASK_HANDLERS) {
        LOG.error(
            "this node has handlers for {} patterns, {} can be used: {} and what follows is not",
            byPattern.size(),
            Limits.TASK_HANDLERS,
            its.getKey());
        break;
      }
      skills.put(its.getKey(), its.getValue().skill);
    }
    return Collections.unmodifiableSortedMap(skills);
  }
}
