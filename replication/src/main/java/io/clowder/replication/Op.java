// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What a client asks for. */
sealed interface Op {
  /** The most operations in one batch. */
  int BATCH_MAX = 256;

  /** Of one key. */
  sealed interface Single extends Op {
    /** The key. */
    String key();

    /** The bytes of its value. */
    default int valueBytes() {
      return this instanceof Put put
          ? put.value.length
          : this instanceof CompareAndSet cas ? cas.value.length : 0;
    }
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

  /** Whether it is over a limit: of a key, of a value, or of all that goes into one record. */
  default boolean isTooLarge() {
    long all = 0;
    for (Single step : steps()) {
      int key = step.key().getBytes(StandardCharsets.UTF_8).length;
      all += key + step.valueBytes();
      if (key > Limits.KEY_BYTES || step.valueBytes() > Limits.VALUE_BYTES) {
        return true;
      }
    }
    return all > Limits.COMMAND_BYTES;
  }
}
