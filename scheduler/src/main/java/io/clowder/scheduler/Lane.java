// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Tasks that are ready, and alike to whom is to choose: first come, first served. */
final class Lane {
  /**
   * What they have in common.
   *
   * @param priority theirs
   * @param labels what a node must have
   * @param isSuspect whether nodes were lost with them
   */
  record Key(int priority, Map<String, String> labels, boolean isSuspect) {
    static Key of(Task task) {
      return new Key(task.work().priority(), task.work().terms().labels(), task.isSuspect());
    }
  }

  /** A worker that can run them, and for which of its handlers. */
  record Taker(Worker worker, String pattern) {}

  final Type type;
  final Key key;
  final TreeSet<Task> ready = new TreeSet<>(Task.FIRST_COME);
  List<Taker> takers = List.of();

  Lane(Type type, Key key) {
    this.type = type;
    this.key = key;
  }

  Task head() {
    return ready.first();
  }
}
