// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import io.clowder.api.NodeId;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/** A board by hand: each call is one entry, at a time that the test sets. */
final class Desk implements Events {
  static final long BEGIN = 1_700_000_000_000L;
  static final int AGING = 1_000;
  static final int QUEUE_MAX = 1_000;

  final Board board = new Board(this);
  final List<Attempt> given = new ArrayList<>();
  final List<Attempt> revoked = new ArrayList<>();
  final List<Worker> gone = new ArrayList<>();
  final List<Task> ended = new ArrayList<>();
  private final Map<Long, Long> workers = new HashMap<>();
  private long announcements;
  long now = BEGIN;

  @Override
  public void given(Worker worker, Attempt attempt, Task task) {
    given.add(attempt);
    workers.put(attempt.token(), attempt.worker());
  }

  @Override
  public void revoked(Attempt attempt) {
    revoked.add(attempt);
  }

  @Override
  public void gone(Worker worker) {
    gone.add(worker);
  }

  @Override
  public void ended(Task task) {
    ended.add(task);
  }

  // ---- entries ---------------------------------------------------------------------------------

  <T> T entry(Supplier<T> change) {
    board.begin(now);
    T result = change.get();
    board.settle();
    return result;
  }

  void entry(Runnable change) {
    entry(
        () -> {
          change.run();
          return true;
        });
  }

  /** An entry with nothing but time, so many milliseconds later. */
  void pass(long millis) {
    now += millis;
    entry(() -> {});
  }

  static TaskRequest request(String type) {
    return TaskRequest.of(type, new byte[0]);
  }

  static Work work(TaskRequest request) {
    return Shows.work(request, AGING);
  }

  long submit(TaskRequest request) {
    return entry(() -> board.submit(work(request)));
  }

  long submit(String type) {
    return submit(request(type));
  }

  static SortedMap<String, Skill> skills(String... patterns) {
    SortedMap<String, Skill> skills = new TreeMap<>();
    for (String pattern : patterns) {
      skills.put(pattern, new Skill(0, 0));
    }
    return skills;
  }

  /** A worker with client and session as its node is called: {@code n7} has 7. */
  long worker(String node, int slots, String... patterns) {
    return worker(node, slots, skills(patterns), new TreeMap<>());
  }

  long worker(
      String node, int slots, SortedMap<String, Skill> skills, SortedMap<String, String> labels) {
    long number = Long.parseLong(node.substring(1));
    return announce(new NodeId(node), number, number, slots, skills, labels);
  }

  long announce(
      NodeId node,
      long client,
      long session,
      int slots,
      SortedMap<String, Skill> skills,
      SortedMap<String, String> labels) {
    TaskCommand.Announce announce =
        new TaskCommand.Announce(client, ++announcements, node, slots, skills, labels);
    return entry(() -> board.announce(announce, session));
  }

  boolean report(Report report) {
    return entry(() -> board.report(workers.getOrDefault(report.token(), 0L), report));
  }

  boolean done(long token) {
    return report(new Report.Done(token, new byte[] {1}));
  }

  boolean threw(long token) {
    return report(new Report.Threw(token, "it threw", false));
  }

  boolean giveBack(long token, boolean hasBegun) {
    return report(new Report.GivenBack(token, hasBegun));
  }

  boolean running(long token) {
    return report(new Report.Progress(token, 500, "half"));
  }

  // ---- looking ---------------------------------------------------------------------------------

  Task task(long id) {
    Task task = board.task(id);
    if (task == null) {
      throw new AssertionError("no task " + id);
    }
    return task;
  }

  TaskState state(long id) {
    return task(id).state();
  }

  /** The attempt that was given last. */
  Attempt last() {
    return given.get(given.size() - 1);
  }

  /** Tasks in the order in which they were given. */
  List<Long> order() {
    return given.stream().map(Attempt::task).toList();
  }

  /** Where the task was last given to. */
  String node(long task) {
    String node = "";
    for (Attempt attempt : given) {
      node = attempt.task() == task ? attempt.node().value() : node;
    }
    return node;
  }

  String why(long id) {
    Task task = task(id);
    Type type = board.floor().type(task.work().type());
    if (type == null) {
      throw new AssertionError("no type of " + task);
    }
    return board.floor().why(task, type);
  }
}
