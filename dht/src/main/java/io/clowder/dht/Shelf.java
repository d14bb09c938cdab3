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
  private long forgottenMajor;
  private long forgottenMinor;
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
    // A node may come back in the same life: answers to what it asked before are for nobody.
    tickets = random.nextLong() >>> 2;
  }

  long ticket() {
    return ++tickets;
  }

  /** Keeps a value if it is newer than what is there. */
  boolean keep(Value value) {
    boolean isKept = values.put(value);
    if (isKept) {
      appended(port.append(value));
    }
    return isKept;
  }

  void forget(Identifier id) {
    values.remove(id);
    appended(port.forget(id));
  }

  private void appended(long number) {
    if (number > 0) {
      appended = number;
    } else {
      durable = appended;
    }
  }

  /** Forgets what is over; versions of its key do not begin anew. */
  void forgetForGood(Identifier id) {
    Value value = values.get(id);
    if (value != null) {
      forgottenMajor = Math.max(forgottenMajor, value.version().major());
      forgottenMinor = Math.max(forgottenMinor, value.version().minor());
      forget(id);
    }
  }

  /** The largest major of all versions that were forgotten. */
  long forgottenMajor() {
    return forgottenMajor;
  }

  /** The largest minor of them, whatever its major: what comes after a gap is larger. */
  long forgottenMinor() {
    return forgottenMinor;
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
