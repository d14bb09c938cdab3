// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import java.util.List;

/** What a client asks for. */
sealed interface Op {
  /** The most operations in one batch. */
  int BATCH_MAX = 256;

  /** Of one key. */
  sealed interface Single extends Op {
    /** The key. */
    String key();
  }

  /** Sets a value. */
  record Put(String key, byte[] value) implements Single {}

  /** Removes a key. */
  record Delete(String key) implements Single {}

  /** Sets a value if the key has version {@code expected}; 0 if it is absent. */
  record CompareAndSet(String key, long expected, byte[] value) implements Single {}

  /** All or nothing; every condition is of the state before the batch. */
  record Batch(List<Single> steps) implements Op {
    public Batch {
      if (steps.isEmpty() || steps.size() > BATCH_MAX) {
        throw new IllegalArgumentException("a batch of " + steps.size());
      }
      steps = List.copyOf(steps);
    }
  }

  /** What it consists of. */
  default List<Single> steps() {
    return this instanceof Batch batch ? batch.steps : List.of((Single) this);
  }
}
