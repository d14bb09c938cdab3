// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.kv;

import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.lock.Fence;
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
 *
 * <p>A write may carry a {@link Fence}. The map remembers, with its entries, the largest token that
 * each resource has seen. It decides where the write takes effect, with nothing in between: however
 * long the writer was paused, a write whose token is smaller fails with {@code CONFLICT} and
 * changes nothing. A token that is equal or larger is accepted and remembered, also if the write
 * then finds nothing to do or another version than it expects. Writes without a fence are not held
 * up by any.
 *
 * <p>{@link io.clowder.api.Limits#FENCES} resources are remembered by name. Of more, those with the
 * smallest tokens are forgotten, and a resource that is not known by name counts as having seen the
 * largest token forgotten. So what is stale is never accepted, but a holder whose token is old may
 * be refused with it, and has to take its lock anew.
 */
@ProviderType
public interface KvStore {
  /** The value of a key and its version, or null if the key is absent. */
  CompletionStage<@Nullable KvEntry> get(String key, ReadConsistency consistency);

  /** Sets the value of a key; returns the new version. */
  CompletionStage<Long> put(String key, byte[] value);

  /** The same, unless the fence's resource has seen a larger token: then {@code CONFLICT}. */
  CompletionStage<Long> put(String key, byte[] value, Fence fence);

  /** Removes a key; returns whether it was there. */
  CompletionStage<Boolean> delete(String key);

  /** The same, unless the fence's resource has seen a larger token: then {@code CONFLICT}. */
  CompletionStage<Boolean> delete(String key, Fence fence);

  /**
   * Sets the value of a key if its version is {@code expected}, 0 meaning that it must be absent.
   * Returns the new version; fails with {@code CONFLICT}, whose message names the version found,
   * otherwise.
   */
  CompletionStage<Long> compareAndSet(String key, long expected, byte[] value);

  /**
   * The same, unless the fence's resource has seen a larger token: then {@code CONFLICT}, whose
   * message names that token. The fence is looked at before the version.
   */
  CompletionStage<Long> compareAndSet(String key, long expected, byte[] value, Fence fence);

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
