// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.store;

/** One of several that are done together, see {@link ReplicatedStore#apply}. */
public sealed interface Step {
  /** The most steps of one batch. */
  int BATCH_MAX = 256;

  /** The key that it is about. */
  String key();

  /** Sets a value. */
  record Put(String key, byte[] value) implements Step {}

  /** Removes a key. */
  record Delete(String key) implements Step {}

  /** Sets a value if the key has version {@code expected}; 0 if it is absent. */
  record CompareAndSet(String key, long expected, byte[] value) implements Step {}
}
