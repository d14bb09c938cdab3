// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.kv;

import io.clowder.api.consensus.ReadConsistency;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A linearizable map of keys to values. A service; thread-safe.
 *
 * <p>A key is 1 to {@link io.clowder.api.Limits#KEY_BYTES} bytes of UTF-8, a value 0 to {@link
 * io.clowder.api.Limits#VALUE_BYTES} bytes. Every change has a version, greater than those of all
 * changes before it in the whole map. Every call ends within the time configured by {@code
 * timeout.millis} of {@code io.clowder.kv}. Failures are {@link
 * io.clowder.api.CoordinationException}; when a change fails, its outcome says whether it may have
 * happened.
 */
@ProviderType
public interface KvStore {
  /** The value of a key and its version, or null if the key is absent. */
  CompletionStage<@Nullable KvEntry> get(String key, ReadConsistency consistency);

  /** Sets the value of a key; returns the new version. */
  CompletionStage<Long> put(String key, byte[] value);

  /** Removes a key; returns whether it was there. */
  CompletionStage<Boolean> delete(String key);

  /**
   * Sets the value of a key if its version is {@code expected}, 0 meaning that it must be absent.
   * Returns the new version; fails with {@code CONFLICT}, whose message names the version found,
   * otherwise.
   */
  CompletionStage<Long> compareAndSet(String key, long expected, byte[] value);

  /**
   * Entries whose keys begin with {@code prefix} and come after {@code after} in the order of their
   * UTF-8 bytes; from the first on if {@code after} is null.
   *
   * @param limit 1 to {@link io.clowder.api.Limits#PAGE_ENTRIES}; fewer come back when they are
   *     large
   */
  CompletionStage<List<KvEntry>> list(
      String prefix, @Nullable String after, int limit, ReadConsistency consistency);
}
