// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.random.RandomGenerator;

/** What all parts of a keeper share: its values, and what of them is on disk. */
final class Shelf {
  final Seat me;
  final KeeperSettings settings;
  final Values values;
  final KeeperPort port;
  final RandomGenerator random;

  /** The time of the present event. */
  long now;

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private long tickets;
  private long appended;
  private long durable;

  private record Waiting(long number, Runnable task) {}

  Shelf(
      Seat me,
      KeeperSettings settings,
      Values values,
      KeeperPort port,
      RandomGenerator random,
      long now) {
    this.me = me;
    this.settings = settings;
    this.values = values;
    this.port = port;
    this.random = random;
    this.now = now;
  }

  long ticket() {
    return ++tickets;
  }

  /** Keeps a value if it is newer than what is there. */
  boolean keep(Value value) {
    boolean isKept = values.put(value);
    if (isKept) {
      long number = port.append(value);
      if (number > 0) {
        appended = number;
      } else {
        durable = appended;
      }
    }
    return isKept;
  }

  void forget(Identifier id) {
    values.remove(id);
    port.forget(id);
  }

  /** Runs a task once all that was kept so far is on disk: now, if it is. */
  void whenDurable(Runnable task) {
    if (durable >= appended) {
      task.run();
    } else {
      waiting.add(new Waiting(appended, task));
    }
  }

  void durable(long number) {
    durable = number;
    while (!waiting.isEmpty() && waiting.peek().number() <= number) {
      waiting.poll().task().run();
    }
  }
}
